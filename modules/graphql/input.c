/* input.c - values of arguments: in the document or in the variables. */
#include "graphql/input.h"

#include <string.h>

static const struct plan_input absent;

static const struct json *
member(const struct json *object, const char *name, size_t len)
{
	if (object == NULL || object->type != JSON_OBJECT)
		return NULL;
	for (uint32_t i = 0; i < object->count; i++)
		if (object->members[i].name_len == len &&
		    memcmp(object->members[i].name, name, len) == 0)
			return object->members[i].value;
	return NULL;
}

static const struct plan_path *
path_below(struct mem *m, const struct plan_path *up, const char *name,
    size_t len, uint32_t index)
{
	struct plan_path *path = mem_alloc(m, sizeof(*path));

	if (path == NULL)
		return NULL;
	path->up = up;
	if (name != NULL) {
		path->name.s = mem_strndup(m, name, len);
		path->name.len = (uint32_t)len;
	}
	path->index = index;
	return path;
}

struct plan_input
input_of(
    struct mem *m, const struct json *variables, const struct gql_value *value)
{
	struct plan_input in = absent;

	if (value == NULL)
		return in;
	in.at = value->at;
	if (value->kind != GQL_VALUE_VARIABLE) {
		in.ast = value;
		return in;
	}
	in.json = member(variables, value->text, value->len);
	if (in.json != NULL)
		in.path = path_below(m, NULL, value->text, value->len, 0);
	return in;
}

struct plan_input
input_argument(struct mem *m, const struct json *variables,
    const struct gql_selection *selection, const char *name)
{
	const struct gql_argument *a;

	for (a = selection->arguments; a != NULL; a = a->next)
		if (gql_name_is(&a->name, name, strlen(name)))
			return input_of(m, variables, a->value);
	return absent;
}

bool
input_given(const struct plan_input *in)
{
	return in->ast != NULL || in->json != NULL;
}

bool
input_present(const struct plan_input *in)
{
	return (in->ast != NULL && in->ast->kind != GQL_VALUE_NULL) ||
	       (in->json != NULL && in->json->type != JSON_NULL);
}

struct plan_input
input_field(struct mem *m, const struct json *variables,
    const struct plan_input *in, const char *name)
{
	struct input_member found;

	for (unsigned i = 0; input_member(m, variables, in, i, &found); i++)
		if (found.len == strlen(name) &&
		    memcmp(found.name, name, found.len) == 0)
			return found.value;
	return absent;
}

unsigned
input_member_count(const struct plan_input *in)
{
	if (in->ast != NULL)
		return in->ast->kind == GQL_VALUE_OBJECT ? in->ast->len : 0;
	return in->json != NULL && in->json->type == JSON_OBJECT
		   ? in->json->count
		   : 0;
}

bool
input_member(struct mem *m, const struct json *variables,
    const struct plan_input *in, unsigned i, struct input_member *out)
{
	if (i >= input_member_count(in))
		return false;
	if (in->ast != NULL) {
		const struct gql_object_field *f = in->ast->fields;

		while (i-- > 0)
			f = f->next;
		out->name = f->name.s;
		out->len = f->name.len;
		out->value = input_of(m, variables, f->value);
		return true;
	}
	out->name = in->json->members[i].name;
	out->len = in->json->members[i].name_len;
	out->value = *in;
	out->value.json = in->json->members[i].value;
	out->value.path = path_below(m, in->path, out->name, out->len, 0);
	return true;
}

unsigned
input_item_count(const struct plan_input *in)
{
	if (!input_present(in))
		return 0;
	if (in->ast != NULL)
		return in->ast->kind == GQL_VALUE_LIST ? in->ast->len : 1;
	return in->json->type == JSON_ARRAY ? in->json->count : 1;
}

struct plan_input
input_item(struct mem *m, const struct json *variables,
    const struct plan_input *in, unsigned i)
{
	struct plan_input item = *in;

	if (in->ast != NULL) {
		const struct gql_value *v = in->ast->items;

		if (in->ast->kind != GQL_VALUE_LIST)
			return item;
		while (i-- > 0)
			v = v->next;
		return input_of(m, variables, v);
	}
	if (in->json->type != JSON_ARRAY)
		return item;
	item.json = in->json->items[i];
	item.path = path_below(m, in->path, NULL, 0, i);
	return item;
}

static const char *
json_text(struct mem *m, const struct json *v, size_t *len)
{
	const char *text = NULL;

	switch (v->type) {
	/* Copies: what a request sends may wait while the module goes. */
	case JSON_FALSE:
		text = mem_strdup(m, "false");
		break;
	case JSON_TRUE:
		text = mem_strdup(m, "true");
		break;
	case JSON_INTEGER:
		text = mem_printf(m, "%lld", (long long)v->integer);
		break;
	case JSON_NUMBER:
		text = v->text != NULL ? v->text
				       : mem_printf(m, "%.17g", v->number);
		break;
	case JSON_STRING:
		*len = v->count;
		return v->string;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	*len = text == NULL ? 0 : strlen(text);
	return text;
}

const char *
input_text(struct mem *m, const struct plan_input *in, size_t *len)
{
	*len = 0;
	if (in->json != NULL)
		return json_text(m, in->json, len);
	if (in->ast == NULL)
		return NULL;
	switch (in->ast->kind) {
	case GQL_VALUE_INT:
	case GQL_VALUE_FLOAT:
	case GQL_VALUE_STRING:
	case GQL_VALUE_BLOCK_STRING:
	case GQL_VALUE_ENUM:
		*len = in->ast->len;
		return mem_strndup(m, in->ast->text, in->ast->len);
	case GQL_VALUE_BOOLEAN:
		*len = in->ast->boolean ? 4 : 5;
		return mem_strdup(m, in->ast->boolean ? "true" : "false");
	case GQL_VALUE_VARIABLE:
	case GQL_VALUE_NULL:
	case GQL_VALUE_LIST:
	case GQL_VALUE_OBJECT:
		break;
	}
	return NULL;
}

bool
input_boolean(const struct plan_input *in, bool *out)
{
	if (in->json != NULL) {
		*out = in->json->type == JSON_TRUE;
		return in->json->type == JSON_TRUE ||
		       in->json->type == JSON_FALSE;
	}
	if (in->ast == NULL || in->ast->kind != GQL_VALUE_BOOLEAN)
		return false;
	*out = in->ast->boolean;
	return true;
}

static const struct json *
follow(const struct plan_path *path, const struct json *variables)
{
	const struct json *up =
	    path->up == NULL ? variables : follow(path->up, variables);

	if (path->name.s != NULL)
		return member(up, path->name.s, path->name.len);
	if (up == NULL || up->type != JSON_ARRAY || path->index >= up->count)
		return NULL;
	return up->items[path->index];
}

struct plan_input
input_again(const struct plan_input *in, const struct json *variables)
{
	struct plan_input again = *in;

	if (in->path != NULL)
		again.json = follow(in->path, variables);
	return again;
}
