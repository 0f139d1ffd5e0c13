/* http_answer.c - the result of op http: status, headers, body. */
#include "exec/http_answer.h"

#include <stdlib.h>
#include <string.h>

#include "exec/op_value.h"

struct line {
	const char *name, *value;
	size_t name_len, value_len;
};

/* The next "Name: value" of the head; false: it has ended. */
static bool
next_line(const char **at, const char *end, struct line *l)
{
	while (*at < end) {
		const char *line = *at, *stop, *colon;

		stop = memchr(line, '\n', (size_t)(end - line));
		stop = stop != NULL ? stop : end;
		*at = stop < end ? stop + 1 : end;
		colon = memchr(line, ':', (size_t)(stop - line));
		if (colon == NULL || colon == line)
			continue;
		l->name = line;
		l->name_len = (size_t)(colon - line);
		l->value = colon + 1;
		while (l->value < stop && strchr(" \t\r", *l->value) != NULL)
			l->value++;
		while (stop > l->value && strchr(" \t\r", stop[-1]) != NULL)
			stop--;
		l->value_len = (size_t)(stop - l->value);
		return true;
	}
	return false;
}

static struct json_member *
member(const struct json *object, const char *name, size_t len)
{
	for (uint32_t i = 0; i < object->count; i++)
		if (object->members[i].name_len == len &&
		    memcmp(object->members[i].name, name, len) == 0)
			return &object->members[i];
	return NULL;
}

/* Cookies can't be joined by commas: a list of them. */
static const struct json *
add_cookie(struct mem *m, const struct json *old, const char *value, size_t len)
{
	uint32_t count = old != NULL ? old->count : 0;
	struct json *list = json_array(m, count + 1);

	if (list == NULL)
		return NULL;
	for (uint32_t i = 0; old != NULL && i < count; i++)
		list->items[i] = old->items[i];
	list->items[count] = json_string(m, value, len);
	return list->items[count] != NULL ? list : NULL;
}

/* "a" and then "b" are "a, b" (RFC 9110). */
static const struct json *
add_value(struct mem *m, const struct json *old, const char *value, size_t len)
{
	const char *text;

	if (old == NULL)
		return json_string(m, value, len);
	text = mem_printf(m, "%s, %s", old->string, value);
	return text != NULL ? json_string(m, text, strlen(text)) : NULL;
}

static bool
put_header(struct mem *m, struct json *object, const struct line *l)
{
	size_t name_len, value_len;
	const char *clean = op_text(m, l->name, l->name_len, &name_len);
	const char *value = op_text(m, l->value, l->value_len, &value_len);
	char *name = clean != NULL ? mem_strndup(m, clean, name_len) : NULL;
	struct json_member *slot;

	if (name == NULL || value == NULL)
		return false;
	for (size_t i = 0; i < name_len; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] + 'a' - 'A');
	slot = member(object, name, name_len);
	if (slot == NULL) {
		slot = &object->members[object->count++];
		slot->name = name;
		slot->name_len = (uint32_t)name_len;
		slot->value = NULL;
	}
	slot->value = strcmp(name, "set-cookie") == 0
			  ? add_cookie(m, slot->value, value, value_len)
			  : add_value(m, slot->value, value, value_len);
	return slot->value != NULL;
}

static const struct json *
headers_of(struct mem *m, const struct http_answer *a)
{
	struct json *object = json_object(m, HTTP_HEAD_LINES);
	const char *at = a->head, *end = a->head + a->head_len;
	struct line l;

	if (object == NULL)
		return NULL;
	object->count = 0;
	while (next_line(&at, end, &l))
		if (!put_header(m, object, &l))
			return NULL;
	return object;
}

static const struct json *
body_of(struct mem *m, const struct http_answer *a)
{
	const struct json *v;

	if (a->body_len == 0)
		return json_null(m);
	v = op_value_json(m, a->body, a->body_len);
	return v != NULL ? v : op_value_text(m, a->body, a->body_len);
}

static const struct json *
result_of(struct mem *m, const struct http_answer *a)
{
	static const char *const names[] = {"status", "headers", "body"};
	struct json *result = json_object(m, 3);
	const struct json *values[] = {
	    json_integer(m, a->status), headers_of(m, a), body_of(m, a)};

	for (unsigned i = 0; i < 3; i++) {
		if (result == NULL || values[i] == NULL)
			return NULL;
		result->members[i].name = names[i];
		result->members[i].name_len = (uint32_t)strlen(names[i]);
		result->members[i].value = values[i];
	}
	return result;
}

void
http_answer_result(struct op_call *call)
{
	struct http_answer *a = call->rest;
	const struct json *result;

	call->rest = NULL;
	if (atomic_load(&call->stop))
		op_call_cancelled(call);
	else if ((result = result_of(&call->mem, a)) == NULL)
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	else
		op_call_result(call, result, a->limit);
	free(a->body);
	atomic_fetch_sub(a->held, a->body_len);
}
