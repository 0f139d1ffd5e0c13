/* template.c - parameters and conditions become templates. */
#include "dag/template.h"

#include <stdlib.h>
#include <string.h>

#include "dag/expression.h"
#include "dag/template_compile.h"

_Static_assert(sizeof(struct template_value) == 16, "part of a plan");
_Static_assert(sizeof(struct template_step) == 16, "part of a plan");

struct writer {
	struct buf *out;
	struct mem mem; /* scratch of one expression */
	bool is_static;
	bool items; /* item and index are known */
};

static void put_json(struct writer *w, uint32_t at, const struct json *v);

/* Bytes ------------------------------------------------------------------- */

void
template_align(struct buf *out)
{
	static const char zeros[8];

	buf_put(out, zeros, -out->len & 7);
}

/* The text, a NUL, and up to the next multiple of 8; its offset. */
static uint32_t
put_text(struct buf *out, const char *s, size_t len)
{
	uint32_t at = (uint32_t)out->len;

	buf_put(out, s, len);
	buf_putc(out, '\0');
	template_align(out);
	return at;
}

/* count zeroed records of 16 bytes (values or steps). */
static uint32_t
put_block(struct buf *out, uint32_t count)
{
	static const char zeros[16];
	uint32_t at = (uint32_t)out->len;

	for (uint32_t i = 0; i < count && !buf_failed(out); i++)
		buf_put(out, zeros, sizeof(zeros));
	return at;
}

static void
set_value(struct writer *w, uint32_t at, enum template_type type,
    uint32_t count, uint64_t offset)
{
	struct template_value v = {.type = type, .count = count};

	v.offset = offset;
	if (!buf_failed(w->out))
		memcpy(w->out->data + at, &v, sizeof(v));
}

static void
set_text(struct writer *w, uint32_t at, enum template_type type, const char *s,
    size_t len)
{
	set_value(w, at, type, (uint32_t)len, put_text(w->out, s, len));
}

/* Expressions ------------------------------------------------------------- */

/* What the first steps of a path stand for: how many they are, 0 if it is
 * none of ours and Lua must look. */
static uint32_t
resolve_root(struct writer *w, const struct path_step *s, uint32_t count,
    struct template_step *root)
{
	const struct plan *p = (const struct plan *)(void *)w->out->data;
	bool member = count > 1 && s[1].kind == STEP_MEMBER;

	root->kind = STEP_ROOT;
	if (strcmp(s[0].name, "context") == 0) {
		root->value = ROOT_CONTEXT;
		return 1;
	}
	if (strcmp(s[0].name, "execution") == 0) {
		root->value = ROOT_EXECUTION_ID;
		return count == 2 && member && strcmp(s[1].name, "id") == 0 ? 2
									    : 0;
	}
	if (strcmp(s[0].name, "secrets") == 0) {
		root->value = ROOT_SECRET;
		return count == 2 && member ? 1 : 0;
	}
	if (w->items && strcmp(s[0].name, "item") == 0) {
		root->value = ROOT_ITEM;
		return 1;
	}
	if (w->items && strcmp(s[0].name, "index") == 0) {
		root->value = ROOT_INDEX;
		return count == 1 ? 1 : 0;
	}
	if (strcmp(s[0].name, "nodes") != 0 || !member || count < 3 ||
	    s[2].kind != STEP_MEMBER)
		return 0;
	root->at = plan_find(p, s[1].name, s[1].name_len);
	if (root->at == PLAN_NONE)
		return 0;
	root->value = ROOT_NODE_RESULT;
	if (strcmp(s[2].name, "result") == 0)
		return 3;
	root->value = ROOT_NODE_STATUS;
	return count == 3 && strcmp(s[2].name, "status") == 0 ? 3 : 0;
}

static bool
put_path(struct writer *w, uint32_t at, const char *code, size_t len)
{
	struct path_step steps[PATH_STEPS_MAX];
	struct template_step root = {0};
	uint32_t count = expression_path(code, len, &w->mem, steps);
	uint32_t used = 0, block;

	if (count > 0)
		used = resolve_root(w, steps, count, &root);
	if (used == 0)
		return false;
	count = count - used + 1;
	block = put_block(w->out, count);
	set_value(w, at, TEMPLATE_PATH, count, block);
	for (uint32_t i = 0; i < count && !buf_failed(w->out); i++) {
		const struct path_step *from = &steps[used - 1 + i];
		struct template_step to = {.kind = from->kind};

		if (i == 0) {
			to = root;
		} else if (to.kind == STEP_INDEX) {
			to.value = from->index;
		} else {
			to.value = from->name_len;
			to.at = put_text(w->out, from->name, from->name_len);
		}
		if (!buf_failed(w->out))
			memcpy(w->out->data + block + i * sizeof(to), &to,
			    sizeof(to));
	}
	return true;
}

static void
put_expression(struct writer *w, uint32_t at, const char *code, size_t len)
{
	bool path = put_path(w, at, code, len);

	if (mem_failed(&w->mem))
		w->out->failed = true;
	else if (!path)
		set_text(w, at, TEMPLATE_LUA, code, len);
	mem_reset(&w->mem);
}

/* Strings ----------------------------------------------------------------- */

/* Appends the literals that come next to text. The next part that is none. */
static struct part
take_literals(struct parts *parts, struct buf *text)
{
	struct part part = part_next(parts);

	while (part.kind == PART_LITERAL || part.kind == PART_UNFINISHED) {
		buf_put(text, part.text, part.len);
		part = part_next(parts);
	}
	return part;
}

static uint32_t
count_parts(const char *s, size_t len, struct buf *text)
{
	struct parts parts = {s, s + len};
	uint32_t count = 0;

	for (;;) {
		struct part part;

		buf_reset(text);
		part = take_literals(&parts, text);
		count += text->len > 0;
		if (part.kind == PART_END)
			return count;
		count++;
	}
}

static void
put_mixed(
    struct writer *w, uint32_t at, const char *s, size_t len, struct buf *text)
{
	struct parts parts = {s, s + len};
	uint32_t count = count_parts(s, len, text);
	uint32_t block = put_block(w->out, count), i = 0;
	uint32_t size = sizeof(struct template_value);

	set_value(w, at, TEMPLATE_CONCAT, count, block);
	for (;;) {
		struct part part;

		buf_reset(text);
		part = take_literals(&parts, text);
		if (text->len > 0)
			set_text(w, block + size * i++, TEMPLATE_STRING,
			    text->data, text->len);
		if (part.kind == PART_END)
			return;
		put_expression(w, block + size * i++, part.text, part.len);
	}
}

static void
put_string(struct writer *w, uint32_t at, const struct json *v)
{
	struct parts parts = {v->string, v->string + v->count};
	enum text_kind kind = text_kind(v->string, v->count);
	struct part part;
	struct buf text;

	buf_create(&text, 0);
	if (kind == TEXT_EXPRESSION) {
		part = part_next(&parts);
		put_expression(w, at, part.text, part.len);
	} else if (kind == TEXT_MIXED) {
		put_mixed(w, at, v->string, v->count, &text);
	} else {
		take_literals(&parts, &text);
		set_text(w, at, TEMPLATE_STRING, text.data, text.len);
	}
	w->is_static = w->is_static && kind == TEXT_STATIC;
	if (buf_failed(&text))
		w->out->failed = true;
	buf_free(&text);
}

/* Values ------------------------------------------------------------------ */

static void
put_number(struct writer *w, uint32_t at, const struct json *v)
{
	struct template_value t = {.type = TEMPLATE_INTEGER};

	if (!json_as_integer(v, &t.integer)) {
		t.type = TEMPLATE_NUMBER;
		t.number = v->number;
	}
	if (!buf_failed(w->out))
		memcpy(w->out->data + at, &t, sizeof(t));
}

static void
put_array(struct writer *w, uint32_t at, const struct json *v)
{
	uint32_t block = put_block(w->out, v->count);
	uint32_t size = sizeof(struct template_value);

	set_value(w, at, TEMPLATE_ARRAY, v->count, block);
	for (uint32_t i = 0; i < v->count && !buf_failed(w->out); i++)
		put_json(w, block + i * size, v->items[i]);
}

static int
compare_members(const void *a, const void *b)
{
	const struct json_member *x = *(const struct json_member *const *)a;
	const struct json_member *y = *(const struct json_member *const *)b;

	return strcmp(x->name, y->name);
}

/* To be freed; NULL: no memory. */
static const struct json_member **
sort_members(const struct json *v)
{
	const struct json_member **sorted =
	    mem_heap(v->count * sizeof(struct json_member *));

	if (sorted == NULL)
		return NULL;
	for (uint32_t i = 0; i < v->count; i++)
		sorted[i] = &v->members[i];
	qsort(sorted, v->count, sizeof(struct json_member *), compare_members);
	return sorted;
}

/* Sorted by name, so that documents of one canonical form make one plan. op:
 * NULL, or the op whose parameters these are: scripts stay as they are. */
static void
put_object(struct writer *w, uint32_t at, const struct op_schema *op,
    const struct json *v)
{
	const struct json_member **sorted = sort_members(v);
	uint32_t size = sizeof(struct template_value);
	uint32_t block = put_block(w->out, v->count * 2);

	if (sorted == NULL) {
		w->out->failed = true;
		return;
	}
	set_value(w, at, TEMPLATE_OBJECT, v->count, block);
	for (uint32_t i = 0; i < v->count && !buf_failed(w->out); i++) {
		const struct json_member *m = sorted[i];
		const struct op_param *p =
		    op != NULL ? op_find_param(op, m->name) : NULL;
		uint32_t key = block + 2 * i * size;

		set_text(w, key, TEMPLATE_STRING, m->name, m->name_len);
		if (p != NULL && (p->types & PARAM_LUA) != 0 &&
		    m->value->type == JSON_STRING)
			set_text(w, key + size, TEMPLATE_STRING,
			    m->value->string, m->value->count);
		else
			put_json(w, key + size, m->value);
	}
	free(sorted);
}

static void
put_json(struct writer *w, uint32_t at, const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
		set_value(w, at, TEMPLATE_NULL, 0, 0);
		break;
	case JSON_FALSE:
		set_value(w, at, TEMPLATE_FALSE, 0, 0);
		break;
	case JSON_TRUE:
		set_value(w, at, TEMPLATE_TRUE, 0, 0);
		break;
	case JSON_INTEGER:
	case JSON_NUMBER:
		put_number(w, at, v);
		break;
	case JSON_STRING:
		put_string(w, at, v);
		break;
	case JSON_ARRAY:
		put_array(w, at, v);
		break;
	case JSON_OBJECT:
		put_object(w, at, NULL, v);
		break;
	}
}

uint32_t
template_put(struct buf *out, const struct op_schema *op,
    const struct json *with, bool items, bool *is_static)
{
	struct writer w = {.out = out, .is_static = true, .items = items};
	uint32_t at = put_block(out, 1);

	mem_create(&w.mem, 0);
	put_object(&w, at, op, with);
	mem_destroy(&w.mem);
	*is_static = w.is_static;
	return buf_failed(out) ? 0 : at;
}

uint32_t
template_put_list(struct buf *out, const struct json *for_each)
{
	struct writer w = {.out = out};
	uint32_t at = put_block(out, 1);

	mem_create(&w.mem, 0);
	put_json(&w, at, for_each);
	mem_destroy(&w.mem);
	return buf_failed(out) ? 0 : at;
}

uint32_t
template_put_expression(struct buf *out, const char *code, size_t len)
{
	struct writer w = {.out = out};
	uint32_t at = put_block(out, 1);

	mem_create(&w.mem, 0);
	put_expression(&w, at, code, len);
	mem_destroy(&w.mem);
	return buf_failed(out) ? 0 : at;
}
