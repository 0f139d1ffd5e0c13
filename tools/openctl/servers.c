/* servers.c - which servers work on the database. */

#include "openctl.h"
#include "openctl_sql.h"

enum ctl_exit
server_list(struct ctl *ctl)
{
	static const char *const headings[] = {"ID", "EPOCH", "STATE",
	    "LEASE S", "STARTED", "EXECUTIONS", "HOST", "ADDRESS", "VERSION"};

	if (!ctl_connect(ctl, DB_SYSTEM) || !ctl_query(ctl, &SQL_SERVERS_LIST))
		return CTL_FAILED;
	ctl_print_rows(ctl, headings);
	return CTL_DONE;
}
