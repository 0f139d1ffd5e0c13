/* redact_json.c - a JSON text without secrets that is JSON still. */
#include "exec/redact.h"

#include <stdlib.h>
#include <string.h>

struct walk {
	const struct secret_set *set;
	struct mem *m;
	bool changed, failed;
};

static const struct json *walk_value(struct walk *w, const struct json *v);

static const char *
walk_text(struct walk *w, const char *text, size_t len, uint32_t *out_len)
{
	const char *out = text;
	size_t n = len;

	switch (redact_text(w->set, w->m, text, len, REDACT_WHOLE, &out, &n)) {
	case REDACT_CLEAN:
		break;
	case REDACT_DONE:
		w->changed = true;
		break;
	case REDACT_MEMORY:
		w->failed = true;
		break;
	}
	*out_len = (uint32_t)n;
	return out;
}

/* A number, true, false, null: as it is written. */
static const struct json *
walk_scalar(struct walk *w, const struct json *v)
{
	const struct json *stars = v;
	bool before = w->changed;
	uint32_t len;
	struct buf b;

	buf_create(&b, 0);
	json_write(&b, v);
	w->changed = false;
	if (buf_failed(&b))
		w->failed = true;
	else
		walk_text(w, b.data, b.len, &len);
	if (w->changed)
		stars = json_string(w->m, "***", 3);
	w->changed = w->changed || before;
	buf_free(&b);
	return stars;
}

static const struct json *
walk_array(struct walk *w, const struct json *v)
{
	struct json *copy = json_array(w->m, v->count);

	for (uint32_t i = 0; copy != NULL && i < v->count; i++)
		copy->items[i] = walk_value(w, v->items[i]);
	return copy;
}

static const struct json *
walk_object(struct walk *w, const struct json *v)
{
	struct json *copy = json_object(w->m, v->count);

	for (uint32_t i = 0; copy != NULL && i < v->count; i++) {
		const struct json_member *from = &v->members[i];
		struct json_member *to = &copy->members[i];

		to->name =
		    walk_text(w, from->name, from->name_len, &to->name_len);
		to->value = walk_value(w, from->value);
	}
	return copy;
}

/* NULL only after w->failed. */
static const struct json *
walk_value(struct walk *w, const struct json *v)
{
	const struct json *out = v;
	const char *text;
	uint32_t len;

	switch (v->type) {
	case JSON_STRING:
		text = walk_text(w, v->string, v->count, &len);
		if (text != v->string)
			out = json_string(w->m, text, len);
		break;
	case JSON_ARRAY:
		out = walk_array(w, v);
		break;
	case JSON_OBJECT:
		out = walk_object(w, v);
		break;
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
	case JSON_INTEGER:
	case JSON_NUMBER:
		out = walk_scalar(w, v);
		break;
	}
	w->failed = w->failed || out == NULL;
	return out != NULL ? out : v;
}

/* The written text may still show a value that is itself JSON: then all of it
 * goes. */
static enum redact_result
finish(struct walk *w, const struct json *v, const char **out, size_t *out_len)
{
	enum redact_result result = REDACT_MEMORY;
	struct buf b;

	buf_create(&b, 0);
	b.wipe = true;
	json_write(&b, v);
	if (buf_failed(&b))
		goto out;
	result = redact_text(
	    w->set, w->m, b.data, b.len, REDACT_WHOLE, out, out_len);
	if (result == REDACT_DONE) {
		*out = "\"***\"";
		*out_len = 5;
	} else if (result == REDACT_CLEAN && w->changed) {
		*out = mem_strndup(w->m, b.data, b.len);
		*out_len = b.len;
		result = *out != NULL ? REDACT_DONE : REDACT_MEMORY;
	}
out:
	buf_free(&b);
	return result;
}

enum redact_result
redact_json(const struct secret_set *set, struct mem *m, const char *text,
    size_t len, const char **out, size_t *out_len)
{
	static const struct json_options options = {.allow_duplicates = true};
	struct walk w = {.set = set};
	enum redact_result result;
	const struct json *v;
	const char *found;
	struct mem scratch;

	result = redact_probe(set, text, len);
	if (result != REDACT_DONE)
		return result;
	result = REDACT_MEMORY;
	mem_create(&scratch, 0);
	mem_guard(&scratch);
	w.m = &scratch;
	if (json_parse(&scratch, text, len, &options, &v, NULL) == 0) {
		v = walk_value(&w, v);
		if (!w.failed)
			result = finish(&w, v, &found, out_len);
	}
	if (result == REDACT_DONE &&
	    (*out = mem_strndup(m, found, *out_len)) == NULL)
		result = REDACT_MEMORY;
	mem_destroy(&scratch);
	return result;
}
