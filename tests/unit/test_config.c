/* test_config.c - settings: defaults, file, environment, and how faults are
 * told. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../modules/web/config.c"
#include "../../modules/web/config_value.c"

static char path[64];

static void
file_write(const char *text)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	fputs(text, fp);
	fclose(fp);
}

static int
setup(void **state)
{
	size_t i, j;
	char name[64];
	int fd;

	(void)state;
	for (i = 0; i < KEY_TOTAL; i++) {
		snprintf(name, sizeof(name), "OPEN_%s", keys[i].name);
		for (j = 0; name[j] != '\0'; j++)
			name[j] = (char)toupper((unsigned char)name[j]);
		unsetenv(name);
	}
	strcpy(path, "/tmp/open-config-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd != -1);
	close(fd);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

/* Loads text; e tells of the fault. */
static int
load(const char *text, struct config *c, struct err *e)
{
	err_clear(e);
	file_write(text);
	return config_load(path, c, e);
}

static void
fails(const char *text, const char *code, uint32_t line, const char *word)
{
	struct config c;
	struct err e;

	assert_int_equal(load(text, &c, &e), -1);
	assert_string_equal(e.code, code);
	assert_int_equal(e.line, line);
	assert_non_null(strstr(e.message, word));
}

static void
empty_file_gives_the_defaults(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	assert_int_equal(load("", &c, &e), 0);
	assert_string_equal(c.listen, "127.0.0.1:8080");
	assert_string_equal(c.listen_host, "127.0.0.1");
	assert_int_equal(c.listen_port, 8080);
	assert_int_equal(c.shared_memory, 256 << 20);
	assert_int_equal(c.lua_time, 1000000000);
	assert_int_equal(c.command_sandbox, 1);
	assert_true(c.workers > 0);
	assert_true(c.compute_threads > 0);
	config_free(&c);
	assert_int_equal(load("# only a comment\n", &c, &e), 0);
	config_free(&c);
}

static void
file_is_read_and_environment_wins(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	setenv("OPEN_WORKERS", "3", 1);
	setenv("OPEN_DATABASE_URL", "", 1);
	assert_int_equal(load("workers: 5\nmax_runs: 100\nlua_time: 250ms\n"
			      "lua_memory: 1MiB\npin: off\n"
			      "database_url: postgresql://x\n"
			      "listen: '[::1]:9'\n",
			     &c, &e),
	    0);
	assert_int_equal(c.workers, 3);
	assert_int_equal(c.max_runs, 100);
	assert_int_equal(c.lua_time, 250000000);
	assert_int_equal(c.lua_memory, 1 << 20);
	assert_int_equal(c.pin, 0);
	assert_string_equal(c.database_url, "");
	assert_string_equal(c.listen_host, "::1");
	assert_int_equal(c.listen_port, 9);
	config_free(&c);
	unsetenv("OPEN_WORKERS");
	unsetenv("OPEN_DATABASE_URL");
}

static void
unknown_key_is_told_with_name_and_line(void **state)
{
	(void)state;
	fails("workers: 1\n\nworker: 2\n", "unknown_key", 3, "worker");
}

static void
repeated_key_is_told_with_name_and_line(void **state)
{
	(void)state;
	fails("workers: 1\nworkers: 2\n", "duplicate_key", 2, "workers");
}

static void
bad_value_is_told_with_name_and_line(void **state)
{
	(void)state;
	fails("workers: many\n", "invalid_value", 1, "workers");
	fails("workers: 65\n", "invalid_value", 1, "0 to 64");
	fails("workers: -1\n", "invalid_value", 1, "workers");
	fails("#\nlua_time: 5\n", "invalid_value", 2, "250ms");
	fails("lua_memory: 5 MB\n", "invalid_value", 1, "4MiB");
	fails("shared_memory: 99999999999999GiB\n", "invalid_value", 1,
	    "shared_memory");
	fails("log: loud\n", "invalid_value", 1, "debug");
	fails("listen: 8080\n", "invalid_value", 1, "ADDRESS:PORT");
	fails("listen: ::1:8080\n", "invalid_value", 1, "ADDRESS:PORT");
	fails("listen: localhost:0\n", "invalid_value", 1, "ADDRESS:PORT");
	fails("data: ''\n", "invalid_value", 1, "data");
	fails("data: [a]\n", "invalid_value", 1, "data");
}

static void
broken_yaml_is_told_with_line(void **state)
{
	(void)state;
	fails("workers: 1\n\t- x\n", "invalid_yaml", 2, path);
	fails("- workers\n", "invalid_yaml", 1, "key: value");
	fails("[a]: 1\n", "invalid_yaml", 1, "word");
}

static void
bad_environment_is_told_with_the_variable(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	setenv("OPEN_LOG", "chatty", 1);
	assert_int_equal(load("", &c, &e), -1);
	assert_non_null(strstr(e.message, "OPEN_LOG"));
	assert_int_equal(e.line, 0);
	unsetenv("OPEN_LOG");
}

static void
missing_file_is_an_error(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	err_clear(&e);
	assert_int_equal(config_load("/nonexistent/x.yaml", &c, &e), -1);
	assert_string_equal(e.code, "not_found");
}

/* Every documented default is the program's, and every key is documented. */
static void
documented_file_says_the_defaults(void **state)
{
	struct config plain, documented;
	struct buf text, a, b;
	struct err e;
	char line[512], *start;
	FILE *fp = fopen("conf/open.yaml", "r");
	size_t i;

	(void)state;
	assert_non_null(fp);
	buf_create(&text, 0);
	while (fgets(line, sizeof(line), fp) != NULL) {
		start = line;
		if (strncmp(start, "# ", 2) == 0 &&
		    strspn(start + 2, "abcdefghijklmnopqrstuvwxyz_") > 0 &&
		    start[2 + strspn(start + 2,
				  "abcdefghijklmnopqrstuvwxyz_")] == ':')
			buf_puts(&text, start + 2);
	}
	fclose(fp);
	for (i = 0; i < KEY_TOTAL; i++)
		assert_non_null(strstr(text.data, keys[i].name));
	assert_int_equal(load("", &plain, &e), 0);
	assert_int_equal(load(text.data, &documented, &e), 0);
	buf_create(&a, 0);
	buf_create(&b, 0);
	config_print(&plain, NULL, &a);
	config_print(&documented, NULL, &b);
	assert_string_equal(a.data, b.data);
	buf_free(&a);
	buf_free(&b);
	buf_free(&text);
	config_free(&plain);
	config_free(&documented);
}

static void
printed_settings_read_back(void **state)
{
	struct config c;
	struct buf out;
	struct err e;

	(void)state;
	assert_int_equal(
	    load("lua_time: 1500ms\nbody_limit: 3KiB\n", &c, &e), 0);
	buf_create(&out, 0);
	assert_int_equal(config_print(&c, "lua_time", &out), 0);
	assert_string_equal(out.data, "1500ms\n");
	buf_reset(&out);
	assert_int_equal(config_print(&c, "body_limit", &out), 0);
	assert_string_equal(out.data, "3KiB\n");
	buf_reset(&out);
	assert_int_equal(config_print(&c, "listen_port", &out), 0);
	assert_string_equal(out.data, "8080\n");
	assert_int_equal(config_print(&c, "nothing", &out), -1);
	buf_free(&out);
	config_free(&c);
}

static void
database_is_the_private_cluster_without_a_url(void **state)
{
	struct config c;
	struct buf out;
	struct err e;

	(void)state;
	assert_int_equal(load("data: /tmp\n", &c, &e), 0);
	buf_create(&out, 0);
	config_database(&c, false, &out);
	assert_string_equal(
	    out.data, "host='/tmp/run' port=5432 dbname=open user=open_login");
	buf_reset(&out);
	config_database(&c, true, &out);
	assert_non_null(strstr(out.data, "user=open_owner"));
	buf_free(&out);
	config_free(&c);
}

static void
owner_falls_back_to_the_url(void **state)
{
	struct config c;
	struct buf out;
	struct err e;

	(void)state;
	assert_int_equal(load("database_url: postgresql://a\n", &c, &e), 0);
	buf_create(&out, 0);
	config_database(&c, true, &out);
	assert_string_equal(out.data, "postgresql://a");
	buf_free(&out);
	config_free(&c);
}

static void
a_rate_is_so_many_in_a_time_or_off(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	assert_int_equal(
	    load("rate_sign_in: 7/90s\nrate_register: off\n", &c, &e), 0);
	assert_int_equal(rate_count(c.rate_sign_in), 7);
	assert_int_equal(rate_period_ms(c.rate_sign_in), 90000);
	assert_int_equal(rate_count(c.rate_register), 0);
	config_free(&c);
	fails("rate_sign_in: 7\n", "invalid_value", 1, "30/1m");
	fails("rate_sign_in: 0/1m\n", "invalid_value", 1, "rate_sign_in");
	fails("rate_sign_in: 7/0s\n", "invalid_value", 1, "rate_sign_in");
	fails("rate_sign_in: 7/31d\n", "invalid_value", 1, "rate_sign_in");
	fails(
	    "rate_sign_in: 10000000/1m\n", "invalid_value", 1, "rate_sign_in");
	fails("rate_sign_in: -1/1m\n", "invalid_value", 1, "rate_sign_in");
	fails("rate_sign_in: 7/1m/1m\n", "invalid_value", 1, "rate_sign_in");
}

static void
a_list_names_whole_words_in_either_case(void **state)
{
	(void)state;
	assert_true(config_lists("a, bc d", "BC", 2));
	assert_true(config_lists("a, bc d", "d", 1));
	assert_true(config_lists("a", "ab", 1));
	assert_false(config_lists("a, bc d", "b", 1));
	assert_false(config_lists("a, bc d", "", 0));
	assert_false(config_lists("", "a", 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty_file_gives_the_defaults),
	    cmocka_unit_test(file_is_read_and_environment_wins),
	    cmocka_unit_test(unknown_key_is_told_with_name_and_line),
	    cmocka_unit_test(repeated_key_is_told_with_name_and_line),
	    cmocka_unit_test(bad_value_is_told_with_name_and_line),
	    cmocka_unit_test(broken_yaml_is_told_with_line),
	    cmocka_unit_test(bad_environment_is_told_with_the_variable),
	    cmocka_unit_test(missing_file_is_an_error),
	    cmocka_unit_test(documented_file_says_the_defaults),
	    cmocka_unit_test(printed_settings_read_back),
	    cmocka_unit_test(database_is_the_private_cluster_without_a_url),
	    cmocka_unit_test(owner_falls_back_to_the_url),
	    cmocka_unit_test(a_list_names_whole_words_in_either_case),
	    cmocka_unit_test(a_rate_is_so_many_in_a_time_or_off),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
