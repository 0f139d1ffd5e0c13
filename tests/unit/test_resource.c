/* test_resource.c - the tables of the API, query parameters, cursors and what
 * is written: the parts of modules/web/resource* that know no request.
 * long: one fixture for all parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/openapi.c"
#include "web/openapi_auth.c"
#include "web/openapi_errors.c"
#include "web/openapi_ops.c"
#include "web/resource.c"
#include "web/resource_body.c"
#include "web/resource_cursor.c"
#include "web/resource_query.c"
#include "web/resources.c"
#include "web/resources_audit.c"
#include "web/resources_operations.c"
#undef FIELDS_END
#undef RELATIONS_END
#undef FILTERS_END
#define no_actions access_no_actions
#include "web/resources_access.c"
#undef no_actions
#define text forms_text
#include "web/openapi_forms.c"
#undef text
#include "web/forms.c"
#define no_actions people_no_actions
#define no_filters people_no_filters
#include "web/resources_people.c"
#undef no_actions
#undef no_filters

/* No requests either: what it wants of flow.c for forms.c. */
const struct json *
flow_json(struct flow *f)
{
	(void)f;
	abort();
}

struct mem *
flow_mem(struct flow *f)
{
	(void)f;
	abort();
}

enum flow_next
flow_fail_faults(struct flow *f, int status, const struct faults *faults,
    const char *pointer_prefix)
{
	(void)f;
	(void)status;
	(void)faults;
	(void)pointer_prefix;
	abort();
}

/* No rows and no statements here: what the linker wants of sql.c. */
void
sql_bool(struct sql_params *params, bool b)
{
	params->values[params->count++] = b ? "t" : "f";
}

bool
sql_is_null(const struct sql_rows *rows, int row, int column)
{
	(void)rows;
	(void)row;
	(void)column;
	return true;
}

const char *
sql_get(const struct sql_rows *rows, int row, int column)
{
	(void)rows;
	(void)row;
	(void)column;
	return "";
}

size_t
sql_get_len(const struct sql_rows *rows, int row, int column)
{
	(void)rows;
	(void)row;
	(void)column;
	return 0;
}

/* --- a query string without a request -------------------------------------- */

struct given {
	const char *pairs[16][2];
};

static const char *
get(void *ctx, const char *name)
{
	const struct given *given = ctx;

	for (unsigned i = 0; i < 16 && given->pairs[i][0] != NULL; i++)
		if (strcmp(given->pairs[i][0], name) == 0)
			return given->pairs[i][1];
	return NULL;
}

static struct mem mem;
static struct query_fault fault;
static struct resource_query query;

static int
parse(const struct resource *r, enum resource_mode mode, struct given given)
{
	struct query_source source = {get, &given, NULL, NULL};

	mem_destroy(&mem);
	mem_create(&mem, 0);
	memset(&fault, 0, sizeof(fault));
	return resource_query_parse(&query, r, mode, &source, &mem, &fault);
}

static int
parse_dags(const char *name, const char *value)
{
	return parse(
	    &resource_dags, RESOURCE_MANY, (struct given){{{name, value}}});
}

static const struct uuid some_id = {
    {1, 2, 3, 4, 5, 6, 0x70, 8, 0x80, 10, 11, 12, 13, 14, 15, 16}};

/* --- tables ---------------------------------------------------------------- */

static void
every_column_of_a_table_exists_and_is_shown_once(void **state)
{
	(void)state;
	for (const struct resource *const *r = resource_table; *r; r++) {
		bool seen[RESOURCE_COLUMNS_MAX] = {true};

		assert_true((*r)->column_count <= RESOURCE_COLUMNS_MAX);
		for (const struct field *f = (*r)->fields; f->name; f++) {
			if (f->flags & FIELD_WRITE_ONLY) {
				assert_int_equal(f->column, -1);
				continue;
			}
			assert_in_range(f->column, 1, (*r)->column_count - 1);
			assert_false(seen[f->column]);
			seen[f->column] = true;
			assert_true(f->type != FIELD_ENUM || f->values);
		}
		for (const struct relation *e = (*r)->relations; e->name; e++) {
			assert_true((e->column >= 0) == (e->path == NULL));
			if (e->column < 0)
				continue;
			assert_in_range(e->column, 1, (*r)->column_count - 1);
			assert_false(seen[e->column]);
			seen[e->column] = true;
		}
	}
}

static void
every_statement_takes_the_parameters_of_its_table(void **state)
{
	(void)state;
	for (const struct resource *const *r = resource_table; *r; r++) {
		unsigned longs = 0, filters = 0;

		for (const struct field *f = (*r)->fields; f->name; f++)
			longs += (f->flags & FIELD_LONG) != 0;
		for (const struct filter *f = (*r)->filters; f->name; f++)
			filters++;
		if ((*r)->get != NULL)
			assert_int_equal((*r)->get->params, 2 + longs);
		assert_int_equal(
		    (*r)->get != NULL, ((*r)->operations & RESOURCE_GET) != 0);
		assert_true(filters <= RESOURCE_FILTERS_MAX);
		for (const struct sql_sort *s = (*r)->list; s->name; s++)
			for (unsigned d = 0; d < 2; d++) {
				assert_non_null(resource_field(*r, s->name));
				assert_int_equal(
				    s->sql[d][0].params, 2 + longs + filters);
				assert_int_equal(s->sql[d][1].params,
				    2 + longs + filters + 2);
			}
	}
}

static void
every_default_sort_is_a_sort(void **state)
{
	(void)state;
	for (const struct resource *const *r = resource_table; *r; r++) {
		struct given given = {
		    {{"filter[dag]", "01020304-0506-7008-800a-"
				     "0b0c0d0e0f10"},
			{"filter[execution]",
			    "01020304-0506-7008-800a-0b0c0d0e0f10"},
			{"filter[node-execution]",
			    "01020304-0506-7008-800a-0b0c0d0e0f10"}}};

		assert_int_equal(parse(*r, RESOURCE_MANY, given), 0);
		assert_non_null(query.sort_field);
	}
}

/* --- parameters ------------------------------------------------------------ */

static void
a_bare_list_has_defaults_and_no_long_fields(void **state)
{
	(void)state;
	assert_int_equal(parse_dags(NULL, NULL), 0);
	assert_int_equal(query.size, RESOURCE_PAGE_DEFAULT);
	assert_string_equal(query.sort->name, "name");
	assert_false(query.descending);
	assert_null(query.after_value);
	for (unsigned i = 0; dag_fields[i].name != NULL; i++)
		assert_int_equal(query.fieldset.fields >> i & 1,
		    !(dag_fields[i].flags & FIELD_LONG));
}

static void
one_resource_has_all_fields(void **state)
{
	(void)state;
	assert_int_equal(
	    parse(&resource_dags, RESOURCE_ONE, (struct given){{{NULL, NULL}}}),
	    0);
	assert_int_equal(query.fieldset.fields, 0x1ff);
}

static void
page_size_is_between_1_and_1000(void **state)
{
	static const char *const bad[] = {"0", "1001", "-1", "", "1e2", " 5",
	    "5 ", "0x10", "99999999999999999999", "five", "5,6"};

	(void)state;
	assert_int_equal(parse_dags("page[size]", "1"), 0);
	assert_int_equal(query.size, 1);
	assert_int_equal(parse_dags("page[size]", "1000"), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse_dags("page[size]", bad[i]), -1);
		assert_string_equal(fault.code, "invalid_parameter");
		assert_string_equal(fault.parameter, "page[size]");
	}
}

static void
an_unknown_sort_is_refused_with_the_known_ones(void **state)
{
	(void)state;
	assert_int_equal(parse_dags("sort", "-updated_at"), 0);
	assert_true(query.descending);
	assert_int_equal(parse_dags("sort", "--name"), -1);
	assert_string_equal(fault.code, "invalid_sort");
	assert_non_null(strstr(fault.message, "inserted_at"));
	assert_int_equal(parse_dags("sort", ""), -1);
	assert_int_equal(parse_dags("sort", "description"), -1);
	assert_int_equal(parse_dags("sort", "name;drop table"), -1);
}

static void
statuses_become_an_array_of_known_values_only(void **state)
{
	static const char *const bad[] = {"", "ACTIVE", "active,", ",active",
	    "active, draft", "{active}", "active\"", "\xff"};

	(void)state;
	assert_int_equal(parse_dags("filter[status]", "active,draft"), 0);
	assert_string_equal(query.filters[0], "{active,draft}");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse_dags("filter[status]", bad[i]), -1);
		assert_string_equal(fault.parameter, "filter[status]");
		assert_int_equal(
		    utf8_valid(fault.message, strlen(fault.message)),
		    strlen(fault.message));
	}
}

static void
a_filter_by_id_takes_only_a_uuid(void **state)
{
	(void)state;
	assert_int_equal(parse_dags("filter[creator]",
			     "01020304-0506-7008-800A-0b0c0d0e0f10"),
	    0);
	assert_int_equal(parse_dags("filter[creator]", "1"), -1);
	assert_int_equal(parse_dags("filter[creator]",
			     "01020304-0506-7008-800a-0b0c0d0e0f10'"),
	    -1);
}

static void
a_name_that_is_no_utf8_is_refused(void **state)
{
	(void)state;
	assert_int_equal(parse_dags("filter[name]", "caf\xc3\xa9"), 0);
	assert_int_equal(parse_dags("filter[name]", "caf\xc3"), -1);
	assert_int_equal(parse_dags("filter[name]", "\xed\xa0\x80"), -1);
}

static void
a_needed_filter_is_asked_for(void **state)
{
	(void)state;
	assert_int_equal(parse(&resource_node_executions, RESOURCE_MANY,
			     (struct given){{{NULL, NULL}}}),
	    -1);
	assert_string_equal(fault.code, "missing_parameter");
	assert_string_equal(fault.parameter, "filter[execution]");
}

static void
fields_choose_attributes_and_relationships(void **state)
{
	(void)state;
	assert_int_equal(
	    parse_dags("fields[dags]", "definition,creator,name"), 0);
	assert_int_equal(query.fieldset.fields, 1 | 1 << 4);
	assert_int_equal(query.fieldset.relations, 1 << 1);
	assert_int_equal(parse_dags("fields[dags]", ""), 0);
	assert_int_equal(query.fieldset.fields, 0);
	assert_int_equal(parse_dags("fields[dags]", "name,\xff"), -1);
	assert_string_equal(fault.code, "unknown_field");
	assert_int_equal(parse_dags("fields[dags]", "hashed_password"), -1);
}

static void
include_takes_what_the_mode_allows(void **state)
{
	struct given nodes = {
	    {{"include", "dag,node-executions,dag_version,dag"}}};

	(void)state;
	assert_int_equal(parse(&resource_executions, RESOURCE_ONE, nodes), 0);
	assert_int_equal(query.include_count, 3);
	assert_int_equal(parse(&resource_executions, RESOURCE_MANY, nodes), -1);
	assert_string_equal(fault.code, "invalid_include");
	assert_int_equal(parse_dags("include", "executions"), -1);
	assert_int_equal(parse_dags("include", "versions.dag"), -1);
	assert_int_equal(parse_dags("include", ","), -1);
}

static void
times_are_checked_by_the_calendar(void **state)
{
	static const char *const bad[] = {"", "2026", "2026-02-29T00:00:00Z",
	    "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z",
	    "2026-01-01T00:00:60Z", "2026-01-01T00:00:00",
	    "2026-01-01T00:00:00.Z", "0000-01-01T00:00:00Z",
	    "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+99", "infinity",
	    "now", "2026-01-01T00:00:00Z'"};
	int64_t at;

	(void)state;
	assert_true(time_parse("1970-01-01T00:00:01Z", 20, &at));
	assert_int_equal(at, 1000000);
	assert_true(time_parse("2024-02-29 12:00:00.25+05:30", 28, &at));
	assert_int_equal(at, INT64_C(1709188200250000));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(time_parse(bad[i], strlen(bad[i]), &at));
}

static void
every_name_that_is_read_is_announced(void **state)
{
	const char *const *names;
	unsigned filters = 0;

	(void)state;
	mem_destroy(&mem);
	mem_create(&mem, 0);
	names = resource_parameters(
	    &resource_executions, RESOURCE_MANY, "dag", &mem);
	for (; *names != NULL; names++) {
		filters += strncmp(*names, "filter[", 7) == 0;
		assert_string_not_equal(*names, "filter[dag]");
	}
	assert_int_equal(filters, 6);
}

/* --- cursors --------------------------------------------------------------- */

/* Takes a cursor of one list to the next page of another. */
static int
go_on(const struct resource *r, const char *sort, const char *value,
    const char *next_sort)
{
	struct mem keep;
	char *cursor;
	int rc;

	mem_create(&keep, 0);
	assert_int_equal(
	    parse(r, RESOURCE_MANY, (struct given){{{"sort", sort}}}), 0);
	cursor = resource_cursor(&query, value, &some_id, &keep);
	assert_non_null(cursor);
	assert_int_equal(strspn(cursor, base64_digits), strlen(cursor));
	rc = parse(r, RESOURCE_MANY,
	    (struct given){{{"sort", next_sort}, {"page[after]", cursor}}});
	mem_destroy(&keep);
	return rc;
}

static void
a_cursor_brings_back_value_and_id(void **state)
{
	(void)state;
	assert_int_equal(
	    go_on(&resource_dags, "name", "a:b\n\xc3\xa9", "name"), 0);
	assert_string_equal(query.after_value, "a:b\n\xc3\xa9");
	assert_true(uuid_equal(&query.after_id, &some_id));
	assert_int_equal(go_on(&resource_dags, "-updated_at",
			     "2026-11-23 15:00:33.1+00", "-updated_at"),
	    0);
	assert_string_equal(query.after_value, "2026-11-23T15:00:33.100000Z");
	assert_int_equal(
	    go_on(&resource_executions, "started_at", NULL, "started_at"), 0);
	assert_string_equal(query.after_value, "infinity");
	assert_int_equal(go_on(&resource_executions, "-inserted_at",
			     "2026-11-23 15:00:33.1+00", "-inserted_at"),
	    0);
	assert_string_equal(
	    query.after_value, "01020304-0506-7008-800a-0b0c0d0e0f10");
}

static void
a_cursor_of_another_order_is_refused(void **state)
{
	(void)state;
	assert_int_equal(go_on(&resource_dags, "name", "x", "-name"), -1);
	assert_string_equal(fault.code, "invalid_cursor");
	assert_int_equal(go_on(&resource_dags, "name", "x", "updated_at"), -1);
}

static void
a_forged_cursor_is_refused(void **state)
{
	static const char id[] = "01020304-0506-7008-800a-0b0c0d0e0f10";
	char texts[][128] = {"", "+", "name", "+%sname", "+%snamex:a",
	    "-%sname:a", "+%supdated_at:1", "+%sname:\xff",
	    "%sname:aaaaaaaaaaa"};

	(void)state;
	assert_int_equal(parse_dags("page[after]", ""), -1);
	assert_int_equal(parse_dags("page[after]", "!!!"), -1);
	assert_int_equal(parse_dags("page[after]", "\xff\xfe"), -1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mem keep;
		char *text;

		mem_create(&keep, 0);
		text = mem_strdup(&keep, texts[i]);
		if (strstr(text, "%s") != NULL)
			text = mem_printf(&keep, "%.*s%s%s",
			    (int)(strstr(text, "%s") - text), text, id,
			    strstr(text, "%s") + 2);
		text = base64_encode(&keep, text, strlen(text));
		assert_int_equal(parse_dags("page[after]", text), -1);
		assert_string_equal(fault.code, "invalid_cursor");
		mem_destroy(&keep);
	}
}

static void
random_cursors_never_reach_the_database_as_bad_values(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		char text[80];
		unsigned len = (unsigned)rand_r(&seed) % 79;
		struct given given = {
		    {{"sort", "updated_at"}, {"page[after]", text}}};
		int64_t at;

		for (unsigned i = 0; i < len; i++)
			text[i] = base64_digits[rand_r(&seed) & 63];
		text[len] = '\0';
		if (parse(&resource_dags, RESOURCE_MANY, given) == 0)
			assert_true(time_parse(
			    query.after_value, strlen(query.after_value), &at));
	}
}

static void
a_cursor_with_a_time_out_of_range_is_refused(void **state)
{
	static const char *const bad[] = {"253402300800000000",
	    "-62135596800000001", "1.5", "9223372036854775808", "", "-"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mem keep;
		char *text;

		mem_create(&keep, 0);
		text = mem_printf(&keep,
		    "+01020304-0506-7008-800a-0b0c0d0e0f10updated_at:%s",
		    bad[i]);
		text = base64_encode(&keep, text, strlen(text));
		assert_int_equal(parse(&resource_dags, RESOURCE_MANY,
				     (struct given){{{"sort", "updated_at"},
					 {"page[after]", text}}}),
		    -1);
		mem_destroy(&keep);
	}
}

static void
parsing_survives_every_failed_allocation(void **state)
{
	struct given given = {{{"filter[status]", "active"}, {"sort", "-name"},
	    {"include", "active-version"}, {"fields[dags]", "name"},
	    {"page[size]", "5"}}};
	struct query_source source = {get, &given, NULL, NULL};
	long budget = 0;
	int rc;

	(void)state;
	do {
		mem_destroy(&mem);
		mem_create(&mem, 0);
		mem_fail_after(budget++);
		rc = resource_query_parse(&query, &resource_dags, RESOURCE_MANY,
		    &source, &mem, &fault);
		mem_fail_after(-1);
	} while (rc != 0 && budget < 100);
	assert_int_equal(rc, 0);
}

/* --- output ---------------------------------------------------------------- */

static const struct json *
written(struct buf *b)
{
	const struct json *root = NULL;
	struct err e;

	assert_false(buf_failed(b));
	err_clear(&e);
	mem_destroy(&mem);
	mem_create(&mem, 0);
	if (json_parse(&mem, b->data, b->len, NULL, &root, &e) != 0)
		fail_msg("%s: %s", e.message, b->data);
	buf_free(b);
	return root;
}

static const struct relation *
relation(const char *name)
{
	const struct relation *r = execution_relations;

	while (strcmp(r->name, name) != 0)
		r++;
	return r;
}

static void
a_row_becomes_a_resource_object(void **state)
{
	struct cell cells[COL_EXECUTION_COUNT] = {{NULL, 0}};
	struct fieldset set =
	    resource_fieldset(&resource_executions, RESOURCE_ONE);
	const struct linkage links[] = {{relation("node-executions"),
					    "01020304-0506-7008-800a-"
					    "0b0c00000001",
					    1},
	    {NULL, NULL, 0}};
	const struct json *root, *attributes, *ends;
	struct buf b;

	(void)state;
	cells[0] = (struct cell){"01020304-0506-7008-800a-0b0c00000000", 36};
	cells[COL_EXECUTION_STATUS] = (struct cell){"failed", 6};
	cells[COL_EXECUTION_ERROR_MESSAGE] = (struct cell){"a\"b\n", 4};
	cells[COL_EXECUTION_STARTED_AT] =
	    (struct cell){"2026-11-23 15:00:33.5+00", 24};
	cells[COL_EXECUTION_COMPLETED_AT] =
	    (struct cell){"2026-11-23 15:00:33+02", 22};
	cells[COL_EXECUTION_DURATION_MS] = (struct cell){"12.340", 6};
	cells[COL_EXECUTION_RESULT] = (struct cell){"{\"x\": 1}", 8};
	buf_create(&b, 0);
	resource_write(&b, &resource_executions, &set, cells, links);
	root = written(&b);
	attributes = json_get(root, "attributes");
	assert_true(json_is_string(json_get(root, "type"), "executions"));
	assert_true(
	    json_is_string(json_get(attributes, "error_message"), "a\"b\n"));
	assert_true(json_is_string(
	    json_get(attributes, "started_at"), "2026-11-23T15:00:33.5Z"));
	assert_true(json_is_string(
	    json_get(attributes, "completed_at"), "2026-11-23T15:00:33+02:00"));
	assert_int_equal(json_get(attributes, "inserted_at")->type, JSON_NULL);
	assert_int_equal(
	    json_get(json_get(attributes, "result"), "x")->integer, 1);
	ends = json_get(
	    json_get(json_get(root, "relationships"), "node-executions"),
	    "data");
	assert_int_equal(ends->count, 1);
}

static void
openapi_is_json_and_shows_every_field(void **state)
{
	const struct json *root, *schemas;
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	openapi_write(&b);
	root = written(&b);
	schemas = json_get(json_get(root, "components"), "schemas");
	for (const struct resource *const *r = resource_table; *r; r++) {
		const struct json *shown = json_get(
		    json_get(json_get(json_get(json_get(schemas, (*r)->type),
					  "properties"),
				 "attributes"),
			"properties"),
		    "definition");

		if (resource_field(*r, "definition") != NULL)
			assert_non_null(shown);
		assert_non_null(json_get(json_get(root, "paths"), (*r)->path));
	}
}

/* --- bodies ---------------------------------------------------------------- */

static const char *
body_code(const char *text, const struct uuid *id, int *status)
{
	const struct json *root = NULL;
	struct resource_body body;
	struct faults faults;

	mem_destroy(&mem);
	mem_create(&mem, 0);
	assert_int_equal(
	    json_parse(&mem, text, strlen(text), NULL, &root, NULL), 0);
	faults_create(&faults, &mem, 10);
	if (resource_body_read(root, &resource_dags, id, &faults, &body) == 0)
		return NULL;
	assert_true(faults.count > 0);
	*status = body.status;
	return faults.list[0].code;
}

static void
a_body_must_be_a_document_of_the_right_resource(void **state)
{
	static const struct {
		const char *text, *code;
		int status;
	} cases[] = {
	    {"[]", "invalid_document", 400},
	    {"null", "invalid_document", 400},
	    {"{}", "invalid_document", 400},
	    {"{\"data\":[]}", "invalid_document", 400},
	    {"{\"data\":{}}", "invalid_document", 400},
	    {"{\"data\":{\"type\":5}}", "invalid_document", 400},
	    {"{\"data\":{\"type\":\"dags\",\"x\":1}}", "unknown_member", 400},
	    {"{\"data\":{\"type\":\"users\"}}", "type_conflict", 409},
	    {"{\"data\":{\"type\":\"dags\",\"id\":\"1\"}}", "id_not_allowed",
		403},
	    {"{\"data\":{\"type\":\"dags\",\"attributes\":[]}}", "invalid_type",
		422},
	    {"{\"data\":{\"type\":\"dags\"}}", "missing_attribute", 422},
	    {"{\"data\":{\"type\":\"dags\",\"attributes\":{\"a/b~c\":1,"
	     "\"name\":\"n\",\"definition\":{}}}}",
		"unknown_attribute", 422},
	    {"{\"data\":{\"type\":\"dags\",\"attributes\":{\"status\":"
	     "\"active\",\"name\":\"n\",\"definition\":{}}}}",
		"read_only_attribute", 422},
	    {"{\"data\":{\"type\":\"dags\",\"attributes\":{\"name\":5,"
	     "\"definition\":{}}}}",
		"invalid_type", 422},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = 0;
		const char *code = body_code(cases[i].text, NULL, &status);

		assert_non_null(code);
		assert_string_equal(code, cases[i].code);
		assert_int_equal(status, cases[i].status);
	}
}

static void
an_update_may_leave_everything_out_and_must_name_its_own_id(void **state)
{
	int status = 0;

	(void)state;
	assert_null(body_code("{\"data\":{\"type\":\"dags\",\"id\":"
			      "\"01020304-0506-7008-800a-0b0c0d0e0f10\"}}",
	    &some_id, &status));
	assert_string_equal(
	    body_code("{\"data\":{\"type\":\"dags\",\"id\":\"x\"}}", &some_id,
		&status),
	    "id_conflict");
	assert_int_equal(status, 409);
}

static int
forget(void **state)
{
	(void)state;
	mem_destroy(&mem);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_column_of_a_table_exists_and_is_shown_once),
	    cmocka_unit_test(every_statement_takes_the_parameters_of_its_table),
	    cmocka_unit_test(every_default_sort_is_a_sort),
	    cmocka_unit_test(a_bare_list_has_defaults_and_no_long_fields),
	    cmocka_unit_test(one_resource_has_all_fields),
	    cmocka_unit_test(page_size_is_between_1_and_1000),
	    cmocka_unit_test(an_unknown_sort_is_refused_with_the_known_ones),
	    cmocka_unit_test(statuses_become_an_array_of_known_values_only),
	    cmocka_unit_test(a_filter_by_id_takes_only_a_uuid),
	    cmocka_unit_test(a_name_that_is_no_utf8_is_refused),
	    cmocka_unit_test(a_needed_filter_is_asked_for),
	    cmocka_unit_test(fields_choose_attributes_and_relationships),
	    cmocka_unit_test(include_takes_what_the_mode_allows),
	    cmocka_unit_test(times_are_checked_by_the_calendar),
	    cmocka_unit_test(every_name_that_is_read_is_announced),
	    cmocka_unit_test(a_cursor_brings_back_value_and_id),
	    cmocka_unit_test(a_cursor_of_another_order_is_refused),
	    cmocka_unit_test(a_forged_cursor_is_refused),
	    cmocka_unit_test(
		random_cursors_never_reach_the_database_as_bad_values),
	    cmocka_unit_test(a_cursor_with_a_time_out_of_range_is_refused),
	    cmocka_unit_test(parsing_survives_every_failed_allocation),
	    cmocka_unit_test(a_row_becomes_a_resource_object),
	    cmocka_unit_test(openapi_is_json_and_shows_every_field),
	    cmocka_unit_test(a_body_must_be_a_document_of_the_right_resource),
	    cmocka_unit_test(
		an_update_may_leave_everything_out_and_must_name_its_own_id),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
