/* read_params.c - checks a node's parameters against its op's declaration, and
 * all Lua in it. */
#include "dag/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dag/expression.h"

static const struct {
	unsigned type;
	const char *name;
} type_names[] = {
    {PARAM_STRING, "a string"},
    {PARAM_INTEGER, "an integer"},
    {PARAM_NUMBER, "a number"},
    {PARAM_BOOLEAN, "true or false"},
    {PARAM_DURATION, "a duration such as \"5s\""},
    {PARAM_ARRAY, "a list"},
    {PARAM_OBJECT, "an object"},
    {PARAM_LUA, "a Lua script"},
};

/* Types ------------------------------------------------------------------- */

static void
fault_type(struct reader *r, uint32_t node, const struct op_param *p,
    const struct json *v)
{
	char text[200] = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]);
	     i++) {
		if ((p->types & type_names[i].type) == 0)
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
		    len > 0 ? " or " : "", type_names[i].name);
	}
	fault_at(r, node, v, "invalid_parameter", "\"%s\" must be %s.", p->name,
	    text);
}

static bool
in_range(const struct op_param *p, int64_t n)
{
	return (p->min == 0 && p->max == 0) || (n >= p->min && n <= p->max);
}

static bool
number_in_range(const struct op_param *p, const struct json *v)
{
	double n = v->type == JSON_INTEGER ? (double)v->integer : v->number;

	return (p->min == 0 && p->max == 0) ||
	       (n >= (double)p->min && n <= (double)p->max);
}

static void
fault_range(struct reader *r, uint32_t node, const struct op_param *p,
    const struct json *v, const char *what)
{
	fault_at(r, node, v, "invalid_parameter",
	    "%s\"%s\" must be from %lld to %lld.", what, p->name,
	    (long long)p->min, (long long)p->max);
}

static void
check_duration(struct reader *r, uint32_t node, const struct op_param *p,
    const struct json *v)
{
	char min[DURATION_TEXT], max[DURATION_TEXT];
	int64_t ns;

	if (!duration_parse(v->string, v->count, &ns)) {
		fault_type(r, node, p, v);
	} else if (!in_range(p, ns)) {
		duration_format(p->min, min, sizeof(min));
		duration_format(p->max, max, sizeof(max));
		fault_at(r, node, v, "invalid_parameter",
		    "\"%s\" must be from %s to %s.", p->name, min, max);
	}
}

static void
check_string(struct reader *r, uint32_t node, const struct op_param *p,
    const struct json *v)
{
	enum text_kind kind = text_kind(v->string, v->count);

	if ((p->types & PARAM_LUA) == 0 && kind != TEXT_STATIC) {
		/* its value comes later; inside other text it is text */
		if (kind == TEXT_MIXED &&
		    (p->types & (PARAM_STRING | PARAM_DURATION | PARAM_ANY)) ==
			0)
			fault_type(r, node, p, v);
	} else if ((p->types & PARAM_ANY) != 0) {
		return;
	} else if ((p->types & (PARAM_STRING | PARAM_LUA)) != 0) {
		if (!in_range(p, v->count))
			fault_range(r, node, p, v, "The length of ");
	} else if ((p->types & PARAM_DURATION) != 0) {
		check_duration(r, node, p, v);
	} else {
		fault_type(r, node, p, v);
	}
}

static void
check_number(struct reader *r, uint32_t node, const struct op_param *p,
    const struct json *v)
{
	int64_t n;

	if ((p->types & PARAM_NUMBER) != 0) {
		if (!number_in_range(p, v))
			fault_range(r, node, p, v, "");
	} else if ((p->types & PARAM_INTEGER) != 0 && json_as_integer(v, &n)) {
		if (!in_range(p, n))
			fault_range(r, node, p, v, "");
	} else if ((p->types & PARAM_ANY) == 0) {
		fault_type(r, node, p, v);
	}
}

static void
check_param(struct reader *r, uint32_t node, const struct op_param *p,
    const struct json *v)
{
	bool any = (p->types & PARAM_ANY) != 0;

	switch (v->type) {
	case JSON_STRING:
		check_string(r, node, p, v);
		break;
	case JSON_INTEGER:
	case JSON_NUMBER:
		check_number(r, node, p, v);
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		if (!any && (p->types & PARAM_BOOLEAN) == 0)
			fault_type(r, node, p, v);
		break;
	case JSON_ARRAY:
		if (!any && (p->types & PARAM_ARRAY) == 0)
			fault_type(r, node, p, v);
		else if (!in_range(p, v->count))
			fault_range(r, node, p, v, "The length of ");
		break;
	case JSON_OBJECT:
		if (!any && (p->types & PARAM_OBJECT) == 0)
			fault_type(r, node, p, v);
		break;
	case JSON_NULL:
		if (!any)
			fault_type(r, node, p, v);
		break;
	}
}

static void
check_all(struct reader *r, uint32_t node, const struct op_schema *op,
    const struct json *with)
{
	for (uint32_t i = 0; i < with->count; i++) {
		const struct json_member *m = &with->members[i];
		const struct op_param *p = op_find_param(op, m->name);

		if (p != NULL)
			check_param(r, node, p, m->value);
		else
			fault_member(r, node, with, m, "unknown_parameter",
			    "The op \"%s\" has no parameter \"%.200s\".",
			    op->name, m->name);
	}
}

static void
check_required(struct reader *r, uint32_t node, const struct op_schema *op,
    const struct json *with, const struct json *source)
{
	for (const struct op_param *p = op->params;
	     p != NULL && p->name != NULL; p++)
		if (p->required &&
		    (with == NULL || json_get(with, p->name) == NULL))
			fault_at(r, node, with != NULL ? with : source,
			    "missing_parameter",
			    "The op \"%s\" needs the parameter \"%s\".",
			    op->name, p->name);
}

/* The op's own rules; its pointer is relative to with. */
static void
check_rules(struct reader *r, uint32_t node, const struct op_schema *op,
    const struct json *with, const struct json *at)
{
	static const struct json empty = {.type = JSON_OBJECT};
	struct err e;
	struct err *kept;

	if (op->check == NULL ||
	    op->check(with != NULL ? with : &empty, &e) == 0)
		return;
	kept = faults_add(
	    r->faults, at, NULL, "invalid_parameter", "%s", e.message);
	if (kept == NULL)
		return;
	snprintf(kept->pointer, sizeof(kept->pointer), "/nodes/%u%s%.*s", node,
	    with != NULL ? "/with" : "", ERR_POINTER_MAX - 32,
	    with != NULL ? e.pointer : "");
}

/* with, and the texts of parameters that it does not give; NULL: no memory. */
static const struct json *
add_fallbacks(
    struct reader *r, const struct op_schema *op, const struct json *with)
{
	uint32_t given = with != NULL ? with->count : 0, missing = 0;
	struct json *all;

	for (const struct op_param *p = op->params;
	     p != NULL && p->name != NULL; p++)
		missing +=
		    p->fallback != NULL && json_get(with, p->name) == NULL;
	if (missing == 0)
		return with;
	if ((all = json_object(r->mem, given + missing)) == NULL)
		return NULL;
	if (given > 0)
		memcpy(
		    all->members, with->members, given * sizeof(*all->members));
	for (const struct op_param *p = op->params; p->name != NULL; p++) {
		if (p->fallback == NULL || json_get(with, p->name) != NULL)
			continue;
		all->members[given].name = p->name;
		all->members[given].name_len = (uint32_t)strlen(p->name);
		all->members[given++].value =
		    json_string(r->mem, p->fallback, strlen(p->fallback));
	}
	if (with != NULL) {
		all->line = with->line;
		all->column = with->column;
	}
	return mem_failed(r->mem) ? NULL : all;
}

void
read_params(struct reader *r, uint32_t node, const struct json *source)
{
	struct document_node *n = &r->doc->nodes[node];
	const struct op_schema *op = r->options->ops->ops[n->op];
	const struct json *with = read_optional(source, "with");
	size_t before = r->faults->count;

	if (with != NULL && with->type != JSON_OBJECT) {
		fault_at(r, node, with, "invalid_type",
		    "\"with\" must be an object of the op's parameters.");
		return;
	}
	if (with != NULL)
		check_all(r, node, op, with);
	check_required(r, node, op, with, source);
	if (r->faults->count == before)
		check_rules(r, node, op, with, with != NULL ? with : source);
	with = add_fallbacks(r, op, with);
	if (with != NULL && with->count > 0)
		n->with = with;
	if (mem_failed(r->mem))
		fault_memory(r);
}

/* Expressions ------------------------------------------------------------- */

struct finder {
	struct reader *r;
	uint32_t node;
	const struct json *at;
};

static int
add_reference(
    struct reader *r, uint32_t node, uint32_t target, const struct json *at)
{
	if (r->reference_count == r->reference_cap) {
		size_t cap = r->reference_cap > 0 ? r->reference_cap * 2 : 64;
		void *p =
		    mem_heap_grow(r->references, cap * sizeof(*r->references));

		if (p == NULL)
			return -1;
		r->references = p;
		r->reference_cap = cap;
	}
	r->references[r->reference_count].node = node;
	r->references[r->reference_count].target = target;
	r->references[r->reference_count++].at = at;
	return 0;
}

static int
on_reference(void *ctx, const char *name, size_t len, const char *field)
{
	struct finder *f = ctx;
	struct reader *r = f->r;
	uint32_t target = find_node(r, name, len);

	if (target == NO_NODE)
		fault_at(r, f->node, f->at, "unknown_node",
		    "There is no node \"%.200s\".", name);
	else if (field[0] != '\0' && strcmp(field, "result") != 0 &&
		 strcmp(field, "status") != 0)
		fault_at(r, f->node, f->at, "invalid_expression",
		    "A node has a result and a status, but no \"%.100s\".",
		    field);
	else
		return add_reference(r, f->node, target, f->at);
	return 0;
}

static void
scan(struct reader *r, uint32_t node, const struct json *at, const char *code,
    size_t len)
{
	struct finder f = {r, node, at};

	if (memmem(code, len, "nodes", 5) != NULL &&
	    expression_references(code, len, r->mem, on_reference, &f) != 0)
		fault_memory(r);
}

static void
check_expression(struct reader *r, uint32_t node, const struct json *at,
    const char *code, size_t len)
{
	struct err e;

	if (len == 0)
		fault_at(r, node, at, "invalid_expression",
		    "An expression must not be empty.");
	else if (fault_secret(r, node, at, code, len))
		return;
	else if (lua_check_expression(r->lua, code, len, &e) == 0)
		scan(r, node, at, code, len);
	else if (strcmp(e.code, "out_of_memory") == 0)
		fault_memory(r);
	else
		fault_at(r, node, at, "invalid_expression",
		    "Not a Lua expression: %.300s.", e.message);
}

static void
check_script(struct reader *r, uint32_t node, const struct json *at)
{
	struct err e;

	if (fault_secret(r, node, at, at->string, at->count))
		return;
	if (lua_check_chunk(r->lua, at->string, at->count, &e) == 0)
		scan(r, node, at, at->string, at->count);
	else if (strcmp(e.code, "out_of_memory") == 0)
		fault_memory(r);
	else
		fault_at(r, node, at, "invalid_expression",
		    "Not a Lua script: %.300s.", e.message);
}

/* secrets: whether they may stand here. */
static void
check_text(struct reader *r, uint32_t node, const struct json *v, bool secrets)
{
	struct parts p = {v->string, v->string + v->count};

	if (memmem(v->string, v->count, "${{", 3) == NULL)
		return;
	for (;;) {
		struct part part = part_next(&p);

		if (part.kind == PART_END)
			return;
		if (part.kind == PART_EXPRESSION &&
		    !(secrets && read_secret(r, node, v, part.text, part.len)))
			check_expression(r, node, v, part.text, part.len);
		if (part.kind == PART_UNFINISHED)
			fault_at(r, node, v, "invalid_expression",
			    "\"${{\" has no end; write \"$${{\" for the text "
			    "itself.");
	}
}

static void
check_value(struct reader *r, uint32_t node, const struct json *v, bool secrets)
{
	if (v->type == JSON_STRING)
		check_text(r, node, v, secrets);
	else if (v->type == JSON_ARRAY)
		for (uint32_t i = 0; i < v->count; i++)
			check_value(r, node, v->items[i], secrets);
	else if (v->type == JSON_OBJECT)
		for (uint32_t i = 0; i < v->count; i++)
			check_value(r, node, v->members[i].value, secrets);
}

void
read_expressions(struct reader *r, uint32_t node)
{
	const struct document_node *n = &r->doc->nodes[node];
	const struct op_schema *op;

	if (n->when != NULL) {
		const struct json *when = json_get(n->source, "when");

		check_expression(r, node, when, n->when, when->count);
	}
	if (n->for_each != NULL)
		check_value(r, node, n->for_each, false);
	if (n->with == NULL)
		return;
	op = r->options->ops->ops[n->op];
	for (uint32_t i = 0; i < n->with->count; i++) {
		const struct json_member *m = &n->with->members[i];
		const struct op_param *p = op_find_param(op, m->name);

		if (p == NULL || (p->types & PARAM_LUA) == 0)
			check_value(r, node, m->value, true);
		else if (m->value->type == JSON_STRING)
			check_script(r, node, m->value);
	}
}
