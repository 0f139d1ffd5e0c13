/* resource_flow.c - GET of a resource or a list: ask, write the rows, ask for
 * each include, answer. What is written while the flow waits is kept in its
 * memory, so a request that ends in between leaves nothing behind.
 */
#include "web/resource_flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define JSON_LINES "application/x-ndjson"

static const char *
get_parameter(void *ctx, const char *name)
{
	return flow_parameter(ctx, name);
}

/* JSON:API, and a list without includes also as lines of JSON. */
static bool
accepts(struct flow *f, enum resource_mode mode)
{
	struct resource_state *s = flow_state(f);
	const char *accept = flow_header(f, "accept");

	s->lines = mode == RESOURCE_MANY && accept != NULL &&
		   strcasestr(accept, JSON_LINES) != NULL;
	return s->lines || accept == NULL || *accept == '\0' ||
	       strstr(accept, "*/*") != NULL ||
	       strcasestr(accept, "application/*") != NULL ||
	       strcasestr(accept, "application/vnd.api+json") != NULL ||
	       strcasestr(accept, "application/json") != NULL;
}

static bool
check(struct flow *f, const struct resource *r, enum resource_mode mode,
    const char *fixed, const char *fixed_value)
{
	struct resource_state *s = flow_state(f);
	struct query_source source = {get_parameter, f, fixed, fixed_value};
	struct query_fault fault;
	const char *const *known =
	    resource_parameters(r, mode, fixed, flow_mem(f));
	const char *unknown;

	if (!accepts(f, mode)) {
		flow_fail(f, 406, "not_acceptable",
		    "Answers are application/vnd.api+json.");
		return false;
	}
	unknown = known != NULL ? flow_unknown_parameter(f, known) : NULL;
	if (unknown != NULL) {
		flow_fail_at(f, 400, "unknown_parameter", NULL, unknown,
		    "There is no such parameter here.");
		return false;
	}
	if (resource_query_parse(
		&s->query, r, mode, &source, flow_mem(f), &fault) != 0) {
		flow_fail_at(f, 400, fault.code, NULL, fault.parameter, "%s",
		    fault.message);
		return false;
	}
	if (s->lines && s->query.include_count > 0) {
		flow_fail_at(f, 400, "invalid_include", NULL, "include",
		    "Lines hold no included resources.");
		return false;
	}
	return true;
}

bool
resource_check(struct flow *f, const struct resource *r)
{
	return check(f, r, RESOURCE_ONE, NULL, NULL);
}

static char *
array_of_one(struct flow *f, const struct uuid *id)
{
	char text[UUID_TEXT];

	uuid_format(id, text);
	return mem_printf(flow_mem(f), "{%s}", text);
}

static enum flow_next
ask_ids(struct flow *f, const struct sql *sql, const struct resource *r,
    const char *ids, const struct fieldset *set)
{
	struct sql_params *params = flow_params(f);

	sql_uuid(params, &flow_actor(f)->organization);
	sql_text(params, ids);
	resource_long_params(params, r, set);
	return flow_query(f, sql);
}

enum flow_next
resource_written(
    struct flow *f, const struct resource *r, const struct uuid *id, int status)
{
	struct resource_state *s = flow_state(f);

	s->status = status;
	return ask_ids(f, r->get, r, array_of_one(f, id), &s->query.fieldset);
}

enum flow_next
resource_show(struct flow *f, const struct resource *r, const struct uuid *id)
{
	if (!resource_check(f, r))
		return FLOW_DONE;
	return resource_written(f, r, id, 200);
}

/* --- lists --------------------------------------------------------------- */

/* One plan for all filters reads every row of an organization; with a filter
 * the statement is planned for it. */
static const struct sql *
page_statement(struct flow *f, const struct sql *sql, bool filtered)
{
	struct sql *anew;

	if (!filtered || (anew = mem_alloc(flow_mem(f), sizeof(*anew))) == NULL)
		return sql;
	*anew = *sql;
	anew->key = "";
	return anew;
}

static enum flow_next
ask_page(struct flow *f)
{
	struct resource_state *s = flow_state(f);
	struct resource_query *q = &s->query;
	struct sql_params *params = flow_params(f);
	char id[UUID_TEXT];
	bool filtered = false;

	sql_uuid(params, &flow_actor(f)->organization);
	sql_int(params, q->size + 1);
	resource_long_params(params, q->resource, &q->fieldset);
	for (unsigned i = 0; q->resource->filters[i].name != NULL; i++) {
		sql_text(params, q->filters[i]);
		filtered = filtered || (q->filters[i] != NULL &&
					   !q->resource->filters[i].required);
	}
	if (q->after_value != NULL) {
		uuid_format(&q->after_id, id);
		sql_text(params, q->after_value);
		sql_text(params, mem_strdup(flow_mem(f), id));
	}
	return flow_query(
	    f, page_statement(f,
		   &q->sort->sql[q->descending][q->after_value != NULL],
		   filtered));
}

enum flow_next
resource_list(struct flow *f, const struct resource *r,
    const struct resource_parent *parent)
{
	struct resource_state *s = flow_state(f);
	char id[UUID_TEXT];

	s->path = r->path;
	if (parent == NULL) {
		if (!check(f, r, RESOURCE_MANY, NULL, NULL))
			return FLOW_DONE;
		return ask_page(f);
	}
	uuid_format(&parent->id, id);
	s->path = parent->path;
	s->parent = parent->resource;
	s->parent_id = parent->id;
	if (!check(f, r, RESOURCE_MANY, parent->filter,
		mem_strdup(flow_mem(f), id)))
		return FLOW_DONE;
	return ask_page(f);
}

/* The end of every answer. data and included may be NULL. */
static enum flow_next
reply(struct flow *f, struct buf *b)
{
	struct resource_state *s = flow_state(f);
	const char *location = NULL;
	int status = s->status != 0 ? s->status : 200;

	if (s->included_len > 0) {
		buf_puts(b, ",\"included\":[");
		buf_put(b, s->included, s->included_len);
		buf_putc(b, ']');
	}
	if (s->query.mode == RESOURCE_MANY)
		resource_links(b, s);
	else if (status == 201 || status == 202)
		location = mem_printf(flow_mem(f), "%s/%.36s",
		    s->query.resource->path, s->cells[0].text);
	buf_puts(b, ",\"jsonapi\":{\"version\":\"1.1\"}}");
	if (buf_failed(b)) {
		buf_free(b);
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	}
	return flow_reply(f, status, b, NULL, location);
}

/* One resource object a line; where they go on is told by a header. */
static enum flow_next
reply_lines(struct flow *f)
{
	struct resource_state *s = flow_state(f);
	struct cell cells[RESOURCE_COLUMNS_MAX];
	struct buf b, link;

	buf_create(&b, 0);
	for (unsigned i = 0; i < s->row_count; i++) {
		resource_row(flow_rows(f), (int)i, s->query.resource, cells);
		resource_write(
		    &b, s->query.resource, &s->query.fieldset, cells, NULL);
		buf_putc(&b, '\n');
	}
	if (s->next != NULL) {
		buf_create(&link, 0);
		buf_putc(&link, '<');
		resource_link(&link, s, s->next);
		buf_puts(&link, ">; rel=\"next\"");
		if (!buf_failed(&link))
			flow_answer_header(f, "link", link.data);
		buf_free(&link);
	}
	return flow_reply(f, 200, &b, JSON_LINES, NULL);
}

static enum flow_next
reply_one(struct flow *f)
{
	struct resource_state *s = flow_state(f);
	struct buf b;

	buf_create(&b, 0);
	buf_puts(&b, "{\"data\":");
	resource_write(
	    &b, s->query.resource, &s->query.fieldset, s->cells, s->links);
	return reply(f, &b);
}

static enum flow_next
reply_many(struct flow *f)
{
	struct resource_state *s = flow_state(f);
	struct buf b;

	buf_create(&b, 0);
	buf_put(&b, s->data, s->data_len);
	return reply(f, &b);
}

enum flow_next
resource_reply_cells(struct flow *f, const struct resource *r,
    const struct cell *cells, int status)
{
	struct resource_state *s = flow_state(f);

	assert(s->query.resource == r && s->query.mode == RESOURCE_ONE);
	s->status = status;
	s->cells = (struct cell *)cells;
	return reply_one(f);
}

/* --- rows and includes --------------------------------------------------- */

/* A buffer's bytes into the flow's memory. */
static enum flow_next
keep(struct flow *f, struct buf *b, char **data, size_t *len)
{
	*len = b->len;
	*data = buf_failed(b) || b->len == 0
		    ? NULL
		    : mem_strndup(flow_mem(f), b->data, b->len);
	if (*data == NULL && (b->len > 0 || buf_failed(b))) {
		buf_free(b);
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	}
	buf_free(b);
	return FLOW_NEXT;
}

static bool
keep_cells(struct flow *f, const struct cell *cells)
{
	struct resource_state *s = flow_state(f);
	int count = s->query.resource->column_count;

	s->cells = mem_array(flow_mem(f), (size_t)count, sizeof(struct cell));
	for (int i = 0; i < count && s->cells != NULL; i++) {
		s->cells[i] = cells[i];
		if (cells[i].text != NULL)
			s->cells[i].text = mem_strndup(
			    flow_mem(f), cells[i].text, cells[i].len);
	}
	return !mem_failed(flow_mem(f));
}

/* Ids at the other ends of to-one includes, include_count a row. */
static bool
keep_ends(struct flow *f, unsigned count)
{
	struct resource_state *s = flow_state(f);
	const struct resource_query *q = &s->query;
	unsigned n = q->include_count;

	if (count == 0)
		return true;
	s->ends = mem_array(flow_mem(f), (size_t)count * n, sizeof(*s->ends));
	if (s->ends == NULL)
		return false;
	for (unsigned row = 0; row < count; row++)
		for (unsigned i = 0; i < n; i++) {
			int column = q->include[i].relation->column;

			if (column >= 0)
				sql_get_uuid(flow_rows(f), (int)row, column,
				    &s->ends[row * n + i]);
		}
	return true;
}

static int
compare_uuids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

/* The distinct ids of include i as a PostgreSQL array; NULL: none. */
static char *
array_of_ends(struct flow *f, unsigned i)
{
	struct resource_state *s = flow_state(f);
	unsigned n = s->query.include_count, count = 0;
	struct uuid *ids = mem_array(flow_mem(f), s->row_count, sizeof(*ids));
	char *text = mem_alloc(flow_mem(f), s->row_count * 37 + 3);
	char *o = text;

	if (ids == NULL || text == NULL)
		return NULL;
	for (unsigned row = 0; row < s->row_count; row++)
		if (!uuid_is_zero(&s->ends[row * n + i]))
			ids[count++] = s->ends[row * n + i];
	if (count == 0)
		return NULL;
	qsort(ids, count, sizeof(*ids), compare_uuids);
	*o++ = '{';
	for (unsigned k = 0; k < count; k++) {
		if (k > 0 && uuid_equal(&ids[k], &ids[k - 1]))
			continue;
		if (k > 0)
			*o++ = ',';
		uuid_format(&ids[k], o);
		o += 36;
	}
	*o++ = '}';
	*o = '\0';
	return text;
}

/* Asks for the next include that leads anywhere, or answers. */
static enum flow_next
ask_include(struct flow *f)
{
	struct resource_state *s = flow_state(f);
	const struct resource_query *q = &s->query;

	while (s->row_count > 0 && s->asked < q->include_count) {
		unsigned i = s->asked++;
		const struct relation *relation = q->include[i].relation;
		struct uuid id;
		char *ids;

		if (relation->many != NULL &&
		    uuid_parse(s->cells[0].text, 36, &id))
			ids = array_of_one(f, &id);
		else
			ids = array_of_ends(f, i);
		if (ids != NULL)
			return ask_ids(f,
			    relation->many != NULL ? relation->many
						   : relation->target->get,
			    relation->target, ids, &q->include[i].fieldset);
	}
	return q->mode == RESOURCE_ONE ? reply_one(f) : reply_many(f);
}

static enum flow_next
rows_one(struct flow *f)
{
	struct resource_state *s = flow_state(f);
	const struct resource *r = s->query.resource;
	struct cell cells[RESOURCE_COLUMNS_MAX];

	if (sql_count(flow_rows(f)) == 0)
		return flow_fail(f, 404, r->not_found,
		    "There is no such resource: %s.", r->type);
	s->row_count = 1;
	resource_row(flow_rows(f), 0, r, cells);
	if (s->query.include_count == 0) {
		s->cells = cells;
		return reply_one(f);
	}
	if (!keep_cells(f, cells) || !keep_ends(f, 1))
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	return ask_include(f);
}

static void
find_next(struct flow *f, unsigned last)
{
	struct resource_state *s = flow_state(f);
	const struct resource_query *q = &s->query;
	const struct sql_rows *rows = flow_rows(f);
	int column = q->sort_field->column;
	struct uuid id;

	if (!sql_get_uuid(rows, (int)last, 0, &id))
		return;
	s->next = resource_cursor(q,
	    sql_is_null(rows, (int)last, column)
		? NULL
		: sql_get(rows, (int)last, column),
	    &id, flow_mem(f));
}

static enum flow_next
rows_many(struct flow *f)
{
	struct resource_state *s = flow_state(f);
	const struct resource_query *q = &s->query;
	unsigned count = (unsigned)sql_count(flow_rows(f));
	struct cell cells[RESOURCE_COLUMNS_MAX];
	struct buf b;

	if (count == 0 && s->parent != NULL) {
		struct fieldset none = {0, 0};

		s->parent_asked = true;
		return ask_ids(f, s->parent->get, s->parent,
		    array_of_one(f, &s->parent_id), &none);
	}
	s->row_count = count <= q->size ? count : q->size;
	if (count > q->size)
		find_next(f, q->size - 1);
	if (s->lines)
		return reply_lines(f);
	buf_create(&b, 0);
	buf_puts(&b, "{\"data\":[");
	for (unsigned i = 0; i < s->row_count; i++) {
		if (i > 0)
			buf_putc(&b, ',');
		resource_row(flow_rows(f), (int)i, q->resource, cells);
		resource_write(&b, q->resource, &q->fieldset, cells, NULL);
	}
	buf_putc(&b, ']');
	if (q->include_count == 0)
		return reply(f, &b);
	if (keep(f, &b, &s->data, &s->data_len) == FLOW_DONE)
		return FLOW_DONE;
	if (!keep_ends(f, s->row_count))
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	return ask_include(f);
}

enum flow_next
resource_rows(struct flow *f)
{
	struct resource_state *s = flow_state(f);

	assert(s->query.resource->column_count <= RESOURCE_COLUMNS_MAX);
	return s->query.mode == RESOURCE_ONE ? rows_one(f) : rows_many(f);
}

/* Remembers what a to-many include leads to, for its relationship. */
static bool
link_rows(struct flow *f, const struct relation *relation)
{
	struct resource_state *s = flow_state(f);
	size_t count = (size_t)sql_count(flow_rows(f));
	char *ids = mem_alloc(flow_mem(f), count * 36 + 1);
	unsigned at = 0;

	if (ids == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		memcpy(ids + 36 * i, sql_get(flow_rows(f), (int)i, 0), 36);
	while (s->links[at].relation != NULL)
		at++;
	s->links[at] = (struct linkage){relation, ids, count};
	return true;
}

static enum flow_next
write_included(struct flow *f, unsigned include)
{
	struct resource_state *s = flow_state(f);
	const struct relation *relation = s->query.include[include].relation;
	int count = sql_count(flow_rows(f));
	struct cell cells[RESOURCE_COLUMNS_MAX];
	struct buf b;

	if (relation->many != NULL && count > RESOURCE_INCLUDED_MAX)
		return flow_fail_at(f, 400, "include_too_large", NULL,
		    "include",
		    "There are more than %d %s; ask for them in "
		    "pages.",
		    RESOURCE_INCLUDED_MAX, relation->name);
	if (relation->many != NULL && !link_rows(f, relation))
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	buf_create(&b, 0);
	buf_put(&b, s->included, s->included_len);
	for (int i = 0; i < count; i++) {
		if (b.len > 0)
			buf_putc(&b, ',');
		resource_row(flow_rows(f), i, relation->target, cells);
		resource_write(&b, relation->target,
		    &s->query.include[include].fieldset, cells, NULL);
	}
	return keep(f, &b, &s->included, &s->included_len);
}

/* The rows of the parent or of an include are there. */
enum flow_next
resource_more(struct flow *f)
{
	struct resource_state *s = flow_state(f);

	if (s->parent_asked) {
		if (sql_count(flow_rows(f)) == 0)
			return flow_fail(f, 404, s->parent->not_found,
			    "There is no such resource: %s.", s->parent->type);
		s->data = mem_strdup(flow_mem(f), "{\"data\":[]");
		s->data_len = strlen("{\"data\":[]");
		return reply_many(f);
	}
	if (write_included(f, s->asked - 1) == FLOW_DONE)
		return FLOW_DONE;
	return ask_include(f);
}
