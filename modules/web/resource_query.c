/* resource_query.c - query parameters of a resource: checked against its
 * tables, turned into SQL parameters. Knows no request: see query_source.
 */
#include "web/resource.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

struct parse {
	struct resource_query *query;
	const struct resource *resource;
	const struct query_source *source;
	struct mem *mem;
	struct query_fault *fault;
};

/* What a client sent may be no UTF-8, or cut in a character. */
static void
clean(char *text)
{
	size_t len = strlen(text), good;

	while ((good = utf8_valid(text, len)) < len)
		text[good] = '?';
}

static int __attribute__((format(printf, 4, 5))) refuse(struct parse *p,
    const char *code, const char *parameter, const char *fmt, ...)
{
	va_list ap;

	p->fault->code = code;
	p->fault->parameter = parameter;
	va_start(ap, fmt);
	vsnprintf(p->fault->message, sizeof(p->fault->message), fmt, ap);
	va_end(ap);
	clean(p->fault->message);
	return -1;
}

/* A given parameter is remembered, for links. */
static const char *
take(struct parse *p, const char *name)
{
	struct resource_query *q = p->query;
	const char *value = p->source->get(p->source->ctx, name);

	if (value == NULL)
		return NULL;
	assert(q->given_count < sizeof(q->given) / sizeof(q->given[0]));
	q->given[q->given_count][0] = name;
	q->given[q->given_count++][1] = value;
	return value;
}

/* --- values ------------------------------------------------------------- */

/* Days from 1970-01-01 of a proleptic Gregorian date. */
static int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int
days_in_month(int y, int m)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap);
}

/* Exactly n digits; -1: something else. */
static int
digits(const char **s, const char *end, int n)
{
	int value = 0;

	for (; n > 0; n--) {
		if (*s == end || **s < '0' || **s > '9')
			return -1;
		value = value * 10 + (*(*s)++ - '0');
	}
	return value;
}

static bool
literal(const char **s, const char *end, char c)
{
	if (*s == end || **s != c)
		return false;
	++*s;
	return true;
}

/* "Z", "+02", "+0200" or "+02:00", in minutes. */
static bool
parse_offset(const char **s, const char *end, int *minutes)
{
	int sign, h, m = 0;

	if (literal(s, end, 'Z') || literal(s, end, 'z')) {
		*minutes = 0;
		return true;
	}
	if (literal(s, end, '+') || literal(s, end, ' '))
		sign = 1; /* an unescaped + in a URL is a space */
	else if (literal(s, end, '-'))
		sign = -1;
	else
		return false;
	h = digits(s, end, 2);
	if (*s != end) {
		literal(s, end, ':');
		m = digits(s, end, 2);
	}
	*minutes = sign * (h * 60 + m);
	return h >= 0 && h <= 15 && m >= 0 && m <= 59;
}

bool
resource_time_parse(const char *text, size_t len, int64_t *real_us)
{
	const char *s = text, *end = text + len;
	int y, mon, d, h, min, sec, us = 0, scale = 100000, offset;

	if ((y = digits(&s, end, 4)) < 1 || !literal(&s, end, '-') ||
	    (mon = digits(&s, end, 2)) < 1 || mon > 12 ||
	    !literal(&s, end, '-') || (d = digits(&s, end, 2)) < 1 ||
	    d > days_in_month(y, mon))
		return false;
	if (!literal(&s, end, 'T') && !literal(&s, end, 't') &&
	    !literal(&s, end, ' '))
		return false;
	if ((h = digits(&s, end, 2)) < 0 || h > 23 || !literal(&s, end, ':') ||
	    (min = digits(&s, end, 2)) < 0 || min > 59 ||
	    !literal(&s, end, ':') || (sec = digits(&s, end, 2)) < 0 ||
	    sec > 59)
		return false;
	if (literal(&s, end, '.')) {
		if (s == end || *s < '0' || *s > '9')
			return false;
		for (; s < end && *s >= '0' && *s <= '9'; s++, scale /= 10)
			us += (*s - '0') * scale;
	}
	if (!parse_offset(&s, end, &offset) || s != end)
		return false;
	*real_us = ((days_from_civil(y, mon, d) * 24 + h) * 60 + min - offset) *
		       60 * INT64_C(1000000) +
		   sec * INT64_C(1000000) + us;
	return true;
}

static bool
is_integer(const char *text, long long min, long long max)
{
	char *end;
	long long n;

	if (*text == '\0' || strlen(text) > 20 ||
	    strspn(text, "-0123456789") != strlen(text))
		return false;
	n = strtoll(text, &end, 10);
	return *end == '\0' && n >= min && n <= max;
}

static bool
is_one_of(const char *text, size_t len, const char *const *values)
{
	for (; *values != NULL; values++)
		if (strlen(*values) == len && memcmp(*values, text, len) == 0)
			return true;
	return false;
}

static char *
list_of(const char *const *values, struct mem *mem)
{
	char *text = mem_printf(mem, "%s", values[0]);

	for (unsigned i = 1; values[i] != NULL && text != NULL; i++)
		text = mem_printf(mem, "%s, %s", text, values[i]);
	return text;
}

/* --- filters ------------------------------------------------------------ */

/* "a,b" as the array "{a,b}"; every part must be one of the values. */
static int
filter_enum(struct parse *p, const struct filter *filter, const char *name,
    const char *value, const char **out)
{
	for (const char *s = value;; s++) {
		size_t len = strcspn(s, ",");

		if (!is_one_of(s, len, filter->values))
			return refuse(p, "invalid_parameter", name,
			    "%s takes one or several of: %s.", name,
			    list_of(filter->values, p->mem));
		s += len;
		if (*s == '\0')
			break;
	}
	*out = mem_printf(p->mem, "{%s}", value);
	return 0;
}

static int
filter_time(
    struct parse *p, const char *name, const char *value, const char **out)
{
	char text[TIME_TEXT];
	int64_t at;

	if (!resource_time_parse(value, strlen(value), &at))
		return refuse(p, "invalid_parameter", name,
		    "%s takes a time such as 2026-11-23T15:00:00Z.", name);
	time_format(at, text);
	*out = mem_strdup(p->mem, text);
	return 0;
}

static int
filter_value(struct parse *p, const struct filter *filter, const char *name,
    const char *value, const char **out)
{
	struct uuid id;

	*out = value;
	switch (filter->type) {
	case FIELD_ENUM:
		return filter_enum(p, filter, name, value, out);
	case FIELD_TIME:
		return filter_time(p, name, value, out);
	case FIELD_UUID:
		if (!uuid_parse(value, strlen(value), &id))
			return refuse(p, "invalid_parameter", name,
			    "%s takes an id (a UUID).", name);
		return 0;
	case FIELD_INTEGER:
		if (!is_integer(value, INT32_MIN, INT32_MAX))
			return refuse(p, "invalid_parameter", name,
			    "%s takes an integer.", name);
		return 0;
	case FIELD_BOOLEAN:
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
			return refuse(p, "invalid_parameter", name,
			    "%s takes true or false.", name);
		return 0;
	case FIELD_TEXT:
	case FIELD_NUMBER:
	case FIELD_JSON:
		break;
	}
	if (utf8_valid(value, strlen(value)) != strlen(value))
		return refuse(p, "invalid_parameter", name,
		    "%s is not valid UTF-8.", name);
	return 0;
}

static int
parse_filters(struct parse *p)
{
	const struct filter *filter = p->resource->filters;

	for (unsigned i = 0; filter->name != NULL; filter++, i++) {
		const char *fixed = p->source->fixed;
		char *name = mem_printf(p->mem, "filter[%s]", filter->name);
		const char *value;

		assert(i < RESOURCE_FILTERS_MAX);
		if (fixed != NULL && strcmp(fixed, filter->name) == 0) {
			p->query->filters[i] = p->source->fixed_value;
			continue;
		}
		value = name != NULL ? take(p, name) : NULL;
		if (value == NULL && filter->required)
			return refuse(p, "missing_parameter", name,
			    "%s is needed here.", name);
		if (value != NULL && filter_value(p, filter, name, value,
					 &p->query->filters[i]) != 0)
			return -1;
	}
	return 0;
}

/* --- fields and include -------------------------------------------------- */

static bool
fieldset_add(struct fieldset *set, const struct resource *r, const char *name,
    size_t len)
{
	for (unsigned i = 0; r->fields[i].name != NULL; i++)
		if (strlen(r->fields[i].name) == len &&
		    memcmp(r->fields[i].name, name, len) == 0) {
			set->fields |= UINT64_C(1) << i;
			return true;
		}
	for (unsigned i = 0; r->relations[i].name != NULL; i++)
		if (strlen(r->relations[i].name) == len &&
		    memcmp(r->relations[i].name, name, len) == 0) {
			set->relations |= UINT64_C(1) << i;
			return true;
		}
	return false;
}

static int
parse_fieldset(struct parse *p, const struct resource *r, struct fieldset *set)
{
	char *name = mem_printf(p->mem, "fields[%s]", r->type);
	const char *s = name != NULL ? take(p, name) : NULL;

	*set = resource_fieldset(r, p->query->mode);
	if (s == NULL)
		return 0;
	*set = (struct fieldset){0, 0};
	while (*s != '\0') {
		size_t len = strcspn(s, ",");

		if (!fieldset_add(set, r, s, len))
			return refuse(p, "unknown_field", name,
			    "%s have no field \"%.*s\".", r->type,
			    len > 80 ? 80 : (int)len, s);
		s += len;
		s += *s == ',';
	}
	return 0;
}

static bool
can_include(const struct relation *relation, enum resource_mode mode)
{
	return relation->target != NULL &&
	       (relation->many == NULL || mode == RESOURCE_ONE);
}

/* dag_version stands for dag-version. */
static bool
same_name(const char *name, const char *text, size_t len)
{
	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] != (text[i] == '_' ? '-' : text[i]))
			return false;
	return true;
}

static int
include_one(struct parse *p, const char *name, size_t len)
{
	struct resource_query *q = p->query;
	const struct relation *relation = p->resource->relations;

	while (
	    relation->name != NULL && !(can_include(relation, q->mode) &&
					  same_name(relation->name, name, len)))
		relation++;
	if (relation->name == NULL)
		return refuse(p, "invalid_include", "include",
		    "\"%.*s\" can't be included here.",
		    len > 80 ? 80 : (int)len, name);
	for (unsigned i = 0; i < q->include_count; i++)
		if (q->include[i].relation == relation)
			return 0;
	assert(q->include_count < RESOURCE_INCLUDES_MAX);
	q->include[q->include_count++].relation = relation;
	return 0;
}

static int
parse_include(struct parse *p)
{
	struct resource_query *q = p->query;
	const char *s = take(p, "include");

	while (s != NULL && *s != '\0') {
		size_t len = strcspn(s, ",");

		if (include_one(p, s, len) != 0)
			return -1;
		s += len;
		s += *s == ',';
	}
	for (unsigned i = 0; i < q->include_count; i++) {
		unsigned at =
		    (unsigned)(q->include[i].relation - p->resource->relations);

		if (parse_fieldset(p, q->include[i].relation->target,
			&q->include[i].fieldset) != 0)
			return -1;
		q->fieldset.relations |= UINT64_C(1) << at;
	}
	return 0;
}

/* --- order and page ------------------------------------------------------ */

static int
parse_sort(struct parse *p)
{
	struct resource_query *q = p->query;
	const char *given = take(p, "sort");
	const char *name = given != NULL ? given : p->resource->sort;
	const struct sql_sort *sort = p->resource->list;
	char *known = NULL;

	q->descending = name[0] == '-';
	name += q->descending;
	for (; sort->name != NULL; sort++) {
		if (strcmp(sort->name, name) == 0)
			break;
		known = known == NULL
			    ? mem_strdup(p->mem, sort->name)
			    : mem_printf(p->mem, "%s, %s", known, sort->name);
	}
	if (sort->name == NULL)
		return refuse(p, "invalid_sort", "sort",
		    "Sort by one of: %s; with - before it, descending.", known);
	q->sort = sort;
	q->sort_field = resource_field(p->resource, sort->name);
	assert(q->sort_field != NULL);
	return 0;
}

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *
base64_encode(const char *text, size_t len, struct mem *mem)
{
	char *out = mem_alloc(mem, len / 3 * 4 + 5);
	char *o = out;
	uint32_t bits = 0;
	unsigned have = 0;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | (unsigned char)text[i];
		for (have += 8; have >= 6; have -= 6)
			*o++ = base64[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*o++ = base64[bits << (6 - have) & 63];
	*o = '\0';
	return out;
}

static char *
base64_decode(const char *text, struct mem *mem)
{
	char *out = mem_alloc(mem, strlen(text) + 1);
	char *o = out;
	uint32_t bits = 0;
	unsigned have = 0;

	for (; out != NULL && *text != '\0'; text++) {
		const char *at = strchr(base64, *text);

		if (at == NULL)
			return NULL;
		bits = bits << 6 | (uint32_t)(at - base64);
		have += 6;
		if (have >= 8) {
			have -= 8;
			*o++ = (char)(bits >> have & 0xff);
		}
	}
	return out;
}

/* The decoded text: direction, id, name of the order, ":", value. Times are
 * microseconds or "infinity"; sorted by id, the value is empty. */
char *
resource_cursor(const struct resource_query *q, const char *value,
    const struct uuid *id, struct mem *mem)
{
	char id_text[UUID_TEXT], number[24];
	char *text;
	int64_t at;

	uuid_format(id, id_text);
	if (q->sort_field->flags & FIELD_BY_ID) {
		value = "";
	} else if (q->sort_field->type == FIELD_TIME) {
		if (value != NULL &&
		    resource_time_parse(value, strlen(value), &at)) {
			snprintf(number, sizeof(number), "%lld", (long long)at);
			value = number;
		} else {
			value = "infinity";
		}
	}
	text = mem_printf(mem, "%c%s%s:%s", q->descending ? '-' : '+', id_text,
	    q->sort->name, value != NULL ? value : "");
	return text != NULL ? base64_encode(text, strlen(text), mem) : NULL;
}

/* The cursor's value as SQL text; NULL: not a value of the order's type. */
static const char *
cursor_value(const struct resource_query *q, const char *value, struct mem *m)
{
	char text[TIME_TEXT];

	if (q->sort_field->flags & FIELD_BY_ID) {
		char id[UUID_TEXT];

		uuid_format(&q->after_id, id);
		return *value == '\0' ? mem_strdup(m, id) : NULL;
	}
	if (q->sort_field->type == FIELD_TIME) {
		if (strcmp(value, "infinity") == 0)
			return value;
		if (!is_integer(value, INT64_C(-62135596800000000),
			INT64_C(253402300799999999)))
			return NULL;
		time_format(strtoll(value, NULL, 10), text);
		return mem_strdup(m, text);
	}
	if (q->sort_field->type == FIELD_INTEGER)
		return is_integer(value, INT32_MIN, INT32_MAX) ? value : NULL;
	return utf8_valid(value, strlen(value)) == strlen(value) ? value : NULL;
}

static int
parse_cursor(struct parse *p)
{
	struct resource_query *q = p->query;
	const char *given = take(p, "page[after]");
	size_t name_len = strlen(q->sort->name);
	char *text;

	if (given == NULL)
		return 0;
	text = strlen(given) <= 4096 ? base64_decode(given, p->mem) : NULL;
	if (text == NULL || strlen(text) < 37 + name_len + 1 ||
	    text[0] != (q->descending ? '-' : '+') ||
	    !uuid_parse(text + 1, 36, &q->after_id) ||
	    memcmp(text + 37, q->sort->name, name_len) != 0 ||
	    text[37 + name_len] != ':' ||
	    (q->after_value =
		    cursor_value(q, text + 37 + name_len + 1, p->mem)) == NULL)
		return refuse(p, "invalid_cursor", "page[after]",
		    "page[after] takes what a link of a page with the same "
		    "sort holds.");
	return 0;
}

static int
parse_page(struct parse *p)
{
	const char *size = take(p, "page[size]");

	p->query->size = RESOURCE_PAGE_DEFAULT;
	if (size != NULL) {
		if (!is_integer(size, 1, RESOURCE_PAGE_MAX))
			return refuse(p, "invalid_parameter", "page[size]",
			    "page[size] is between 1 and %d.",
			    RESOURCE_PAGE_MAX);
		p->query->size = (unsigned)strtoul(size, NULL, 10);
	}
	return parse_cursor(p);
}

/* ------------------------------------------------------------------------ */

int
resource_query_parse(struct resource_query *q, const struct resource *r,
    enum resource_mode mode, const struct query_source *source, struct mem *mem,
    struct query_fault *fault)
{
	struct parse p = {q, r, source, mem, fault};

	memset(q, 0, sizeof(*q));
	q->resource = r;
	q->mode = mode;
	if (parse_fieldset(&p, r, &q->fieldset) != 0 || parse_include(&p) != 0)
		return -1;
	if (mode == RESOURCE_MANY &&
	    (parse_filters(&p) != 0 || parse_sort(&p) != 0 ||
		parse_page(&p) != 0))
		return -1;
	if (mem_failed(mem))
		return refuse(&p, "out_of_memory", NULL, "Out of memory.");
	return 0;
}

const char *const *
resource_parameters(const struct resource *r, enum resource_mode mode,
    const char *fixed, struct mem *mem)
{
	const char **names = mem_array(mem,
	    RESOURCE_FILTERS_MAX + RESOURCE_INCLUDES_MAX + 8, sizeof(*names));
	unsigned n = 0;

	if (names == NULL)
		return NULL;
	names[n++] = "include";
	names[n++] = mem_printf(mem, "fields[%s]", r->type);
	for (unsigned i = 0; r->relations[i].name != NULL; i++)
		if (can_include(&r->relations[i], mode))
			names[n++] = mem_printf(
			    mem, "fields[%s]", r->relations[i].target->type);
	if (mode == RESOURCE_MANY) {
		names[n++] = "sort";
		names[n++] = "page[size]";
		names[n++] = "page[after]";
		for (const struct filter *f = r->filters; f->name != NULL; f++)
			if (fixed == NULL || strcmp(f->name, fixed) != 0)
				names[n++] =
				    mem_printf(mem, "filter[%s]", f->name);
	}
	return mem_failed(mem) ? NULL : names;
}
