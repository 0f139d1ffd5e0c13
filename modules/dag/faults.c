/* faults.c - a bounded list of errors. */
#include "dag/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void
faults_create(struct faults *f, struct mem *m, size_t max)
{
	memset(f, 0, sizeof(*f));
	f->mem = m;
	f->max = max;
}

/* Grows by doubling; the old lists stay in the mem. Without memory there is
 * room for one. */
static struct err *
next_slot(struct faults *f)
{
	size_t n = f->kept, cap = n < 4 ? 4 : n * 2;
	struct err *list;

	if (n >= f->max || (n > 0 && f->list == &f->spare))
		return NULL;
	if (n == 0 || (n >= 4 && (n & (n - 1)) == 0)) {
		list = mem_array(f->mem, cap, sizeof(*list));
		if (list == NULL && n > 0)
			return NULL;
		if (list == NULL)
			list = &f->spare;
		if (n > 0)
			memcpy(list, f->list, n * sizeof(*list));
		f->list = list;
	}
	return &f->list[f->kept++];
}

struct err *
faults_add(struct faults *f, const struct json *at, const char *pointer,
    const char *code, const char *fmt, ...)
{
	struct err *e = next_slot(f);
	va_list ap;
	int n;

	f->count++;
	if (e == NULL)
		return NULL;
	/* A copy: the code of a module may be reloaded before it is told. */
	e->code = mem_strdup(f->mem, code);
	if (e->code == NULL)
		e->code = code;
	e->line = at != NULL ? at->line : 0;
	e->column = at != NULL ? at->column : 0;
	snprintf(e->pointer, sizeof(e->pointer), "%s",
	    pointer != NULL ? pointer : "");
	va_start(ap, fmt);
	n = vsnprintf(e->message, sizeof(e->message), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(e->message))
		utf8_cut(e->message, sizeof(e->message) - 1);
	return e;
}

static int
compare_places(const void *a, const void *b)
{
	const struct err *x = a, *y = b;

	if ((x->line == 0) != (y->line == 0))
		return x->line == 0 ? 1 : -1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return 0;
}

void
faults_sort(struct faults *f)
{
	/* by insertion: there are few, and equals keep their order */
	for (size_t i = 1; i < f->kept; i++) {
		struct err e = f->list[i];
		size_t j = i;

		for (; j > 0 && compare_places(&f->list[j - 1], &e) > 0; j--)
			f->list[j] = f->list[j - 1];
		f->list[j] = e;
	}
}
