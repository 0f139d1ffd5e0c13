/* error.c - fills struct gql_error. */
#include "graphql/ast.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

int
gql_fail(struct gql_error *e, const char *code, struct gql_place at,
    const char *fmt, ...)
{
	va_list ap;
	int n;

	if (e == NULL)
		return -1;
	e->code = code;
	e->at = at;
	va_start(ap, fmt);
	n = vsnprintf(e->message, sizeof(e->message), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(e->message))
		utf8_cut(e->message, sizeof(e->message) - 1);
	return -1;
}
