/* test_secrets.c - where documents may name secrets, and how a run gets them.
 */
#include <pthread.h>

#include "exec_host.h"

#include "dag/plan_layout.h"
#include "dag/secret.h"
#include "dag/template.h"

/* --- documents --- */

static void
assert_fault_with(const struct op_set *ops, const char *definition,
    const char *code, const char *pointer)
{
	struct document_options options = {.ops = ops};
	struct faults faults;
	struct document *d;
	struct mem m;

	mem_create(&m, 0);
	faults_create(&faults, &m, 10);
	assert_int_equal(document_parse(&m, DOCUMENT_JSON, definition,
			     strlen(definition), &options, &faults, &d),
	    -1);
	assert_int_equal(faults.count, 1);
	assert_string_equal(faults.list[0].code, code);
	assert_string_equal(faults.list[0].pointer, pointer);
	mem_destroy(&m);
}

static void
assert_fault(const char *definition, const char *code, const char *pointer)
{
	assert_fault_with(op_table_set(), definition, code, pointer);
}

#define NODE(text) "{\"nodes\":[{\"name\":\"a\"," text "}]}"
#define INPUT(text)                                                            \
	NODE("\"op\":\"lua\",\"with\":{\"script\":\"\",\"input\":" text "}")

static void
secrets_stand_alone_in_parameters_and_nowhere_else(void **state)
{
	static const char *const bad[] = {"[\"${{ secrets }}\"]",
	    "[\"${{ secrets.A .. '' }}\"]", "[\"${{ secrets[context.x] }}\"]",
	    "[\"x ${{ secrets.A.b }}\"]", "[\"${{ secrets['no name'] }}\"]",
	    "[\"${{ (secrets.A) }}\"]", "[\"${{ #secrets.A }}\"]"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[200];

		snprintf(text, sizeof(text), INPUT("%s"), bad[i]);
		assert_fault(
		    text, "secret_not_allowed", "/nodes/0/with/input/0");
	}
	assert_fault(NODE("\"when\":\"secrets.A == 1\""), "secret_not_allowed",
	    "/nodes/0/when");
	assert_fault(NODE("\"when\":\"secrets.A\""), "secret_not_allowed",
	    "/nodes/0/when");
	assert_fault(NODE("\"op\":\"lua\",\"with\":{\"script\":\"return "
			  "secrets.A\"}"),
	    "secret_not_allowed", "/nodes/0/with/script");
}

static void
ops_that_keep_their_parameters_get_no_secrets(void **state)
{
	static const struct op_param params[] = {
	    {.name = "input", .types = PARAM_ANY}, {.name = NULL}};
	static const struct op_schema noop = {.name = "noop"},
				      keeper = {.name = "keeper",
					  .params = params,
					  .keeps_params = true};
	static const struct op_schema *const list[] = {&noop, &keeper};
	static const struct op_set ops = {2, list};

	(void)state;
	assert_fault_with(&ops,
	    NODE("\"op\":\"keeper\",\"with\":{\"input\":\"${{ secrets.A }}\"}"),
	    "secret_not_allowed", "/nodes/0/with/input");
}

static void
other_things_called_secrets_are_no_secrets(void **state)
{
	static const char *const good[] = {"x.secrets", "x:secrets()",
	    "{secrets = 1}", "'secrets.A'", "1 -- secrets", "secrets2.A",
	    "nodes.a.result.secrets.A"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_false(secret_is_read(good[i], strlen(good[i])));
	assert_true(secret_is_read("secrets == 1", 12));
	assert_true(secret_is_read("f(secrets)", 10));
	assert_true(secret_name_valid("_A9", 3));
	assert_false(secret_name_valid("9A", 2));
	assert_false(secret_name_valid("A-B", 3));
	assert_false(secret_name_valid("", 0));
}

static void
too_many_secrets_are_refused(void **state)
{
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	buf_puts(&b, "{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\",\"with\":"
		     "{\"script\":\"\",\"input\":[");
	for (int i = 0; i <= SECRETS_MAX; i++)
		buf_printf(&b, "%s\"${{ secrets.S%d }}${{ secrets.S0 }}\"",
		    i > 0 ? "," : "", i);
	buf_puts(&b, "]}}]}");
	assert_fault(b.data, "secret_not_allowed", "/nodes/0/with/input/64");
	buf_free(&b);
}

static void
on_name(void *ctx, const char *name, uint32_t len)
{
	char *all = ctx;

	strncat(all, name, len);
	strcat(all, " ");
}

static void
a_plan_tells_what_its_nodes_need(void **state)
{
	struct test_plan p =
	    plan_from_json("{\"nodes\":[{\"name\":\"a\",\"op\":\"lua\","
			   "\"with\":{\"script\":\"\",\"input\":"
			   "[\"${{ secrets.ONE }}\",{\"x\":\"-"
			   "${{secrets['TWO']}}-\"}]}},{\"name\":\"b\"}]}");
	char all[64] = "";

	(void)state;
	assert_int_equal(plan_secrets(p.plan, 0, on_name, all), 2);
	assert_string_equal(all, "ONE TWO ");
	assert_int_equal(plan_secrets(p.plan, 1, on_name, all), 0);
	assert_int_equal(plan_check(p.plan, p.plan->size, NULL), 0);
	free(p.plan);
}

static void
a_forged_plan_with_a_secret_in_its_condition_is_refused(void **state)
{
	struct test_plan p = plan_from_json(NODE("\"when\":\"context.A\""));
	const struct template_value *v =
	    plan_at(p.plan, plan_nodes(p.plan)[0].when);
	struct template_step *s = (struct template_step *)(uintptr_t)plan_at(
	    p.plan, (uint32_t)v->offset);
	struct err e = {0};

	(void)state;
	assert_int_equal(plan_check(p.plan, p.plan->size, &e), 0);
	s->value = ROOT_SECRET;
	p.plan->checksum = plan_checksum(p.plan, p.plan->size);
	assert_int_equal(plan_check(p.plan, p.plan->size, &e), -1);
	assert_string_equal(e.code, "corrupted_plan");
	free(p.plan);
}

/* --- runs --- */

static struct { /* a host: what was asked */
	pthread_mutex_t lock;
	struct secret_request *asked;
	_Atomic unsigned count;
} host = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
ask(void *ctx, struct secret_request *r)
{
	(void)ctx;
	pthread_mutex_lock(&host.lock);
	r->next = host.asked;
	host.asked = r;
	pthread_mutex_unlock(&host.lock);
	atomic_fetch_add(&host.count, 1);
}

static struct secret_request *
next_request(void)
{
	struct secret_request *r;

	for (;;) {
		pthread_mutex_lock(&host.lock);
		r = host.asked;
		if (r != NULL)
			host.asked = r->next;
		pthread_mutex_unlock(&host.lock);
		if (r != NULL)
			return r;
		usleep(200);
	}
}

static void
answer(struct exec *exec, const char *name, const char *value)
{
	struct secret_request *r = next_request();

	assert_string_equal(r->name, name);
	exec_secret_answer(exec, r,
	    value != NULL ? SECRET_KNOWN : SECRET_ABSENT, value,
	    value != NULL ? strlen(value) : 0);
}

static struct exec *
exec_asking(void)
{
	struct exec_settings s = small_settings();

	s.secrets.ask = ask;
	atomic_store(&host.count, 0);
	return exec_with(&s);
}

/* The result tells the length, the log and the error would tell the value. */
#define SCRIPT(end)                                                            \
	"\"op\":\"lua\",\"with\":{\"input\":\"${{ secrets.KEY }}\","           \
	"\"script\":\"print(input) " end "\"}"

static struct db *db;

static void
run_all(struct exec *exec, uint32_t k, const struct test_plan *p)
{
	run_go(exec, k, p, NULL);
	run_wait(exec, db, k);
}

static void
a_run_waits_for_its_secrets_and_the_next_one_finds_them(void **state)
{
	struct exec *exec = exec_asking();
	struct test_plan p =
	    plan_from_json(NODE(SCRIPT("return #input .. input")));

	(void)state;
	db = db_create(3);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	answer(exec, "KEY", "my-value");
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_SUCCESS);
	assert_string_equal(db->list[0].nodes[0].result, "\"8***\"");
	assert_string_equal(db->list[0].nodes[0].log, "***\n");
	assert_string_equal(db->list[0].result, "{\"a\":\"8***\"}");
	run_all(exec, 1, &p);
	assert_string_equal(db->list[1].nodes[0].result, "\"8***\"");
	assert_int_equal(atomic_load(&host.count), 1);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
a_changed_secret_is_asked_again(void **state)
{
	struct exec *exec = exec_asking();
	struct test_plan p = plan_from_json(NODE(SCRIPT("return #input")));
	struct uuid organization = execution_id(0);

	(void)state;
	db = db_create(3);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	answer(exec, "KEY", "first");
	run_wait(exec, db, 0);
	exec_secret_changed(exec, &organization, "OTHER");
	run_all(exec, 1, &p);
	assert_string_equal(db->list[1].nodes[0].result, "5");
	exec_secret_changed(exec, &organization, "KEY");
	run_go(exec, 2, &p, NULL);
	answer(exec, "KEY", "the second");
	run_wait(exec, db, 2);
	assert_string_equal(db->list[2].nodes[0].result, "10");
	assert_int_equal(atomic_load(&host.count), 2);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
a_secret_that_changes_while_it_is_asked_for_is_asked_again(void **state)
{
	struct exec *exec = exec_asking();
	struct test_plan p = plan_from_json(NODE(SCRIPT("return #input")));
	struct secret_request *r;

	(void)state;
	db = db_create(1);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	r = next_request();
	exec_secret_changed(exec, NULL, NULL);
	exec_secret_answer(exec, r, SECRET_KNOWN, "old", 3);
	answer(exec, "KEY", "newer");
	run_wait(exec, db, 0);
	assert_string_equal(db->list[0].nodes[0].result, "5");
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
old_and_new_values_are_hidden_in_one_run(void **state)
{
	struct exec *exec = exec_asking();
	struct test_plan p =
	    plan_from_json("{\"nodes\":[{\"name\":\"a\"," SCRIPT(
		"return 1") "},"
			    "{\"name\":\"d\",\"dependencies\":[\"a\"],\"op\":"
			    "\"delay\","
			    "\"with\":{\"duration\":\"300ms\"}},"
			    "{\"name\":\"b\",\"dependencies\":[\"d\"]," SCRIPT(
				"return 'first-one ' .. input") "}]}");

	(void)state;
	db = db_create(1);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	answer(exec, "KEY", "first-one");
	while (db->list[0].row[0] == 0)
		host_step(exec, db, 1000);
	exec_secret_changed(exec, NULL, NULL);
	answer(exec, "KEY", "another");
	run_wait(exec, db, 0);
	assert_string_equal(db->list[0].nodes[2].result, "\"*** ***\"");
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
a_missing_secret_fails_the_node_by_its_name(void **state)
{
	struct exec *exec = exec_asking();
	struct test_plan p = plan_from_json(NODE(SCRIPT("return 1")));
	struct secret_request *r;

	(void)state;
	db = db_create(3);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	answer(exec, "KEY", NULL);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_FAILED);
	assert_non_null(strstr(db->list[0].nodes[0].error, "secret_not_found"));
	assert_non_null(strstr(db->list[0].nodes[0].error, "\"KEY\""));
	exec_secret_changed(exec, NULL, NULL);
	run_go(exec, 1, &p, NULL);
	r = next_request();
	exec_secret_answer(exec, r, SECRET_UNREADABLE, NULL, 0);
	run_wait(exec, db, 1);
	assert_non_null(
	    strstr(db->list[1].nodes[0].error, "secret_unreadable"));
	exec_destroy(exec);
	exec = exec_small(); /* without a host */
	plan_put(exec, &p);
	run_all(exec, 2, &p);
	assert_non_null(strstr(db->list[2].nodes[0].error, "secret_not_found"));
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
errors_show_no_secret(void **state)
{
	struct exec *exec = exec_asking();
	struct test_plan p =
	    plan_from_json(NODE(SCRIPT("error('bad ' .. input, 0)")));

	(void)state;
	db = db_create(1);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	answer(exec, "KEY", "in-an-error");
	run_wait(exec, db, 0);
	assert_non_null(strstr(db->list[0].nodes[0].error, "bad ***"));
	assert_null(strstr(db->list[0].nodes[0].error, "in-an-error"));
	assert_null(strstr(db->list[0].error, "in-an-error"));
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
who_waits_for_a_secret_can_be_stopped(void **state)
{
	struct exec *exec = exec_asking();
	struct test_plan slow =
	    plan_from_json(NODE("\"timeout\":\"20ms\"," SCRIPT("return 1")));
	struct test_plan p = plan_from_json(NODE(SCRIPT("return 1")));
	struct uuid id = execution_id(1);
	struct secret_request *r;

	(void)state;
	db = db_create(2);
	plan_put(exec, &slow);
	plan_put(exec, &p);
	run_go(exec, 0, &slow, NULL);
	run_wait(exec, db, 0);
	assert_int_equal(db->list[0].status, RUN_FAILED);
	assert_non_null(strstr(db->list[0].nodes[0].error, "timeout"));
	run_go(exec, 1, &p, NULL);
	assert_true(exec_cancel(exec, &id));
	run_wait(exec, db, 1);
	assert_int_equal(db->list[1].status, RUN_CANCELLED);
	r = next_request();
	exec_detach(exec);
	exec_secret_answer(exec, r, SECRET_KNOWN, "late", 4);
	exec_destroy(exec);
	db_free(db);
	free(slow.plan);
	free(p.plan);
}

static void
nobody_is_asked_where_no_secret_is_named(void **state)
{
	struct exec *exec = exec_asking();
	struct test_plan p = plan_from_json(
	    NODE("\"op\":\"lua\",\"with\":{\"script\":\"return 1\"}"));

	(void)state;
	db = db_create(1);
	plan_put(exec, &p);
	run_all(exec, 0, &p);
	assert_int_equal(atomic_load(&host.count), 0);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

static void
values_lie_in_no_shared_memory(void **state)
{
	struct exec *exec = exec_asking();
	struct test_plan p = plan_from_json(NODE(SCRIPT("return input")));
	char line[512], value[] = "where-does-it-lie-42";
	FILE *maps;

	(void)state;
	db = db_create(1);
	plan_put(exec, &p);
	run_go(exec, 0, &p, NULL);
	answer(exec, "KEY", value);
	run_wait(exec, db, 0);
	maps = fopen("/proc/self/maps", "r");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from, to;
		char mode[8];

		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 &&
		    mode[0] == 'r' && mode[3] == 's')
			assert_null(memmem(
			    (void *)from, to - from, value, sizeof(value) - 1));
	}
	fclose(maps);
	exec_destroy(exec);
	db_free(db);
	free(p.plan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		secrets_stand_alone_in_parameters_and_nowhere_else),
	    cmocka_unit_test(ops_that_keep_their_parameters_get_no_secrets),
	    cmocka_unit_test(other_things_called_secrets_are_no_secrets),
	    cmocka_unit_test(too_many_secrets_are_refused),
	    cmocka_unit_test(a_plan_tells_what_its_nodes_need),
	    cmocka_unit_test(
		a_forged_plan_with_a_secret_in_its_condition_is_refused),
	    cmocka_unit_test(
		a_run_waits_for_its_secrets_and_the_next_one_finds_them),
	    cmocka_unit_test(a_changed_secret_is_asked_again),
	    cmocka_unit_test(
		a_secret_that_changes_while_it_is_asked_for_is_asked_again),
	    cmocka_unit_test(old_and_new_values_are_hidden_in_one_run),
	    cmocka_unit_test(a_missing_secret_fails_the_node_by_its_name),
	    cmocka_unit_test(errors_show_no_secret),
	    cmocka_unit_test(who_waits_for_a_secret_can_be_stopped),
	    cmocka_unit_test(nobody_is_asked_where_no_secret_is_named),
	    cmocka_unit_test(values_lie_in_no_shared_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
