/* test_openctl_migrations - which migration files are accepted, and what is
 * told when a database has applied others. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/openctl/migrations.c"

static char folder[64];
static struct mem mem;
static struct err err;

static int
make_folder(void **state)
{
	(void)state;
	mem_create(&mem, 0);
	err_clear(&err);
	snprintf(folder, sizeof(folder), "/tmp/open-migrations.XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	struct dirent *entry;
	char path[512];
	DIR *dir = opendir(folder);

	(void)state;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	closedir(dir);
	mem_destroy(&mem);
	return rmdir(folder);
}

static void
write_file(const char *name, const char *bytes, size_t len)
{
	char path[512];
	FILE *fp;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fp = fopen(path, "w");
	assert_non_null(fp);
	assert_int_equal(fwrite(bytes, 1, len, fp), len);
	fclose(fp);
}

static struct migrations
files_of(const char *first, const char *second)
{
	struct migrations m;

	if (first != NULL)
		write_file(first, "select 1;", 9);
	if (second != NULL)
		write_file(second, "select 2;", 9);
	assert_int_equal(migrations_read(folder, &mem, &m, &err), 0);
	return m;
}

static void
assert_refused(int rc, const char *code, const char *part)
{
	assert_int_equal(rc, -1);
	assert_string_equal(err.code, code);
	assert_non_null(strstr(err.message, part));
}

static void
names_have_four_digits_and_words(void **state)
{
	static const char *const bad[] = {"1_a.sql", "00001_a.sql",
	    "0001-a.sql", "0001_.sql", "0001_a.txt", "0000_a.sql", "000x_a.sql",
	    "0001_a b.sql", "0001_a.sql.bak", ".sql", ""};
	uint32_t number;
	size_t i;

	(void)state;
	assert_true(migration_name_parse("0042_more-things.sql", &number));
	assert_int_equal(number, 42);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(migration_name_parse(bad[i], &number));
}

static void
files_are_read_in_the_order_of_their_numbers(void **state)
{
	struct migrations m = files_of("0010_b.sql", "0002_a.sql");

	(void)state;
	assert_int_equal(m.count, 2);
	assert_int_equal(m.list[0].number, 2);
	assert_string_equal(m.list[0].name, "0002_a");
	assert_string_equal(m.list[0].text, "select 2;");
	assert_string_equal(m.list[1].checksum,
	    "354b7196c9ba5fb4b21cf615bb6ec4cd5c07503c34229feef033fc081a8c03f4");
}

static void
other_files_are_none_of_its_business(void **state)
{
	struct migrations m;

	(void)state;
	write_file("README.md", "x", 1);
	write_file(".0001_hidden.sql", "x", 1);
	m = files_of(NULL, NULL);
	assert_int_equal(m.count, 0);
}

static void
what_can_not_be_a_migration_stops(void **state)
{
	struct migrations m;

	(void)state;
	write_file("1_a.sql", "x", 1);
	assert_refused(migrations_read(folder, &mem, &m, &err),
	    "migration_name", "1_a.sql");
	assert_refused(migrations_read("/nowhere", &mem, &m, &err),
	    "migrations_unreadable", "/nowhere");
}

static void
a_file_with_a_nul_byte_is_refused(void **state)
{
	struct migrations m;

	(void)state;
	write_file("0001_a.sql", "a\0b", 3);
	assert_refused(migrations_read(folder, &mem, &m, &err),
	    "migrations_unreadable", "0001_a.sql");
}

static void
two_files_of_one_number_are_refused(void **state)
{
	struct migrations m;

	(void)state;
	write_file("0001_a.sql", "x", 1);
	write_file("0001_b.sql", "x", 1);
	assert_refused(migrations_read(folder, &mem, &m, &err),
	    "migration_duplicate", "0001_");
}

static void
what_is_not_applied_waits(void **state)
{
	struct migrations files = files_of("0001_a.sql", "0002_b.sql");
	struct migrations applied = {0, NULL};
	size_t done;

	(void)state;
	assert_int_equal(migrations_compare(&files, &applied, &done, &err), 0);
	assert_int_equal(done, 0);
	applied = files;
	applied.count = 1;
	assert_int_equal(migrations_compare(&files, &applied, &done, &err), 0);
	assert_int_equal(done, 1);
	assert_int_equal(migrations_compare(&files, &files, &done, &err), 0);
	assert_int_equal(done, 2);
}

static void
a_changed_one_stops_with_its_name(void **state)
{
	struct migrations files = files_of("0001_a.sql", "0002_b.sql");
	struct migration was[2];
	struct migrations applied = {2, was};
	size_t done;

	(void)state;
	memcpy(was, files.list, sizeof(was));
	was[0].checksum[0] ^= 1;
	assert_refused(migrations_compare(&files, &applied, &done, &err),
	    "migration_changed", "0001_a");
}

static void
a_missing_or_renamed_one_stops_with_its_name(void **state)
{
	struct migrations files = files_of("0001_a.sql", NULL);
	struct migration was[2];
	struct migrations applied = {2, was};
	size_t done;

	(void)state;
	was[0] = was[1] = files.list[0];
	was[1].number = 2;
	was[1].name = "0002_b";
	assert_refused(migrations_compare(&files, &applied, &done, &err),
	    "migration_missing", "0002_b");
	was[0].name = "0001_other";
	assert_refused(migrations_compare(&files, &applied, &done, &err),
	    "migration_missing", "0001_other");
}

static void
one_below_the_newest_applied_stops_with_its_name(void **state)
{
	struct migrations files = files_of("0001_a.sql", "0002_b.sql");
	struct migrations applied = {1, &files.list[1]};
	size_t done;

	(void)state;
	assert_refused(migrations_compare(&files, &applied, &done, &err),
	    "migration_out_of_order", "0001_a");
}

static void
without_memory_it_says_so(void **state)
{
	struct migrations m;
	long budget;
	int rc;

	(void)state;
	files_of("0001_a.sql", "0002_b.sql");
	for (budget = 0;; budget++) {
		mem_destroy(&mem);
		mem_create(&mem, 0);
		err_clear(&err);
		mem_fail_after(budget);
		rc = migrations_read(folder, &mem, &m, &err);
		mem_fail_after(-1);
		if (rc == 0)
			break;
		assert_string_equal(err.code, "out_of_memory");
	}
	assert_true(budget > 0);
	assert_int_equal(m.count, 2);
}

#define IN_FOLDER(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(names_have_four_digits_and_words),
	    IN_FOLDER(files_are_read_in_the_order_of_their_numbers),
	    IN_FOLDER(other_files_are_none_of_its_business),
	    IN_FOLDER(what_can_not_be_a_migration_stops),
	    IN_FOLDER(a_file_with_a_nul_byte_is_refused),
	    IN_FOLDER(two_files_of_one_number_are_refused),
	    IN_FOLDER(what_is_not_applied_waits),
	    IN_FOLDER(a_changed_one_stops_with_its_name),
	    IN_FOLDER(a_missing_or_renamed_one_stops_with_its_name),
	    IN_FOLDER(one_below_the_newest_applied_stops_with_its_name),
	    IN_FOLDER(without_memory_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
