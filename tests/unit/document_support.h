/* document_support.h - reading documents in tests: one memory, one list of
 * faults. Include it after cmocka. */
#ifndef TESTS_DOCUMENT_SUPPORT_H
#define TESTS_DOCUMENT_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dag_ops.h"

static struct mem m;
static struct faults faults;

static inline int
setup(void **state)
{
	(void)state;
	mem_create(&m, 0);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	mem_destroy(&m);
	return 0;
}

/* The document, or NULL and faults. */
static inline struct document *
read_as(enum document_format format, const char *text, size_t len,
    const struct document_options *given)
{
	struct document_options options = {
	    .ops = &test_ops, .name_required = format == DOCUMENT_YAML};
	struct document *d = NULL;

	faults_create(&faults, &m, FAULTS_MAX);
	if (document_parse(&m, format, text, len,
		given != NULL ? given : &options, &faults, &d) == 0) {
		assert_int_equal(faults.count, 0);
		return d;
	}
	assert_true(faults.count > 0);
	return NULL;
}

static inline struct document *
yaml(const char *text)
{
	return read_as(DOCUMENT_YAML, text, strlen(text), NULL);
}

static inline struct document *
json(const char *text)
{
	return read_as(DOCUMENT_JSON, text, strlen(text), NULL);
}

static inline const char *
canonical(const struct document *d)
{
	struct buf b;
	char *copy;

	if (d == NULL)
		fail_msg("%s: %s", faults.list[0].code, faults.list[0].message);
	buf_create(&b, 0);
	document_canonical(d, &test_ops, &b);
	assert_false(buf_failed(&b));
	copy = mem_strdup(&m, b.data);
	buf_free(&b);
	return copy;
}

/* One fault, as "line:column pointer code". */
static inline void
assert_fault(size_t i, const char *expected)
{
	char text[1024];
	const struct err *e;

	if (i >= faults.kept)
		fail_msg("no fault %zu: %s", i, expected);
	e = &faults.list[i];
	snprintf(text, sizeof(text), "%u:%u %s %s", e->line, e->column,
	    e->pointer, e->code);
	if (strcmp(text, expected) != 0)
		fail_msg("fault %zu is %s (%s), not %s", i, text, e->message,
		    expected);
}

#endif
