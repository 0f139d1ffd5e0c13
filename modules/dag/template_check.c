/* template_check.c - reads a template exactly as it would have been written:
 * everything must lie where the writer would have put it, so nothing can be
 * read twice and one pass over the bytes is enough. */
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "dag/expression.h"
#include "dag/template_compile.h"

struct checker {
	const struct plan *plan;
	uint64_t size;
	uint64_t cursor;
	bool is_static;
	bool items; /* item and index are known */
};

static bool check_contents(
    struct checker *c, const struct template_value *v, unsigned depth);

const struct template_value *
template_at(const struct plan *p, uint64_t offset)
{
	return (const void *)((const char *)p + offset);
}

/* A text of len bytes, its NUL and its padding at the cursor. */
static bool
check_text(struct checker *c, uint64_t offset, uint32_t len)
{
	const char *s = (const char *)c->plan + c->cursor;
	uint64_t end = (c->cursor + len + 1 + 7) & ~UINT64_C(7);

	if (offset != c->cursor || end > c->size)
		return false;
	if (s[len] != '\0' || memchr(s, '\0', len) != NULL ||
	    utf8_valid(s, len) != len)
		return false;
	c->cursor = end;
	return true;
}

/* count records of 16 bytes at the cursor. */
static bool
check_block(struct checker *c, uint64_t offset, uint64_t count)
{
	uint64_t end = c->cursor + count * sizeof(struct template_value);

	if (offset != c->cursor || end > c->size)
		return false;
	c->cursor = end;
	return true;
}

static bool
check_root_step(
    const struct checker *c, const struct template_step *s, uint32_t count)
{
	const struct plan *p = c->plan;

	if (s->kind != STEP_ROOT)
		return false;
	if (s->value == ROOT_CONTEXT)
		return true;
	if (s->value == ROOT_EXECUTION_ID)
		return count == 1;
	if (s->value == ROOT_SECRET)
		return count == 2 && s[1].kind == STEP_MEMBER;
	if (s->value == ROOT_ITEM)
		return c->items;
	if (s->value == ROOT_INDEX)
		return c->items && count == 1;
	if (s->value == ROOT_NODE_STATUS)
		return count == 1 && s->at < p->node_count;
	return s->value == ROOT_NODE_RESULT && s->at < p->node_count;
}

static bool
check_path(struct checker *c, const struct template_value *v)
{
	const struct template_step *s =
	    (const void *)template_at(c->plan, c->cursor);

	if (v->count < 1 || v->count > PATH_STEPS_MAX ||
	    !check_block(c, v->offset, v->count) ||
	    !check_root_step(c, s, v->count))
		return false;
	for (uint32_t i = 1; i < v->count; i++) {
		if (s[i].kind == STEP_INDEX && s[i].value > 0)
			continue;
		if (s[i].kind != STEP_MEMBER ||
		    !check_text(c, s[i].at, s[i].value))
			return false;
	}
	c->is_static = false;
	return true;
}

static bool
check_object(struct checker *c, const struct template_value *v, unsigned depth)
{
	const struct template_value *pairs = template_at(c->plan, c->cursor);

	if (!check_block(c, v->offset, (uint64_t)v->count * 2))
		return false;
	for (uint32_t i = 0; i < v->count; i++)
		if (pairs[2 * (size_t)i].type != TEMPLATE_STRING ||
		    !check_contents(c, &pairs[2 * (size_t)i], depth) ||
		    !check_contents(c, &pairs[2 * (size_t)i + 1], depth))
			return false;
	return true;
}

static bool
check_array(struct checker *c, const struct template_value *v, unsigned depth)
{
	const struct template_value *items = template_at(c->plan, c->cursor);

	if (!check_block(c, v->offset, v->count))
		return false;
	for (uint32_t i = 0; i < v->count; i++)
		if (!check_contents(c, &items[i], depth))
			return false;
	return true;
}

static bool
check_concat(struct checker *c, const struct template_value *v, unsigned depth)
{
	const struct template_value *parts = template_at(c->plan, c->cursor);

	if (!check_block(c, v->offset, v->count))
		return false;
	for (uint32_t i = 0; i < v->count; i++)
		if ((parts[i].type != TEMPLATE_STRING &&
			parts[i].type != TEMPLATE_PATH &&
			parts[i].type != TEMPLATE_LUA) ||
		    !check_contents(c, &parts[i], depth))
			return false;
	c->is_static = false;
	return true;
}

static bool
check_contents(
    struct checker *c, const struct template_value *v, unsigned depth)
{
	if (depth == 0)
		return false;
	switch (v->type) {
	case TEMPLATE_NULL:
	case TEMPLATE_FALSE:
	case TEMPLATE_TRUE:
	case TEMPLATE_INTEGER:
		return true;
	case TEMPLATE_NUMBER:
		return isfinite(v->number);
	case TEMPLATE_LUA:
		c->is_static = false;
		return check_text(c, v->offset, v->count);
	case TEMPLATE_STRING:
		return check_text(c, v->offset, v->count);
	case TEMPLATE_ARRAY:
		return check_array(c, v, depth - 1);
	case TEMPLATE_OBJECT:
		return check_object(c, v, depth - 1);
	case TEMPLATE_CONCAT:
		return check_concat(c, v, depth - 1);
	case TEMPLATE_PATH:
		return check_path(c, v);
	default:
		return false;
	}
}

bool
template_check(const struct plan *p, uint64_t size, uint64_t *cursor,
    bool items, bool *is_static)
{
	struct checker c = {p, size, *cursor, true, items};
	const struct template_value *v = template_at(p, *cursor);

	if (!check_block(&c, c.cursor, 1) ||
	    !check_contents(&c, v, TEMPLATE_DEPTH_MAX))
		return false;
	*cursor = c.cursor;
	*is_static = c.is_static;
	return true;
}
