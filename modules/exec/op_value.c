/* op_value.c - JSON if it is some, else text. */
#include "exec/op_value.h"

#include <math.h>
#include <string.h>

#include "exec/op_call.h"

/* Numbers that jsonb can't hold: "numeric" ends at 16,383 places behind the
 * point, and nobody needs more than a double's range. */
static bool
fits_jsonb(const struct json *v)
{
	if (v->type == JSON_NUMBER)
		return isfinite(v->number) &&
		       (v->text == NULL ||
			   (strlen(v->text) < 1000 &&
			       (fabs(v->number) > 1e-300 ||
				   strpbrk(v->text, "eE") == NULL)));
	for (uint32_t i = 0; v->type == JSON_ARRAY && i < v->count; i++)
		if (!fits_jsonb(v->items[i]))
			return false;
	for (uint32_t i = 0; v->type == JSON_OBJECT && i < v->count; i++)
		if (!fits_jsonb(v->members[i].value))
			return false;
	return true;
}

const struct json *
op_value_json(struct mem *m, const char *data, size_t len)
{
	static const struct json_options options = {
	    .replace_bad_text = true, .allow_duplicates = true};
	const struct json *v;
	struct err e;

	if (json_parse(m, data, len, &options, &v, &e) != 0 || !fits_jsonb(v))
		return NULL;
	return v;
}

const struct json *
op_value_text(struct mem *m, const char *data, size_t len)
{
	const char *text = op_text(m, data, len, &len);

	return text != NULL ? json_string(m, text, len) : NULL;
}
