/* resource_body.c - checks a JSON:API document member by member.
 */
#include "web/resource_body.h"

#include <string.h>

#include "base/utf8.h"

struct reader {
	const struct resource *resource;
	const struct field *fields;
	unsigned allowed; /* FIELD_CREATE or FIELD_UPDATE; 0: all */
	struct faults *faults;
	struct resource_body *out;
};

static int
wrong(struct reader *r, int status, const struct json *at, const char *pointer,
    const char *code, const char *message)
{
	r->out->status = status;
	faults_add(r->faults, at, pointer, code, "%s", message);
	return -1;
}

static bool
right_type(const struct field *field, const struct json *value)
{
	if (value->type == JSON_NULL && (field->flags & FIELD_NULLABLE))
		return true;
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_UUID:
	case FIELD_TIME:
		return value->type == JSON_STRING;
	case FIELD_INTEGER:
		return value->type == JSON_INTEGER;
	case FIELD_NUMBER:
		return value->type == JSON_INTEGER ||
		       value->type == JSON_NUMBER;
	case FIELD_BOOLEAN:
		return value->type == JSON_TRUE || value->type == JSON_FALSE;
	case FIELD_JSON:
		return value->type == JSON_OBJECT;
	case FIELD_VALUE:
		return true;
	case FIELD_LIST:
		return value->type == JSON_ARRAY;
	}
	return false;
}

static const char *
type_words(enum field_type type)
{
	switch (type) {
	case FIELD_INTEGER:
		return "an integer";
	case FIELD_NUMBER:
		return "a number";
	case FIELD_BOOLEAN:
		return "true or false";
	case FIELD_JSON:
		return "an object";
	case FIELD_LIST:
		return "an array";
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_UUID:
	case FIELD_TIME:
	case FIELD_VALUE:
		break;
	}
	return "a string";
}

static const struct field *
field_named(const struct field *field, const char *name)
{
	for (; field != NULL && field->name != NULL; field++)
		if (strcmp(field->name, name) == 0)
			return field;
	return NULL;
}

/* "/data/attributes/NAME", with ~ and / escaped (RFC 6901). */
static const char *
pointer_to(const char *name, char *text, size_t size)
{
	static const char prefix[] = "/data/attributes/";
	size_t n = sizeof(prefix) - 1;

	memcpy(text, prefix, n);
	for (; *name != '\0' && n + 3 < size; name++) {
		if (*name == '~' || *name == '/') {
			text[n++] = '~';
			text[n++] = *name == '~' ? '0' : '1';
		} else {
			text[n++] = *name;
		}
	}
	text[n] = '\0';
	utf8_cut(text, n);
	return text;
}

static void
read_attribute(struct reader *r, const struct json_member *member)
{
	const struct field *field = field_named(r->fields, member->name);
	char pointer[ERR_POINTER_MAX];
	struct err *fault = NULL;

	pointer_to(member->name, pointer, sizeof(pointer));
	if (field == NULL)
		fault = faults_add(r->faults, member->value, pointer,
		    "unknown_attribute", "There is no attribute \"%s\".",
		    member->name);
	else if (r->allowed != 0 && !(field->flags & r->allowed))
		fault = faults_add(r->faults, member->value, pointer,
		    "read_only_attribute", "\"%s\" can't be set here.",
		    member->name);
	else if (!right_type(field, member->value))
		fault = faults_add(r->faults, member->value, pointer,
		    "invalid_type", "\"%s\" is %s.", member->name,
		    type_words(field->type));
	else
		return;
	if (fault != NULL && member->line > 0) {
		fault->line = member->line;
		fault->column = member->column;
	}
	r->out->status = 422;
}

static void
read_required(struct reader *r)
{
	for (const struct field *field = r->fields; field->name != NULL;
	     field++) {
		char pointer[ERR_POINTER_MAX];

		if (!(field->flags & FIELD_REQUIRED) ||
		    json_get(r->out->attributes, field->name) != NULL)
			continue;
		r->out->status = 422;
		faults_add(r->faults, r->out->attributes,
		    pointer_to(field->name, pointer, sizeof(pointer)),
		    "missing_attribute", "\"%s\" is needed.", field->name);
	}
}

static int
read_attributes(struct reader *r, const struct json *data)
{
	const struct json *attributes = json_get(data, "attributes");

	if (attributes != NULL && attributes->type != JSON_OBJECT)
		return wrong(r, 422, attributes, "/data/attributes",
		    "invalid_type", "Attributes are an object.");
	r->out->attributes = attributes;
	for (uint32_t i = 0; attributes != NULL && i < attributes->count; i++)
		read_attribute(r, &attributes->members[i]);
	if (r->allowed == FIELD_CREATE)
		read_required(r);
	return r->faults->count > 0 ? -1 : 0;
}

static int
read_members(struct reader *r, const struct json *data)
{
	static const char *const known[] = {
	    "type", "id", "attributes", "relationships", "links", "meta", NULL};

	for (uint32_t i = 0; i < data->count; i++) {
		const char *const *name = known;

		while (
		    *name != NULL && strcmp(*name, data->members[i].name) != 0)
			name++;
		if (*name == NULL)
			return wrong(r, 400, data->members[i].value, "/data",
			    "unknown_member",
			    "A resource object has type, id, attributes, "
			    "relationships, links and meta.");
	}
	return 0;
}

static int
read_data(struct reader *r, const struct json *root)
{
	const struct json *data = json_get(root, "data");

	if (root->type != JSON_OBJECT)
		return wrong(r, 400, root, "", "invalid_document",
		    "The body is a JSON:API document: an object.");
	if (data == NULL || data->type != JSON_OBJECT)
		return wrong(r, 400, data != NULL ? data : root, "/data",
		    "invalid_document", "\"data\" is a resource object.");
	return read_members(r, data);
}

static int
read_identity(struct reader *r, const struct json *data, const struct uuid *id)
{
	const struct json *type = json_get(data, "type");
	const struct json *given = json_get(data, "id");
	struct uuid given_id;

	if (type == NULL || type->type != JSON_STRING)
		return wrong(r, 400, type != NULL ? type : data, "/data/type",
		    "invalid_document", "\"type\" is needed, a string.");
	if (!json_is_string(type, r->resource->type))
		return wrong(r, 409, type, "/data/type", "type_conflict",
		    "The type is not that of this collection.");
	if (id == NULL && given != NULL)
		return wrong(r, 403, given, "/data/id", "id_not_allowed",
		    "Ids are given by the server.");
	if (id != NULL && given != NULL &&
	    (given->type != JSON_STRING ||
		!uuid_parse(given->string, given->count, &given_id) ||
		!uuid_equal(&given_id, id)))
		return wrong(r, 409, given, "/data/id", "id_conflict",
		    "The id is not that of the URL.");
	return 0;
}

int
resource_body_read(const struct json *root, const struct resource *resource,
    const struct uuid *id, struct faults *faults, struct resource_body *out)
{
	struct reader r = {resource, resource->fields,
	    id == NULL ? FIELD_CREATE : FIELD_UPDATE, faults, out};
	const struct json *relationships;

	memset(out, 0, sizeof(*out));
	if (read_data(&r, root) != 0 ||
	    read_identity(&r, json_get(root, "data"), id) != 0)
		return -1;
	relationships = json_get(json_get(root, "data"), "relationships");
	if (relationships != NULL && relationships->type != JSON_OBJECT)
		return wrong(&r, 422, relationships, "/data/relationships",
		    "invalid_type", "Relationships are an object.");
	out->relationships = relationships;
	return read_attributes(&r, json_get(root, "data"));
}

int
resource_action_read(const struct json *root, const struct action *action,
    struct faults *faults, struct resource_body *out)
{
	struct reader r = {NULL, action->fields, 0, faults, out};

	memset(out, 0, sizeof(*out));
	if (read_data(&r, root) != 0)
		return -1;
	return read_attributes(&r, json_get(root, "data"));
}

bool
resource_body_relation(const struct resource_body *body,
    const struct relation *relation, struct faults *faults, struct uuid *id)
{
	const struct json *link =
	    body->relationships != NULL
		? json_get(body->relationships, relation->name)
		: NULL;
	const struct json *data = json_get(link, "data");
	const struct json *given = json_get(data, "id");
	char pointer[ERR_POINTER_MAX] = "/data/relationships/";

	strncat(pointer, relation->name, 100);
	if (link == NULL)
		return false;
	if (!json_is_string(json_get(data, "type"), relation->type) ||
	    given == NULL || given->type != JSON_STRING) {
		faults_add(faults, link, pointer, "invalid_relationship",
		    "\"data\" names one resource: {\"type\": \"%s\", \"id\": "
		    "…}.",
		    relation->type);
		return false;
	}
	if (uuid_parse(given->string, given->count, id))
		return true;
	strncat(pointer, "/data/id", 20);
	faults_add(faults, given, pointer, "invalid_id", "An id is a UUID.");
	return false;
}

const struct json *
resource_body_get(const struct resource_body *body, const char *name)
{
	return body->attributes != NULL ? json_get(body->attributes, name)
					: NULL;
}
