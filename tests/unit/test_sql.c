/* Op sql without a server: what a connection may say, where it may lead, and
 * values of servers that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* statics */
#include "exec/sql_answer.c"

#include "exec/sql_client.h"
#include "mem_fixture.h"

static void
accepted(const char *text, const char *host, const char *port)
{
	struct sql_target t;
	struct err e = {0};

	if (sql_target_read(&t, &m, text, &e) != 0)
		fail_msg("%s: %s", text, e.message);
	assert_string_equal(t.host, host);
	assert_string_equal(t.port, port);
}

static void
refused(const char *text, const char *why)
{
	struct sql_target t;
	struct err e = {0};

	assert_int_equal(sql_target_read(&t, &m, text, &e), -1);
	assert_string_equal(e.code, "invalid_connection");
	if (strstr(e.message, why) == NULL)
		fail_msg("%s: %s", text, e.message);
	assert_null(strstr(e.message, "hunter2"));
}

static void
urls_and_keywords_are_read(void **state)
{
	(void)state;
	accepted(
	    "postgresql://u:p@db.example.test/x", "db.example.test", "5432");
	accepted("postgres://u@db:6432/x?sslmode=require", "db", "6432");
	accepted("host=db user=u password='a b' dbname=x connect_timeout=3",
	    "db", "5432");
	accepted("postgresql://u@[2001:db8::1]:5433/x", "2001:db8::1", "5433");
}

static void
what_leads_elsewhere_is_refused_without_showing_the_text(void **state)
{
	(void)state;
	refused("", "neither a URL");
	refused("mydb", "neither a URL");
	refused("postgresql://u:hunter2@/x", "no host");
	refused("host=/var/run password=hunter2", "socket");
	refused("host=@abstract password=hunter2", "socket");
	refused("host=a,b password=hunter2", "one host");
	refused("host=a port=0 password=hunter2", "port");
	refused("host=a port=65536 password=hunter2", "port");
	refused("host=a port=5432x password=hunter2", "port");
	refused("host=a hostaddr=10.0.0.1 password=hunter2", "hostaddr");
	refused("host=a passfile=/x password=hunter2", "passfile");
	refused("host=a sslcert=/x password=hunter2", "sslcert");
	refused("host=a sslrootcert=/x password=hunter2", "sslrootcert");
	refused("host=a krbsrvname=x password=hunter2", "krbsrvname");
	refused("host=a =hunter2", "can't be read");
}

static void
the_environment_of_the_server_decides_nothing(void **state)
{
	static const char *const needed[] = {"hostaddr", "sslmode",
	    "sslrootcert", "gssencmode", "passfile", "sslcert", "sslkey"};
	const struct sql_settings s = {.connections = 1};
	struct sql_target t;
	struct err e;

	(void)state;
	assert_int_equal(sql_target_read(&t, &m, "host=a user=u", &e), 0);
	sql_target_finish(&t, &s, "192.0.2.1", true);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		unsigned k = 0;

		while (k < t.count && strcmp(t.keywords[k], needed[i]) != 0)
			k++;
		assert_true(k < t.count);
		assert_true(t.values[k][0] != '\0');
	}
	assert_string_equal(t.tls, "verify-full");
	assert_null(t.keywords[t.count]);
}

static const char *
first(unsigned allowed, const char *const *own, const char *addresses)
{
	const struct sql_settings s = {.own = own};
	bool public;

	return sql_target_address(&s, allowed, &m, addresses, "5432", &public);
}

static void
only_addresses_that_may_be_reached_are_taken(void **state)
{
	static const char *const own[] = {
	    "127.0.0.1 5432", "8.8.4.4 5432", "1.1.1.1 6000", NULL};

	(void)state;
	assert_string_equal(first(0, NULL, "8.8.8.8"), "8.8.8.8");
	assert_string_equal(
	    first(0, NULL, "10.0.0.1,[::1],9.9.9.9"), "9.9.9.9");
	assert_null(first(0, NULL, "10.0.0.1,[fe80::1],127.0.0.1"));
	assert_null(first(0, NULL, "nonsense"));
	assert_null(first(0, NULL, ""));
	assert_string_equal(
	    first(ALLOW_PRIVATE_ADDRESSES, NULL, "[::1]"), "::1");
	/* OPEN's own: never, however it is called. */
	assert_null(first(ALLOW_PRIVATE_ADDRESSES, own, "127.0.0.1"));
	assert_null(first(ALLOW_PRIVATE_ADDRESSES, own, "127.9.9.9"));
	assert_null(first(ALLOW_PRIVATE_ADDRESSES, own, "0.0.0.0"));
	assert_null(first(ALLOW_PRIVATE_ADDRESSES, own, "[::1]"));
	assert_null(first(ALLOW_PRIVATE_ADDRESSES, own, "[::ffff:127.0.0.1]"));
	assert_null(first(0, own, "8.8.4.4"));
	assert_string_equal(first(0, own, "1.1.1.1"), "1.1.1.1");
}

static void
numbers_are_what_json_calls_so(void **state)
{
	static const char *const good[] = {"0", "-1", "10", "0.5", "-0.25",
	    "1e10", "1.5E-3", "9223372036854775807"};
	static const char *const bad[] = {"", "-", "01", "1.", ".5", "+1",
	    "NaN", "Infinity", "1e", "1e+", "1,2", "1 ", " 1", "0x10", "1e1000",
	    "--1"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(is_number(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_number(bad[i], strlen(bad[i])))
			fail_msg("%s is no number", bad[i]);
}

static void
put_raw(struct sql_answer *a, const char *text)
{
	uint32_t len = text == NULL ? UINT32_MAX : (uint32_t)strlen(text);

	buf_put(&a->rows, &len, sizeof(len));
	if (text != NULL)
		buf_put(&a->rows, text, len);
}

/* One row with these columns; the call. */
static struct op_call *
answered(size_t limit, int columns, const char **names, Oid *types,
    const char *const *values)
{
	struct op_call *call = op_call_new();
	struct sql_answer *a;

	assert_non_null(call);
	a = mem_alloc(&call->mem, sizeof(*a));
	*a = (struct sql_answer){.count = 1,
	    .columns = columns,
	    .names = names,
	    .types = types,
	    .command = "SELECT",
	    .affected = 1,
	    .limit = limit};
	buf_create(&a->rows, 0);
	for (int i = 0; i < columns; i++)
		put_raw(a, values[i]);
	call->rest = a;
	return call;
}

static void
values_become_json_whatever_the_server_calls_them(void **state)
{
	const char *names[] = {"a", "b", "c", "d", "e"};
	Oid types[] = {TYPE_JSON, TYPE_INT4, TYPE_BOOL, TYPE_NUMERIC, 25};
	const char *const values[] = {"{]", "1}", "t", "1.50", NULL};
	struct op_call *call = answered(1000, 5, names, types, values);

	(void)state;
	sql_answer_result(call);
	assert_int_equal(call->outcome.state, OUTCOME_SUCCESS);
	assert_string_equal(call->outcome.result,
	    "{\"command\":\"SELECT\",\"count\":1,\"rows\":[{\"a\":\"{]\","
	    "\"b\":\"1}\",\"c\":true,\"d\":1.50,\"e\":null}]}");
	op_call_free(call);
}

static void
two_columns_of_one_name_and_too_much_text_fail(void **state)
{
	const char *names[] = {"a", "a"};
	Oid types[] = {25, 25};
	const char *const values[] = {"xxxxxxxxxxxxxxxxxxxxxxxxxxxx", "y"};
	struct op_call *call = answered(1000, 2, names, types, values);

	(void)state;
	sql_answer_result(call);
	assert_string_equal(call->outcome.error_code, "duplicate_column");
	op_call_free(call);
	names[1] = "b";
	call = answered(60, 2, names, types, values);
	sql_answer_result(call);
	assert_string_equal(call->outcome.error_code, "result_too_large");
	op_call_free(call);
}

static void
a_stopped_call_only_frees(void **state)
{
	const char *names[] = {"a"};
	Oid types[] = {25};
	const char *const values[] = {"x"};
	struct op_call *call = answered(1000, 1, names, types, values);

	(void)state;
	atomic_store(&call->stop, true);
	sql_answer_result(call);
	assert_int_equal(call->outcome.state, OUTCOME_CANCELLED);
	assert_null(call->rest);
	op_call_free(call);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(urls_and_keywords_are_read),
	    TEST(what_leads_elsewhere_is_refused_without_showing_the_text),
	    TEST(the_environment_of_the_server_decides_nothing),
	    TEST(only_addresses_that_may_be_reached_are_taken),
	    TEST(numbers_are_what_json_calls_so),
	    TEST(values_become_json_whatever_the_server_calls_them),
	    TEST(two_columns_of_one_name_and_too_much_text_fail),
	    TEST(a_stopped_call_only_frees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
