/* err.c - fills struct err. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void
err_clear(struct err *e)
{
	memset(e, 0, sizeof(*e));
}

int
err_set(struct err *e, const char *code, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (e == NULL)
		return -1;
	e->code = code;
	e->line = 0;
	e->column = 0;
	e->pointer[0] = '\0';
	va_start(ap, fmt);
	n = vsnprintf(e->message, sizeof(e->message), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(e->message))
		utf8_cut(e->message, sizeof(e->message) - 1);
	return -1;
}

int
err_memory(struct err *e)
{
	return err_set(e, "out_of_memory", "Out of memory.");
}
