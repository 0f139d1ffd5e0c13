/* openapi_forms.c - the paths of forms.h in the OpenAPI document. */
#include <string.h>

#include "dag/json.h"
#include "web/forms.h"

static void
text(struct buf *b, const char *s)
{
	json_write_string(b, s, strlen(s));
}

static void
attribute(struct buf *b, const struct field *field, bool first)
{
	buf_puts(b, first ? "" : ",");
	text(b, field->name);
	buf_puts(b, field->type == FIELD_BOOLEAN ? ":{\"type\":\"boolean\""
						 : ":{\"type\":\"string\"");
	buf_puts(b, ",\"description\":");
	text(b, field->description);
	buf_putc(b, '}');
}

static void
required(struct buf *b, const struct field *field)
{
	bool first = true;

	buf_puts(b, "\"required\":[");
	for (; field->name != NULL; field++) {
		if (!(field->flags & FIELD_REQUIRED))
			continue;
		buf_puts(b, first ? "" : ",");
		text(b, field->name);
		first = false;
	}
	buf_puts(b, "],");
}

static void
body(struct buf *b, const struct form *form)
{
	buf_puts(b, "\"requestBody\":{\"required\":true,\"content\":"
		    "{\"application/vnd.api+json\":{\"schema\":{\"type\":"
		    "\"object\",\"required\":[\"data\"],\"properties\":"
		    "{\"data\":{\"type\":\"object\",\"required\":[\"type\","
		    "\"attributes\"],\"properties\":{\"type\":{\"const\":");
	text(b, form->type);
	buf_puts(b, "},\"attributes\":{\"type\":\"object\",");
	required(b, form->fields);
	buf_puts(b, "\"properties\":{");
	for (const struct field *field = form->fields; field->name != NULL;
	     field++)
		attribute(b, field, field == form->fields);
	buf_puts(b, "}}}}}}}}},");
}

/* Oneself: resource_profile. */
static const char profile[] =
    ",\"/api/v1/users/me\":{\"get\":{\"operationId\":\"getMe\","
    "\"tags\":[\"accounts\"],\"summary\":\"Oneself, a users resource.\","
    "\"responses\":{\"200\":{\"description\":\"Done.\"},\"default\":"
    "{\"$ref\":\"#/components/responses/error\"}}},"
    "\"patch\":{\"operationId\":\"updateMe\",\"tags\":[\"accounts\"],"
    "\"summary\":\"Changes one's own name.\",\"responses\":{\"200\":"
    "{\"description\":\"Done.\"},\"default\":"
    "{\"$ref\":\"#/components/responses/error\"}}}}";

void
openapi_forms(struct buf *b)
{
	buf_puts(b, profile);
	for (const struct form *const *f = form_table; *f != NULL; f++) {
		buf_putc(b, ',');
		text(b, (*f)->path);
		buf_puts(b, ":{\"post\":{\"operationId\":");
		text(b, (*f)->name);
		buf_puts(b, ",\"tags\":[\"accounts\"],\"summary\":");
		text(b, (*f)->description);
		buf_putc(b, ',');
		if ((*f)->open)
			buf_puts(b, "\"security\":[],");
		if ((*f)->fields != NULL)
			body(b, *f);
		buf_puts(b, "\"responses\":{\"");
		buf_puts(b, (*f)->status);
		buf_puts(b, "\":{\"description\":\"Done.\"},\"default\":"
			    "{\"$ref\":\"#/components/responses/error\"}}}}");
	}
}
