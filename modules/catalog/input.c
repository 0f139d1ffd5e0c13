/* input.c - bytes to a DAG that can be stored, or all its faults.
 */
#include "catalog/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "dag/plan.h"
#include "exec/op_call.h"
#include "web/resource_body.h"

#define FAULTS_MAX	    100
#define NAME_MAX_CHARACTERS 200

static int
no_memory(struct dag_input *in)
{
	in->status = 503;
	faults_add(&in->faults, NULL, "", "out_of_memory", "Out of memory.");
	return -1;
}

static size_t
characters(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void
check_name(struct dag_input *in, const struct json *at, const char *pointer)
{
	size_t n = characters(in->name);

	if (n > 0 && n <= NAME_MAX_CHARACTERS)
		return;
	in->status = 422;
	faults_add(&in->faults, at, pointer, "invalid_name",
	    "A name has 1 to %d characters.", NAME_MAX_CHARACTERS);
}

/* Canonical form, hash and node names of a valid document. */
static int
store(struct dag_input *in, const struct document *d)
{
	struct buf b;

	buf_create(&b, 0);
	document_canonical(d, op_table_set(), &b);
	if (!buf_failed(&b) && document_hash(b.data, b.len, in->hash) == 0) {
		in->canonical = mem_strndup(in->mem, b.data, b.len);
		in->canonical_len = b.len;
	}
	buf_free(&b);
	in->node_count = d->node_count;
	in->node_names =
	    mem_array(in->mem, d->node_count, sizeof(*in->node_names));
	if (in->canonical == NULL || in->node_names == NULL)
		return no_memory(in);
	if (in->canonical_len > in->limits.bytes) {
		in->status = 422;
		faults_add(&in->faults, NULL,
		    in->yaml ? "" : "/data/attributes/definition",
		    "document_too_large",
		    "The definition has %zu bytes; at most %zu are taken.",
		    in->canonical_len, in->limits.bytes);
		return -1;
	}
	for (uint32_t i = 0; i < d->node_count; i++)
		in->node_names[i] = d->nodes[i].name;
	return 0;
}

/* A definition's faults point into the definition; here they point into the
 * body. */
static void
move_faults(struct dag_input *in, const struct faults *inner)
{
	for (size_t i = 0; i < inner->kept; i++) {
		const struct err *from = &inner->list[i];
		char pointer[ERR_POINTER_MAX];
		struct err *to;
		int len = snprintf(pointer, sizeof(pointer),
		    "/data/attributes/definition%s", from->pointer);

		if (len >= (int)sizeof(pointer))
			utf8_cut(pointer, sizeof(pointer) - 1);
		to = faults_add(&in->faults, NULL, pointer, from->code, "%s",
		    from->message);
		if (to == NULL)
			return;
		to->line = from->line;
		to->column = from->column;
	}
	in->faults.count += inner->count - inner->kept;
}

static int
read_definition(struct dag_input *in, const struct json *definition)
{
	struct document_options options = {.ops = op_table_set(),
	    .limits = &in->limits,
	    .settings = in->settings};
	struct document *d = NULL;
	struct faults inner;

	faults_create(&inner, in->mem, FAULTS_MAX);
	if (document_read(in->mem, definition, &options, &inner, &d) != 0) {
		in->status = 422;
		move_faults(in, &inner);
		return -1;
	}
	return store(in, d);
}

static int
read_json(struct dag_input *in)
{
	const struct json *root, *value;
	struct resource_body body;
	struct err e, *fault;

	err_clear(&e);
	if (json_parse(in->mem, in->body, in->body_len, NULL, &root, &e) != 0) {
		in->status = 400;
		fault =
		    faults_add(&in->faults, NULL, "", e.code, "%s", e.message);
		if (fault != NULL) {
			fault->line = e.line;
			fault->column = e.column;
		}
		return -1;
	}
	resource_body_read(root, &resource_dags, in->id, &in->faults, &body);
	in->status = body.status;
	if (in->status != 0 && in->status != 422)
		return -1;
	if ((value = resource_body_get(&body, "version")) != NULL &&
	    value->type == JSON_INTEGER)
		in->seen_version = value->integer;
	if ((value = resource_body_get(&body, "name")) != NULL &&
	    value->type == JSON_STRING) {
		in->name = value->string;
		check_name(in, value, "/data/attributes/name");
	}
	if ((value = resource_body_get(&body, "description")) != NULL &&
	    value->type == JSON_STRING)
		in->description = value->string;
	if ((value = resource_body_get(&body, "definition")) != NULL &&
	    value->type == JSON_OBJECT)
		read_definition(in, value);
	return in->faults.count > 0 ? -1 : 0;
}

static bool
is_syntax(const char *code)
{
	return strcmp(code, "invalid_yaml") == 0 ||
	       strcmp(code, "invalid_utf8") == 0 ||
	       strcmp(code, "nul_byte") == 0;
}

static int
read_yaml(struct dag_input *in)
{
	struct document_options options = {.ops = op_table_set(),
	    .limits = &in->limits,
	    .name_required = true,
	    .settings = in->settings};
	struct document *d = NULL;

	if (document_parse(in->mem, DOCUMENT_YAML, in->body, in->body_len,
		&options, &in->faults, &d) != 0) {
		in->status =
		    in->faults.kept > 0 && is_syntax(in->faults.list[0].code)
			? 400
			: 422;
		return -1;
	}
	in->name = d->name;
	in->description = d->description;
	check_name(in, NULL, "/name");
	return in->faults.count > 0 ? -1 : store(in, d);
}

int
dag_input_read(struct dag_input *in)
{
	faults_create(&in->faults, in->mem, FAULTS_MAX);
	in->status = 0;
	if ((in->yaml ? read_yaml(in) : read_json(in)) != 0)
		return -1;
	return mem_failed(in->mem) ? no_memory(in) : 0;
}

int
dag_compile(struct dag_compile *c)
{
	struct document_options options = {.ops = op_table_set(),
	    .limits = &c->limits,
	    .settings = c->settings};
	struct document *d = NULL;
	struct plan *plan;
	struct err e;

	faults_create(&c->faults, c->mem, FAULTS_MAX);
	if (document_parse(c->mem, DOCUMENT_JSON, c->definition,
		c->definition_len, &options, &c->faults, &d) != 0)
		return -1;
	err_clear(&e);
	plan = plan_compile(d, op_table_set(), &e);
	if (plan != NULL) {
		c->plan_len = plan->size;
		c->plan = mem_alloc(c->mem, plan->size);
		if (c->plan != NULL)
			memcpy((void *)c->plan, plan, plan->size);
		if (document_hash(
			(const char *)plan, plan->size, c->plan_hash) != 0)
			c->plan = NULL;
		free(plan);
	}
	if (c->plan != NULL)
		return 0;
	faults_add(&c->faults, NULL, "",
	    e.code != NULL ? e.code : "out_of_memory", "%s",
	    e.code != NULL ? e.message : "Out of memory.");
	return -1;
}
