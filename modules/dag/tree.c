/* tree.c - values wait on one stack until their container ends. */
#include "dag/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tree_open {
	struct json_member key; /* of the container itself */
	enum json_type type;
	struct place at;
	size_t start; /* its first value in pending */
};

void
tree_create(struct tree *t, struct mem *m, const struct json_options *options,
    struct err *e)
{
	memset(t, 0, sizeof(*t));
	t->mem = m;
	t->err = e;
	t->max_depth = JSON_MAX_DEPTH;
	if (options != NULL && options->max_depth > 0)
		t->max_depth = options->max_depth;
	if (options != NULL)
		t->allow_duplicates = options->allow_duplicates;
}

void
tree_destroy(struct tree *t)
{
	free(t->pending);
	free(t->open);
}

struct place
place_at(const char *text, size_t offset)
{
	struct place at = {1, 1};
	size_t start = 0;

	for (size_t i = 0; i < offset; i++)
		if (text[i] == '\n') {
			at.line++;
			start = i + 1;
		}
	at.column = (uint32_t)(offset - start + 1);
	return at;
}

bool
tree_fail(
    struct tree *t, struct place at, const char *code, const char *message)
{
	if (!t->failed) {
		err_set(t->err, code, "%s", message);
		if (t->err != NULL) {
			t->err->line = at.line;
			t->err->column = at.column;
		}
	}
	t->failed = true;
	return false;
}

bool
tree_fail_memory(struct tree *t)
{
	if (!t->failed)
		err_memory(t->err);
	t->failed = true;
	return false;
}

/* Puts v, under the key that was read before it, into the open container. */
static bool
add(struct tree *t, const struct json *v, const struct json_member *key)
{
	if (v == NULL)
		return tree_fail_memory(t);
	if (t->depth == 0) {
		t->root = v;
		return true;
	}
	if (t->count == t->cap) {
		size_t cap = t->cap > 0 ? t->cap * 2 : 64;
		void *p = mem_heap_grow(t->pending, cap * sizeof(*t->pending));

		if (p == NULL)
			return tree_fail_memory(t);
		t->pending = p;
		t->cap = cap;
	}
	t->pending[t->count] = *key;
	t->pending[t->count++].value = v;
	return true;
}

static struct json *
new_value(struct tree *t, enum json_type type, struct place at)
{
	struct json *v = mem_alloc(t->mem, sizeof(*v));

	if (v != NULL) {
		v->type = type;
		v->line = at.line;
		v->column = at.column;
	}
	return v;
}

bool
tree_key(struct tree *t, const char *name, size_t len, struct place at)
{
	if (t->failed)
		return false;
	t->key.name = name;
	t->key.name_len = (uint32_t)len;
	t->key.line = at.line;
	t->key.column = at.column;
	return name != NULL || tree_fail_memory(t);
}

bool
tree_literal(struct tree *t, enum json_type type, struct place at)
{
	return !t->failed && add(t, new_value(t, type, at), &t->key);
}

bool
tree_integer(struct tree *t, int64_t n, struct place at)
{
	struct json *v = t->failed ? NULL : new_value(t, JSON_INTEGER, at);

	if (v != NULL)
		v->integer = n;
	return !t->failed && add(t, v, &t->key);
}

bool
tree_number(struct tree *t, double n, const char *text, struct place at)
{
	struct json *v = t->failed ? NULL : new_value(t, JSON_NUMBER, at);

	if (v != NULL) {
		v->number = n;
		v->text = text;
	}
	return !t->failed && add(t, v, &t->key);
}

bool
tree_string(struct tree *t, const char *s, size_t len, struct place at)
{
	struct json *v;

	if (t->failed || s == NULL)
		return tree_fail_memory(t);
	v = new_value(t, JSON_STRING, at);
	if (v != NULL) {
		v->string = s;
		v->count = (uint32_t)len;
	}
	return add(t, v, &t->key);
}

bool
tree_start(struct tree *t, enum json_type type, struct place at)
{
	struct tree_open *o;

	if (t->failed)
		return false;
	if (t->depth >= t->max_depth)
		return tree_fail(t, at, "too_deep",
		    "Arrays and objects are nested too deeply.");
	if (t->open == NULL)
		t->open = mem_heap(t->max_depth * sizeof(*t->open));
	if (t->open == NULL)
		return tree_fail_memory(t);
	o = &t->open[t->depth++];
	o->key = t->key;
	o->type = type;
	o->at = at;
	o->start = t->count;
	return true;
}

/* By name, those of one name in the order of the text. */
static int
compare_members(const void *a, const void *b)
{
	const struct json_member *x = *(struct json_member *const *)a;
	const struct json_member *y = *(struct json_member *const *)b;
	uint32_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int c = memcmp(x->name, y->name, len);

	if (c == 0 && x->name_len != y->name_len)
		c = x->name_len < y->name_len ? -1 : 1;
	if (c == 0)
		c = x < y ? -1 : x > y;
	return c;
}

static bool
same_name(const struct json_member *a, const struct json_member *b)
{
	return a->name_len == b->name_len &&
	       memcmp(a->name, b->name, a->name_len) == 0;
}

/* Sets value to NULL in every member that a later one of the same name
 * overrides; false and *dup for the first of those. */
static bool
mark_duplicates(struct tree *t, struct json_member *members, size_t count,
    const struct json_member **dup)
{
	struct json_member *few[16], **sorted = few;
	bool found = false;

	if (count > 16)
		sorted = mem_heap(count * sizeof(struct json_member *));
	if (sorted == NULL)
		return tree_fail_memory(t);
	for (size_t i = 0; i < count; i++)
		sorted[i] = &members[i];
	qsort(sorted, count, sizeof(struct json_member *), compare_members);
	for (size_t i = 1; i < count; i++) {
		if (!same_name(sorted[i - 1], sorted[i]))
			continue;
		sorted[i - 1]->value = NULL;
		if (!found || sorted[i] < *dup)
			*dup = sorted[i];
		found = true;
	}
	if (sorted != few)
		free(sorted);
	return !found;
}

static bool
fill_object(
    struct tree *t, struct json *v, struct json_member *members, size_t count)
{
	const struct json_member *dup = NULL;
	uint32_t n = 0;

	if (count > 1 && !mark_duplicates(t, members, count, &dup)) {
		struct place at;

		if (t->failed)
			return false;
		at.line = dup->line;
		at.column = dup->column;
		if (!t->allow_duplicates) {
			tree_fail(t, at, "duplicate_key", "");
			if (t->err != NULL)
				snprintf(t->err->message,
				    sizeof(t->err->message),
				    "The key \"%.200s\" stands here twice.",
				    dup->name);
			return false;
		}
	}
	v->members = mem_array(t->mem, count, sizeof(*v->members));
	if (v->members == NULL)
		return tree_fail_memory(t);
	for (size_t i = 0; i < count; i++)
		if (members[i].value != NULL)
			v->members[n++] = members[i];
	v->count = n;
	return true;
}

bool
tree_end(struct tree *t)
{
	struct tree_open *o;
	struct json *v;
	struct json_member *values;
	size_t count;

	if (t->failed)
		return false;
	o = &t->open[--t->depth];
	count = t->count - o->start;
	values = count > 0 ? t->pending + o->start : NULL;
	v = new_value(t, o->type, o->at);
	if (v == NULL)
		return tree_fail_memory(t);
	if (o->type == JSON_OBJECT) {
		if (!fill_object(t, v, values, count))
			return false;
	} else {
		v->items = mem_array(t->mem, count, sizeof(*v->items));
		if (v->items == NULL)
			return tree_fail_memory(t);
		for (size_t i = 0; i < count; i++)
			v->items[i] = values[i].value;
		v->count = (uint32_t)count;
	}
	t->count = o->start;
	return add(t, v, &o->key);
}
