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

	if (!time_parse(value, strlen(value), &at))
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
		if (!resource_integer(value, INT32_MIN, INT32_MAX))
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
	case FIELD_VALUE:
	case FIELD_LIST:
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
		if (!(r->fields[i].flags & FIELD_WRITE_ONLY) &&
		    strlen(r->fields[i].name) == len &&
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

static int
parse_cursor(struct parse *p)
{
	const char *given = take(p, "page[after]");

	if (given == NULL || resource_cursor_parse(p->query, given, p->mem))
		return 0;
	return refuse(p, "invalid_cursor", "page[after]",
	    "page[after] takes what a link of a page with the same sort "
	    "holds.");
}

static int
parse_page(struct parse *p)
{
	const char *size = take(p, "page[size]");

	p->query->size = RESOURCE_PAGE_DEFAULT;
	if (size != NULL) {
		if (!resource_integer(size, 1, RESOURCE_PAGE_MAX))
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
