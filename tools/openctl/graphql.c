/* graphql.c - openctl graphql: what the API is like, without a server. */

#include <stdio.h>

#include "openctl.h"
#include "web/graph.h"

enum ctl_exit
graphql_schema(struct ctl *ctl)
{
	enum ctl_exit result = CTL_DONE;
	struct buf b;

	(void)ctl;
	buf_create(&b, 0);
	graph_sdl_write(&b);
	if (buf_failed(&b))
		result = ctl_fail("out of memory");
	else
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
	return result;
}
