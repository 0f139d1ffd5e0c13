/* params.c - values, as PostgreSQL takes them. */
#include "graphql/params.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "graphql/cursor.h"
#include "graphql/input.h"

#define ITEMS_MAX  10000
#define OFFSET_MAX 1000000000

struct making {
	struct mem *mem;
	const struct json *variables;
	struct sql_params *out;
	struct gql_error *e;
};

static int
refuse(struct making *k, const struct plan_input *in, const char *what)
{
	return gql_fail(k->e, "invalid_argument", in->at, "%s", what);
}

/* --- durations: ISO 8601, or a document's --------------------------------- */

static bool
read_part(const char **p, const char *end, int64_t unit_us, int64_t *sum)
{
	int64_t n = 0, scale = unit_us;
	unsigned digits = 0;

	for (; *p < end && **p >= '0' && **p <= '9' && digits < 9;
	     (*p)++, digits++)
		n = n * 10 + (**p - '0');
	if (digits == 0)
		return false;
	*sum += n * unit_us;
	if (*p == end || **p != '.')
		return true;
	for ((*p)++; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		scale /= 10;
		*sum += (**p - '0') * scale;
	}
	return true;
}

static bool
read_iso(const char *p, const char *end, int64_t *us)
{
	static const struct {
		char letter;
		bool time;
		int64_t us;
	} units[] = {{'W', false, INT64_C(604800000000)},
	    {'D', false, INT64_C(86400000000)},
	    {'H', true, INT64_C(3600000000)}, {'M', true, INT64_C(60000000)},
	    {'S', true, 1000000}};
	bool time = false, any = false;
	unsigned i = 0;

	for (*us = 0; p < end; any = true) {
		const char *digits;
		size_t n;

		if (*p == 'T' && !time) {
			time = true;
			p++;
		}
		digits = p;
		n = strspn(digits, "0123456789.");
		while (i < 5 &&
		       !(units[i].letter == digits[n] && units[i].time == time))
			i++;
		if (i == 5 || !read_part(&p, end, units[i].us, us) ||
		    p != digits + n)
			return false;
		p++;
	}
	return any;
}

bool
params_duration(const char *text, size_t len, int64_t *us)
{
	int64_t ns;

	if (len > 1 && *text == 'P')
		return read_iso(text + 1, text + len, us);
	if (!duration_parse(text, len, &ns))
		return false;
	*us = ns / 1000;
	return true;
}

/* --- a value -------------------------------------------------------------- */

/* An id that is none exists nowhere. */
static const char *
id_text(struct making *k, const char *text, size_t len)
{
	struct uuid id;

	return uuid_parse(text, len, &id)
		   ? text
		   : mem_strdup(k->mem, "00000000-0000-0000-0000-000000000000");
}

static const char *
enum_text(struct making *k, const char *text)
{
	char *lower = mem_strdup(k->mem, text);

	for (char *p = lower; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
		else if (*p == '_')
			*p = '-';
	return lower;
}

static const char *
time_text(struct making *k, const char *text, size_t len)
{
	char out[TIME_TEXT];
	int64_t us;

	if (!time_parse(text, len, &us))
		return NULL;
	time_format(us, out);
	return mem_strdup(k->mem, out);
}

static const char *
milliseconds(struct making *k, const char *text, size_t len)
{
	int64_t us;

	if (!params_duration(text, len, &us))
		return NULL;
	return mem_printf(k->mem, "%lld.%03lld", (long long)(us / 1000),
	    (long long)(us % 1000));
}

static bool
is_number(const char *text)
{
	char *end;

	strtod(text, &end);
	return *end == '\0' && end != text &&
	       strspn(text, "+-0123456789.eE") == strlen(text) &&
	       strlen(text) <= 60;
}

/* NULL: it can't be. */
static const char *
value_text(
    struct making *k, enum graph_scalar scalar, const struct plan_input *in)
{
	size_t len;
	const char *text = input_text(k->mem, in, &len);

	if (text == NULL || strlen(text) != len)
		return NULL;
	switch (scalar) {
	case GRAPH_ID:
	case GRAPH_UUID:
		return id_text(k, text, len);
	case GRAPH_ENUM:
		return enum_text(k, text);
	case GRAPH_DATETIME:
		return time_text(k, text, len);
	case GRAPH_DURATION:
		return milliseconds(k, text, len);
	case GRAPH_INT:
		return resource_integer(text, INT32_MIN, INT32_MAX) ? text
								    : NULL;
	case GRAPH_FLOAT:
		return is_number(text) ? text : NULL;
	case GRAPH_BOOLEAN:
	case GRAPH_STRING:
	case GRAPH_JSON:
		break;
	}
	return text;
}

static int
put_value(struct making *k, const struct plan_param *p)
{
	struct plan_input in = input_again(&p->value, k->variables);
	const char *text;

	if (!input_present(&in)) {
		sql_null(k->out);
		return 0;
	}
	if ((text = value_text(k, p->scalar, &in)) == NULL)
		return refuse(k, &in, "The value is not of its type.");
	sql_text(k->out, text);
	return 0;
}

static int
put_list(struct making *k, const struct plan_param *p)
{
	struct plan_input in = input_again(&p->value, k->variables);
	const struct gql_value *v;
	unsigned count = input_item_count(&in);
	const char **items = mem_array(k->mem, count + 1, sizeof(*items));

	if (count > ITEMS_MAX)
		return refuse(k, &in, "The list is too long.");
	if (items == NULL)
		return gql_fail(k->e, "out_of_memory", in.at, "Out of memory.");
	v = in.ast != NULL && in.ast->kind == GQL_VALUE_LIST ? in.ast->items
							     : NULL;
	for (unsigned i = 0; i < count; i++) {
		struct plan_input item =
		    v != NULL ? input_of(k->mem, k->variables, v)
			      : input_item(k->mem, k->variables, &in, i);

		if ((items[i] = value_text(k, p->scalar, &item)) == NULL)
			return refuse(
			    k, &in, "A value of the list is not of its type.");
		v = v != NULL ? v->next : NULL;
	}
	sql_text_array(k->out, items, count);
	return 0;
}

/* --- pages ---------------------------------------------------------------- */

static bool
integer(struct mem *m, const struct plan_input *in, int64_t max, int64_t *out)
{
	size_t len;
	const char *text = input_text(m, in, &len);

	if (text == NULL || !resource_integer(text, 0, max))
		return false;
	*out = strtoll(text, NULL, 10);
	return true;
}

int64_t
params_page_size(struct mem *m, const struct plan_page *page,
    const struct json *variables, struct gql_error *e)
{
	struct plan_input in = input_again(&page->size, variables);
	int64_t size;

	if (!input_present(&in))
		return page->size_default;
	if (!integer(m, &in, page->size_max, &size))
		return gql_fail(e, "invalid_argument", in.at,
		    "A page has from 0 to %u rows.", page->size_max);
	return size;
}

static int
put_limit(struct making *k, const struct plan_page *page)
{
	int64_t size = params_page_size(k->mem, page, k->variables, k->e);

	if (size < 0)
		return -1;
	sql_int(k->out, size + page->more);
	return 0;
}

static int
put_offset(struct making *k, const struct plan_param *p)
{
	struct plan_input in = input_again(&p->value, k->variables);
	int64_t offset;

	if (!integer(k->mem, &in, OFFSET_MAX, &offset))
		return refuse(k, &in, "offset is from 0 to 1,000,000,000.");
	sql_int(k->out, offset);
	return 0;
}

static int
put_cursor(struct making *k, const struct plan_param *p)
{
	struct plan_input in = input_again(&p->value, k->variables);
	size_t len;
	const char *text = input_text(k->mem, &in, &len), *value;

	if (text == NULL ||
	    !cursor_value(k->mem, p->page, text, p->key, &value))
		return gql_fail(k->e, "invalid_cursor", in.at,
		    "This is not a cursor of this list in this order.");
	sql_text(k->out, value);
	return 0;
}

static int
put_param(struct making *k, const struct plan_param *p, const struct uuid *user,
    const struct uuid *subject)
{
	switch (p->kind) {
	case PARAM_USER:
		sql_uuid(k->out, user);
		return 0;
	case PARAM_SUBJECT:
		sql_uuid(k->out, subject);
		return 0;
	case PARAM_VALUE:
		return put_value(k, p);
	case PARAM_LIST:
		return put_list(k, p);
	case PARAM_LIMIT:
		return put_limit(k, p->page);
	case PARAM_OFFSET:
		return put_offset(k, p);
	case PARAM_CURSOR:
		return put_cursor(k, p);
	}
	return -1;
}

int
params_make(const struct plan_root *root, const struct json *variables,
    const struct uuid *user, const struct uuid *subject, struct sql_params *out,
    struct gql_error *e)
{
	struct making k = {out->mem, variables, out, e};

	for (unsigned i = 0; i < root->param_count; i++)
		if (put_param(&k, &root->params[i], user, subject) != 0)
			return -1;
	return 0;
}
