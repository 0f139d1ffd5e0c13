/* test_web_text.c - the pure parts of modules/web: error bodies, URLs, binary
 * parameters, expected migrations. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../modules/web/binary.c"
#include "../../modules/web/error_body.c"
#include "../../modules/web/migrations.c"
#include "../../modules/web/url.c"

/* --- error bodies --------------------------------------------------------- */

static void
error_object_has_status_code_title_and_detail(void **state)
{
	struct error_object o = {
	    .code = "dag_not_found", .detail = "No \"x\"."};
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	error_body_begin(&b);
	error_body_add(&b, 404, &o);
	error_body_end(&b);
	assert_string_equal(b.data,
	    "{\"errors\":[{\"status\":\"404\",\"code\":\"dag_not_found\","
	    "\"title\":\"Dag not found\",\"detail\":\"No \\\"x\\\".\"}]}");
	buf_free(&b);
}

static void
error_source_names_parameter_or_pointer(void **state)
{
	struct error_object parameter = {.code = "a", .parameter = "sort"};
	struct error_object pointer = {
	    .code = "b", .prefix = "/data", .pointer = "/x"};
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	error_body_begin(&b);
	error_body_add(&b, 400, &parameter);
	error_body_add(&b, 422, &pointer);
	error_body_end(&b);
	assert_non_null(
	    strstr(b.data, "\"source\":{\"parameter\":\"sort\"}},{"));
	assert_non_null(strstr(b.data, "\"source\":{\"pointer\":\"/data/x\"}"));
	buf_free(&b);
}

static void
every_kept_fault_is_an_object_and_the_rest_is_counted(void **state)
{
	struct faults faults;
	struct mem m;
	struct buf b;

	(void)state;
	mem_create(&m, 0);
	faults_create(&faults, &m, 2);
	faults_add(&faults, NULL, "/nodes/0", "cycle", "a -> b -> a");
	faults_add(&faults, NULL, "/nodes/1", "unknown_op", "x");
	faults_add(&faults, NULL, "/nodes/2", "unknown_op", "y");
	buf_create(&b, 0);
	error_body_faults(&b, 422, &faults, "/data/attributes/definition");
	assert_non_null(strstr(
	    b.data, "\"pointer\":\"/data/attributes/definition/nodes/0\""));
	assert_non_null(strstr(b.data, "\"code\":\"unknown_op\""));
	assert_non_null(strstr(b.data, "1 more faults"));
	buf_free(&b);
	mem_destroy(&m);
}

/* --- URLs ----------------------------------------------------------------- */

static void
decodes(struct mem *m, const char *text, bool plus, const char *expected)
{
	const char *out = url_decode(m, text, strlen(text), plus);

	if (expected == NULL)
		assert_null(out);
	else
		assert_string_equal(out, expected);
}

static void
escapes_are_decoded_and_bad_ones_refused(void **state)
{
	struct mem m;

	(void)state;
	mem_create(&m, 0);
	decodes(&m, "a%20b%2Fc", false, "a b/c");
	decodes(&m, "a+b", true, "a b");
	decodes(&m, "a+b", false, "a+b");
	decodes(&m, "%C3%A4%c3%a4", false, "ää");
	decodes(&m, "", false, "");
	decodes(&m, "%", false, NULL);
	decodes(&m, "%4", false, NULL);
	decodes(&m, "%zz", false, NULL);
	decodes(&m, "a%00b", false, NULL);
	decodes(&m, "%ff", false, NULL);
	decodes(&m, "%41", false, "A");
	mem_destroy(&m);
}

static void
collect(void *ctx, const char *name, const char *value)
{
	struct buf *b = ctx;

	buf_printf(b, "<%s|%s>", name, value);
}

static void
query_gives_names_and_values_in_order(void **state)
{
	struct mem m;
	struct buf b;

	(void)state;
	mem_create(&m, 0);
	buf_create(&b, 0);
	assert_true(url_query(&m,
	    "filter%5Bstatus%5D=a,b&sort=-x&&flag&e=&x=a=b+c", collect, &b));
	assert_string_equal(
	    b.data, "<filter[status]|a,b><sort|-x><flag|><e|><x|a=b c>");
	assert_false(url_query(&m, "a=1&b=%g", collect, &b));
	assert_true(url_query(&m, "", collect, &b));
	buf_free(&b);
	mem_destroy(&m);
}

/* --- binary parameters ---------------------------------------------------- */

static void
array_has_dimension_type_and_elements(void **state)
{
	static const unsigned char expected[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0,
	    0, 23, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7, 255, 255,
	    255, 255};
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	binary_array(&b, OID_INT4, 2);
	binary_int4(&b, 7);
	binary_null(&b);
	assert_int_equal(b.len, sizeof(expected));
	assert_memory_equal(b.data, expected, sizeof(expected));
	buf_free(&b);
}

static void
empty_array_has_no_dimension(void **state)
{
	static const unsigned char expected[] = {
	    0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 25};
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	binary_array(&b, OID_TEXT, 0);
	assert_int_equal(b.len, sizeof(expected));
	assert_memory_equal(b.data, expected, sizeof(expected));
	buf_free(&b);
}

static void
lengths_are_filled_in_when_a_value_ends(void **state)
{
	static const unsigned char expected[] = {
	    0, 0, 0, 13, 0, 0, 0, 1, 0, 0, 0, 25, 0, 0, 0, 1, 'x'};
	struct buf b;
	size_t place;

	(void)state;
	buf_create(&b, 0);
	place = binary_begin(&b);
	binary_composite(&b, 1);
	binary_field(&b, OID_TEXT);
	binary_text(&b, "x", 1);
	binary_end(&b, place);
	assert_int_equal(b.len, sizeof(expected));
	assert_memory_equal(b.data, expected, sizeof(expected));
	buf_free(&b);
}

static void
times_count_from_2000_and_zero_is_null(void **state)
{
	static const unsigned char expected[] = {
	    0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255};
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	binary_time(&b, INT64_C(946684800000001));
	binary_time(&b, 0);
	assert_int_equal(b.len, sizeof(expected));
	assert_memory_equal(b.data, expected, sizeof(expected));
	buf_free(&b);
}

static void
failed_buffer_stays_failed(void **state)
{
	struct buf b;
	size_t place;

	(void)state;
	buf_create(&b, 8);
	place = binary_begin(&b);
	binary_int8(&b, 1);
	binary_end(&b, place);
	assert_true(buf_failed(&b));
	buf_free(&b);
}

/* --- migrations ----------------------------------------------------------- */

static void
migrations_are_listed_by_number_with_checksum(void **state)
{
	char folder[] = "/tmp/open-migrations-XXXXXX", path[128], *text;
	static const char *const names[] = {
	    "0002_b.sql", "0001_a.sql", "README.md", "x.sql"};
	struct err e;
	size_t i;
	FILE *fp;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		fp = fopen(path, "w");
		assert_non_null(fp);
		fputs("abc", fp);
		fclose(fp);
	}
	err_clear(&e);
	text = migrations_expected(folder, &e);
	assert_string_equal(text,
	    "1 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"
	    "d\n"
	    "2 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"
	    "d\n");
	free(text);
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
	assert_null(migrations_expected(folder, &e));
	assert_string_equal(e.code, "migrations_unreadable");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(error_object_has_status_code_title_and_detail),
	    cmocka_unit_test(error_source_names_parameter_or_pointer),
	    cmocka_unit_test(
		every_kept_fault_is_an_object_and_the_rest_is_counted),
	    cmocka_unit_test(escapes_are_decoded_and_bad_ones_refused),
	    cmocka_unit_test(query_gives_names_and_values_in_order),
	    cmocka_unit_test(array_has_dimension_type_and_elements),
	    cmocka_unit_test(empty_array_has_no_dimension),
	    cmocka_unit_test(lengths_are_filled_in_when_a_value_ends),
	    cmocka_unit_test(times_count_from_2000_and_zero_is_null),
	    cmocka_unit_test(failed_buffer_stays_failed),
	    cmocka_unit_test(migrations_are_listed_by_number_with_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
