/* openapi.c - the OpenAPI 3.1 document, from the tables of resources.c. */
#include <string.h>

#include "dag/json.h"
#include "web/openapi_auth.h"
#include "web/resource.h"

/* Writes members and items with commas between them. */
struct writer {
	struct buf *b;
	bool first;
};

static void
text(struct writer *w, const char *s)
{
	json_write_string(w->b, s, strlen(s));
}

static void
next(struct writer *w)
{
	if (!w->first)
		buf_putc(w->b, ',');
	w->first = false;
}

static void
key(struct writer *w, const char *name)
{
	next(w);
	text(w, name);
	buf_putc(w->b, ':');
}

static void
open_brace(struct writer *w, const char *name, char brace)
{
	if (name != NULL)
		key(w, name);
	else
		next(w);
	buf_putc(w->b, brace);
	w->first = true;
}

static void
object(struct writer *w, const char *name)
{
	open_brace(w, name, '{');
}

static void
array(struct writer *w, const char *name)
{
	open_brace(w, name, '[');
}

static void
end(struct writer *w, char brace)
{
	buf_putc(w->b, brace);
	w->first = false;
}

static void
member(struct writer *w, const char *name, const char *value)
{
	key(w, name);
	text(w, value);
}

/* A member whose value is JSON as it stands. */
static void
raw(struct writer *w, const char *name, const char *json)
{
	key(w, name);
	buf_puts(w->b, json);
}

static void
reference(
    struct writer *w, const char *name, const char *where, const char *what)
{
	object(w, name);
	key(w, "$ref");
	buf_puts(w->b, "\"#/components/");
	buf_puts(w->b, where);
	buf_putc(w->b, '/');
	buf_puts(w->b, what);
	buf_puts(w->b, "\"}");
	w->first = false;
}

/* --- schemas ------------------------------------------------------------- */

static void
type_members(struct writer *w, enum field_type type, bool nullable)
{
	static const struct {
		const char *type, *format;
	} names[] = {
	    [FIELD_TEXT] = {"string", NULL},
	    [FIELD_ENUM] = {"string", NULL},
	    [FIELD_UUID] = {"string", "uuid"},
	    [FIELD_INTEGER] = {"integer", NULL},
	    [FIELD_NUMBER] = {"number", NULL},
	    [FIELD_BOOLEAN] = {"boolean", NULL},
	    [FIELD_TIME] = {"string", "date-time"},
	    [FIELD_VALUE] = {NULL, NULL},
	    [FIELD_LIST] = {"array", NULL},
	};

	if (names[type].type == NULL)
		return;
	if (nullable) {
		array(w, "type");
		next(w);
		text(w, names[type].type);
		next(w);
		text(w, "null");
		end(w, ']');
	} else {
		member(w, "type", names[type].type);
	}
	if (names[type].format != NULL)
		member(w, "format", names[type].format);
}

static void
values(struct writer *w, const char *const *value)
{
	array(w, "enum");
	for (; value != NULL && *value != NULL; value++) {
		next(w);
		text(w, *value);
	}
	end(w, ']');
}

static bool
is_nullable(const struct field *field)
{
	return field->type != FIELD_ENUM && field->type != FIELD_BOOLEAN &&
	       !(field->flags & (FIELD_REQUIRED | FIELD_BY_ID));
}

static void
field_schema(struct writer *w, const struct field *field, unsigned allowed)
{
	object(w, field->name);
	type_members(w, field->type, allowed == 0 && is_nullable(field));
	if (field->type == FIELD_ENUM)
		values(w, field->values);
	member(w, "description", field->description);
	if (field->flags & FIELD_WRITE_ONLY)
		raw(w, "writeOnly", "true");
	if (!(field->flags & (FIELD_CREATE | FIELD_UPDATE)))
		raw(w, "readOnly", "true");
	end(w, '}');
}

static void
attributes_schema(
    struct writer *w, const struct field *fields, unsigned allowed)
{
	object(w, "attributes");
	member(w, "type", "object");
	object(w, "properties");
	for (const struct field *f = fields; f->name != NULL; f++)
		if (allowed == 0 ? !(f->flags & FIELD_WRITE_ONLY)
				 : (f->flags & allowed) != 0)
			field_schema(w, f, allowed);
	end(w, '}');
	if (allowed == FIELD_CREATE) {
		array(w, "required");
		for (const struct field *f = fields; f->name != NULL; f++)
			if (f->flags & FIELD_REQUIRED) {
				next(w);
				text(w, f->name);
			}
		end(w, ']');
	}
	if (allowed != 0)
		raw(w, "additionalProperties", "false");
	end(w, '}');
}

static void
relations_schema(struct writer *w, const struct resource *r)
{
	object(w, "relationships");
	member(w, "type", "object");
	object(w, "properties");
	for (const struct relation *e = r->relations; e->name != NULL; e++) {
		object(w, e->name);
		member(w, "description", e->description);
		raw(w, "type", "\"object\"");
		object(w, "properties");
		if (e->column >= 0)
			reference(w, "data", "schemas", "identifier");
		else
			raw(w, "links", "{\"type\":\"object\"}");
		end(w, '}');
		end(w, '}');
	}
	end(w, '}');
	end(w, '}');
}

/* allowed: 0 for what is answered, else FIELD_CREATE or FIELD_UPDATE. */
static void
resource_schema(struct writer *w, const struct resource *r, const char *suffix,
    unsigned allowed)
{
	char name[64] = "";

	strncat(name, r->type, 40);
	strncat(name, suffix, 20);
	object(w, name);
	member(w, "type", "object");
	member(w, "description", r->description);
	raw(w, "required", allowed == 0 ? "[\"type\",\"id\"]" : "[\"type\"]");
	object(w, "properties");
	object(w, "type");
	member(w, "const", r->type);
	end(w, '}');
	if (allowed != FIELD_CREATE)
		raw(w, "id", "{\"type\":\"string\",\"format\":\"uuid\"}");
	attributes_schema(w, r->fields, allowed);
	relations_schema(w, r);
	end(w, '}');
	end(w, '}');
}

static const char identifier_schema[] =
    "{\"type\":[\"object\",\"null\"],\"required\":[\"type\",\"id\"],"
    "\"properties\":{\"type\":{\"type\":\"string\"},"
    "\"id\":{\"type\":\"string\",\"format\":\"uuid\"}}}";

static void
components(struct writer *w)
{
	object(w, "components");
	raw(w, "securitySchemes",
	    "{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}");
	raw(w, "responses",
	    "{\"error\":{\"description\":\"What is wrong, and where.\","
	    "\"content\":{\"application/vnd.api+json\":{\"schema\":{\"$ref\":"
	    "\"#/components/schemas/errors\"}}}}}");
	object(w, "schemas");
	raw(w, "errors", openapi_errors);
	raw(w, "identifier", identifier_schema);
	for (const struct resource *const *r = resource_table; *r; r++) {
		resource_schema(w, *r, "", 0);
		if ((*r)->operations &
		    (RESOURCE_CREATE | RESOURCE_CREATE_BELOW))
			resource_schema(w, *r, "-create", FIELD_CREATE);
		if ((*r)->operations & RESOURCE_UPDATE)
			resource_schema(w, *r, "-update", FIELD_UPDATE);
	}
	end(w, '}');
	end(w, '}');
}

/* --- parameters ----------------------------------------------------------- */

static void
parameter_head(struct writer *w, const char *before, const char *name,
    const char *after, const char *description)
{
	object(w, NULL);
	key(w, "name");
	buf_putc(w->b, '"');
	buf_puts(w->b, before);
	buf_puts(w->b, name);
	buf_puts(w->b, after);
	buf_putc(w->b, '"');
	member(w, "in", "query");
	member(w, "description", description);
}

static void
parameter(struct writer *w, const char *before, const char *name,
    const char *after, const char *description)
{
	parameter_head(w, before, name, after, description);
	raw(w, "schema", "{\"type\":\"string\"}");
	end(w, '}');
}

static void
filter_parameter(struct writer *w, const struct filter *filter)
{
	parameter_head(w, "filter[", filter->name, "]", filter->description);
	if (filter->required)
		raw(w, "required", "true");
	object(w, "schema");
	if (filter->type == FIELD_ENUM) {
		member(w, "type", "array");
		object(w, "items");
		values(w, filter->values);
		end(w, '}');
	} else {
		type_members(w, filter->type, false);
	}
	end(w, '}');
	if (filter->type == FIELD_ENUM) {
		member(w, "style", "form");
		raw(w, "explode", "false");
	}
	end(w, '}');
}

static void
sort_parameter(struct writer *w, const struct resource *r)
{
	parameter_head(
	    w, "", "sort", "", "The order; - before it: descending.");
	object(w, "schema");
	member(w, "default", r->sort);
	array(w, "enum");
	for (const struct sql_sort *sort = r->list; sort->name != NULL;
	     sort++) {
		next(w);
		text(w, sort->name);
		next(w);
		buf_puts(w->b, "\"-");
		buf_puts(w->b, sort->name);
		buf_putc(w->b, '"');
	}
	end(w, ']');
	end(w, '}');
	end(w, '}');
}

static void
common_parameters(struct writer *w, const struct resource *r)
{
	parameter(w, "fields[", r->type, "]",
	    "Names of the fields and relationships to answer with.");
	parameter(w, "", "include", "", "Relationships to load as well.");
}

static void
list_parameters(struct writer *w, const struct resource *r)
{
	array(w, "parameters");
	for (const struct filter *f = r->filters; f->name != NULL; f++)
		filter_parameter(w, f);
	sort_parameter(w, r);
	parameter_head(w, "", "page[size]", "", "Resources on a page.");
	raw(w, "schema",
	    "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000,"
	    "\"default\":100}");
	end(w, '}');
	parameter(w, "", "page[after]", "",
	    "Where the page before ended, as in its link \"next\".");
	common_parameters(w, r);
	end(w, ']');
}

/* Of everything that answers with one resource. */
static void
one_parameters(struct writer *w, const struct resource *r)
{
	array(w, "parameters");
	common_parameters(w, r);
	end(w, ']');
}

/* --- operations ----------------------------------------------------------- */

static void
operation(struct writer *w, const char *method, const char *verb,
    const struct resource *r, const char *summary)
{
	object(w, method);
	key(w, "operationId");
	buf_putc(w->b, '"');
	buf_puts(w->b, verb);
	buf_putc(w->b, ':');
	buf_puts(w->b, r->type);
	buf_putc(w->b, '"');
	member(w, "summary", summary);
	array(w, "tags");
	next(w);
	text(w, r->type);
	end(w, ']');
}

static void
media(struct writer *w, const struct resource *r, const char *suffix, bool many)
{
	char name[64] = "";

	strncat(name, r->type, 40);
	strncat(name, suffix, 20);
	object(w, "application/vnd.api+json");
	object(w, "schema");
	member(w, "type", "object");
	object(w, "properties");
	if (many) {
		object(w, "data");
		member(w, "type", "array");
		reference(w, "items", "schemas", name);
		end(w, '}');
	} else {
		reference(w, "data", "schemas", name);
	}
	end(w, '}');
	end(w, '}');
	end(w, '}');
}

static const char yaml_media[] = "{\"schema\":{\"type\":\"string\"}}";

static void
responses(struct writer *w, const struct resource *r, const char *status,
    bool many, bool yaml)
{
	object(w, "responses");
	object(w, status);
	member(w, "description", r->title);
	if (strcmp(status, "204") != 0) {
		object(w, "content");
		media(w, r, "", many);
		if (yaml)
			raw(w, "application/yaml", yaml_media);
		end(w, '}');
	}
	end(w, '}');
	reference(w, "default", "responses", "error");
	end(w, '}');
	end(w, '}');
}

static void
request_body(
    struct writer *w, const struct resource *r, const char *suffix, bool yaml)
{
	object(w, "requestBody");
	raw(w, "required", "true");
	object(w, "content");
	media(w, r, suffix, false);
	if (yaml)
		raw(w, "application/yaml", yaml_media);
	end(w, '}');
	end(w, '}');
}

static void
path(struct writer *w, const char *base, const char *rest, const char *action)
{
	next(w);
	buf_putc(w->b, '"');
	buf_puts(w->b, base);
	buf_puts(w->b, rest);
	buf_puts(w->b, action);
	buf_puts(w->b, "\":{");
	w->first = true;
}

static void
create_operation(struct writer *w, const struct resource *r)
{
	operation(w, "post", "create", r, "Make one.");
	one_parameters(w, r);
	request_body(w, r, "-create", r->operations & RESOURCE_YAML);
	responses(w, r, "201", false, false);
}

static void
collection_path(struct writer *w, const struct resource *r)
{
	path(w, r->path, "", "");
	if (r->operations & RESOURCE_LIST) {
		operation(w, "get", "list", r, "A page of them.");
		list_parameters(w, r);
		responses(w, r, "200", true, false);
	}
	if (r->operations & RESOURCE_CREATE)
		create_operation(w, r);
	end(w, '}');
}

static const char id_parameter[] =
    "[{\"name\":\"id\",\"in\":\"path\",\"required\":true,\"schema\":"
    "{\"type\":\"string\",\"format\":\"uuid\"}}]";

static void
one_path(struct writer *w, const struct resource *r)
{
	bool yaml = r->operations & RESOURCE_YAML;

	path(w, r->path, "/{id}", "");
	raw(w, "parameters", id_parameter);
	operation(w, "get", "get", r, "One of them.");
	one_parameters(w, r);
	responses(w, r, "200", false, yaml);
	if (r->operations & RESOURCE_UPDATE) {
		operation(w, "patch", "update", r, "Change one.");
		one_parameters(w, r);
		request_body(w, r, "-update", yaml);
		responses(w, r, "200", false, false);
	}
	if (r->operations & RESOURCE_DELETE) {
		operation(w, "delete", "delete", r, "Delete one.");
		responses(w, r, "204", false, false);
	}
	end(w, '}');
}

static void
action_path(
    struct writer *w, const struct resource *r, const struct action *action)
{
	path(w, r->path, "/{id}/", action->name);
	raw(w, "parameters", id_parameter);
	operation(w, "post", action->name, r, action->description);
	one_parameters(w, r);
	if (action->fields != NULL) {
		object(w, "requestBody");
		raw(w, "required", "false");
		object(w, "content");
		object(w, "application/vnd.api+json");
		object(w, "schema");
		member(w, "type", "object");
		object(w, "properties");
		object(w, "data");
		member(w, "type", "object");
		object(w, "properties");
		attributes_schema(w, action->fields, FIELD_UPDATE);
		for (unsigned i = 0; i < 7; i++)
			end(w, '}');
	}
	responses(w, r, action->status, false, false);
	end(w, '}');
}

/* Lists below a resource, such as /dags/{id}/versions. */
static void
related_paths(struct writer *w, const struct resource *r)
{
	for (const struct relation *e = r->relations; e->name != NULL; e++) {
		const struct resource *target = resource_find(e->type);
		const char *rest;

		if (e->path == NULL || target == NULL)
			continue;
		rest = strstr(e->path, "%s") + 2;
		path(w, r->path, "/{id}", rest);
		raw(w, "parameters", id_parameter);
		operation(w, "get", e->name, r, e->description);
		list_parameters(w, target);
		responses(w, target, "200", true, false);
		if (target->operations & RESOURCE_CREATE_BELOW)
			create_operation(w, target);
		end(w, '}');
	}
}

void
openapi_write(struct buf *b)
{
	struct writer w = {b, true};

	object(&w, NULL);
	member(&w, "openapi", "3.1.0");
	raw(&w, "info",
	    "{\"title\":\"OPEN\",\"version\":\"1\",\"description\":"
	    "\"DAGs, their versions and their executions, as JSON:API 1.1.\"}");
	raw(&w, "security", "[{\"token\":[]}]");
	object(&w, "paths");
	raw(&w, "/api/v1/auth/password-reset", openapi_reset_ask);
	raw(&w, "/api/v1/auth/password-reset/confirm", openapi_reset_use);
	for (const struct resource *const *r = resource_table; *r != NULL;
	     r++) {
		if ((*r)->operations != 0)
			collection_path(&w, *r);
		if ((*r)->operations & RESOURCE_GET)
			one_path(&w, *r);
		for (const struct action *a = (*r)->actions; a->name; a++)
			action_path(&w, *r, a);
		related_paths(&w, *r);
	}
	raw(&w, "/api/v1/ops", openapi_ops);
	openapi_forms(b);
	end(&w, '}');
	components(&w);
	end(&w, '}');
}
