/* test_policy - who may do what: every action is in the table, and what is not
 * in it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../modules/web/policy.c"

static void
every_action_has_a_name_of_its_own_and_a_description(void **state)
{
	const struct policy *p, *q;
	int a, b;

	(void)state;
	for (a = POLICY_NONE + 1; a < POLICY_COUNT; a++) {
		p = policy_get((enum policy_action)a);
		assert_non_null(p);
		assert_true(strlen(p->description) > 5);
		for (b = a + 1; b < POLICY_COUNT; b++) {
			q = policy_get((enum policy_action)b);
			assert_non_null(q);
			assert_string_not_equal(p->name, q->name);
		}
	}
}

static void
an_action_asks_for_one_scope_at_most(void **state)
{
	const struct policy *p;
	int a;

	(void)state;
	for (a = POLICY_NONE + 1; a < POLICY_COUNT; a++) {
		p = policy_get((enum policy_action)a);
		assert_int_equal(p->scope & (p->scope - 1), 0);
		assert_true(p->scope <= SCOPE_ALL);
	}
}

static void
no_action_is_no_policy(void **state)
{
	(void)state;
	assert_null(policy_get(POLICY_NONE));
	assert_null(policy_get(POLICY_COUNT));
	assert_null(policy_get((enum policy_action) - 1));
}

static void
scope_comes_before_role(void **state)
{
	const struct policy *p = policy_get(POLICY_SECRET_CREATE);

	(void)state;
	assert_int_equal(policy_judge(p, true, SCOPE_ALL), POLICY_ALLOWED);
	assert_int_equal(policy_judge(p, true, SCOPE_ADMIN), POLICY_ALLOWED);
	assert_int_equal(policy_judge(p, false, SCOPE_ALL), POLICY_ROLE);
	assert_int_equal(
	    policy_judge(p, true, SCOPE_READ | SCOPE_EXECUTE | SCOPE_WRITE),
	    POLICY_SCOPE);
	assert_int_equal(policy_judge(p, false, 0), POLICY_SCOPE);
}

static void
no_scope_implies_another(void **state)
{
	(void)state;
	assert_int_equal(policy_judge(policy_get(POLICY_DAG_READ), true,
			     SCOPE_WRITE | SCOPE_ADMIN | SCOPE_EXECUTE),
	    POLICY_SCOPE);
	assert_int_equal(policy_judge(policy_get(POLICY_EXECUTION_START), true,
			     SCOPE_WRITE | SCOPE_ADMIN | SCOPE_READ),
	    POLICY_SCOPE);
	assert_int_equal(
	    policy_judge(policy_get(POLICY_GRAPHQL), false, 0), POLICY_ALLOWED);
}

static void
rows_of_an_unknown_type_are_never_shown(void **state)
{
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	assert_false(policy_rows(&b, "passwords", "p"));
	assert_int_equal(b.len, 0);
	assert_true(policy_rows(&b, "executions", "x7"));
	assert_string_equal(
	    b.data, "x7.organization_id = (select open.actor_organization())");
	buf_free(&b);
}

static void
a_fields_condition_names_the_alias(void **state)
{
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	assert_false(policy_field(&b, "users", "name", "u"));
	assert_int_equal(b.len, 0);
	assert_true(policy_field(&b, "users", "email", "u3"));
	assert_non_null(strstr(b.data, "u3.id"));
	assert_null(strchr(b.data, '@'));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		every_action_has_a_name_of_its_own_and_a_description),
	    cmocka_unit_test(an_action_asks_for_one_scope_at_most),
	    cmocka_unit_test(no_action_is_no_policy),
	    cmocka_unit_test(scope_comes_before_role),
	    cmocka_unit_test(no_scope_implies_another),
	    cmocka_unit_test(rows_of_an_unknown_type_are_never_shown),
	    cmocka_unit_test(a_fields_condition_names_the_alias),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
