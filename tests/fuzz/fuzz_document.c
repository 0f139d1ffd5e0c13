/* fuzz_document.c - a document that is valid has a canonical form that reads
 * back to itself, an export that reads back to it, and a plan that is sound.
 * The first byte chooses between YAML and JSON. */
#include "fuzz.h"

#include <string.h>

#include "../unit/dag_ops.h"
#include "../unit/plan_walk.h"

static struct document *
read_text(struct mem *m, enum document_format format, bool alone,
    const char *text, size_t len)
{
	struct document_options options = {
	    .ops = &test_ops, .name_required = alone};
	struct document *d = NULL;
	struct faults f;

	faults_create(&f, m, 10);
	if (document_parse(m, format, text, len, &options, &f, &d) == 0) {
		MUST(f.count == 0 && d != NULL);
		return d;
	}
	MUST(f.count > 0 && f.kept > 0 && f.list[0].code != NULL);
	return NULL;
}

static void
check_same(struct mem *m, const struct document *d, const struct buf *expected)
{
	struct buf b;

	(void)m;
	MUST(d != NULL);
	buf_create(&b, 0);
	document_canonical(d, &test_ops, &b);
	MUST(b.len == expected->len);
	MUST(memcmp(b.data, expected->data, b.len) == 0);
	buf_free(&b);
}

static void
check_export(struct mem *m, const struct document *d, const struct buf *form)
{
	const struct json *tree;
	struct document *again;
	struct buf b;
	struct err e;

	MUST(json_parse(m, form->data, form->len, NULL, &tree, &e) == 0);
	buf_create(&b, 0);
	document_to_yaml(d->name, d->description, tree, &b);
	MUST(!buf_failed(&b));
	/* the export may be larger than a document may be */
	if (b.len < (size_t)4 << 20) {
		again =
		    read_text(m, DOCUMENT_YAML, d->name != NULL, b.data, b.len);
		check_same(m, again, form);
		if (d->name != NULL)
			MUST(strcmp(again->name, d->name) == 0);
		MUST(strcmp(again->description, d->description) == 0);
	}
	buf_free(&b);
}

static void
check_plan(const struct document *d)
{
	struct err e;
	struct plan *p = plan_compile(d, &test_ops, &e);

	MUST(p != NULL);
	MUST(plan_check(p, p->size, &e) == 0);
	MUST(walk_plan(p) != UINT64_MAX);
	for (uint32_t i = 0; i < p->node_count; i++)
		MUST(plan_find(p, d->nodes[i].name, strlen(d->nodes[i].name)) ==
		     i);
	free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum document_format format;
	struct document *d;
	struct buf form;
	struct mem m;
	bool alone;

	if (size == 0)
		return 0;
	format = data[0] == 'j' ? DOCUMENT_JSON : DOCUMENT_YAML;
	alone = format == DOCUMENT_YAML;
	mem_create(&m, 0);
	buf_create(&form, 0);
	d = read_text(&m, format, alone, (const char *)data + 1, size - 1);
	if (d != NULL) {
		document_canonical(d, &test_ops, &form);
		MUST(!buf_failed(&form));
		check_same(&m,
		    read_text(&m, DOCUMENT_JSON, false, form.data, form.len),
		    &form);
		check_export(&m, d, &form);
		check_plan(d);
	}
	buf_free(&form);
	mem_destroy(&m);
	return 0;
}
