/* test_openctl_args - openctl's command line: options, operands, faults. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/openctl/args.c"

static const struct option table[] = {{"org", "SLUG", true, false, ""},
    {"set", "KEY=JSON", false, true, ""}, {"wait", NULL, false, false, ""},
    {0}};

static struct args args;
static struct err err;

static int
parse(int argc, const char *const *argv)
{
	err_clear(&err);
	return args_parse(
	    &args, table, argc, (char *const *)(uintptr_t)argv, &err);
}
#define PARSE(...)                                                             \
	parse(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),          \
	    (const char *[]){__VA_ARGS__})

static void
assert_refused(int rc, const char *part)
{
	assert_int_equal(rc, -1);
	assert_string_equal(err.code, "usage");
	assert_non_null(strstr(err.message, part));
}

static void
options_and_operands_may_be_mixed(void **state)
{
	(void)state;
	assert_int_equal(PARSE("a", "--org", "demo", "b", "--wait"), 0);
	assert_string_equal(args_get(&args, "org"), "demo");
	assert_true(args_has(&args, "wait"));
	assert_int_equal(args.operand_count, 2);
	assert_string_equal(args.operands[0], "a");
	assert_string_equal(args.operands[1], "b");
	assert_int_equal(args_check(&args, table, 2, 2, &err), 0);
}

static void
a_value_may_follow_an_equals_sign_and_hold_one(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--org=a=b"), 0);
	assert_string_equal(args_get(&args, "org"), "a=b");
	assert_int_equal(PARSE("--org="), 0);
	assert_string_equal(args_get(&args, "org"), "");
}

static void
a_value_may_look_like_an_option(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--org", "--wait"), 0);
	assert_string_equal(args_get(&args, "org"), "--wait");
	assert_false(args_has(&args, "wait"));
}

static void
after_two_dashes_everything_is_an_operand(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--", "--org", "-x"), 0);
	assert_int_equal(args.operand_count, 2);
	assert_null(args_get(&args, "org"));
}

static void
a_single_dash_is_an_operand(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-"), 0);
	assert_int_equal(args.operand_count, 1);
}

static void
only_options_that_may_be_repeated_are(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--set", "a=1", "--set", "b=2"), 0);
	assert_int_equal(args.option_count, 2);
	assert_refused(PARSE("--org", "a", "--org", "b"), "given twice");
}

static void
wrong_options_are_refused_with_their_name(void **state)
{
	(void)state;
	assert_refused(PARSE("--orgs", "a"), "--orgs");
	assert_refused(PARSE("--or", "a"), "--or");
	assert_refused(PARSE("-x"), "-x");
	assert_refused(PARSE("--org"), "--org needs a value");
	assert_refused(PARSE("--wait=1"), "--wait takes no value");
}

static void
what_is_missing_is_named(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--wait"), 0);
	assert_refused(args_check(&args, table, 0, 0, &err), "--org SLUG");
	assert_int_equal(PARSE("--org", "a", "one", "two"), 0);
	assert_refused(args_check(&args, table, 0, 1, &err), "'two'");
	assert_refused(args_check(&args, table, 3, 3, &err), "missing");
}

static void
too_many_words_are_refused(void **state)
{
	static const char *many[ARGS_OPERANDS_MAX + 1];
	static const char *sets[ARGS_OPTIONS_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < ARGS_OPERANDS_MAX + 1; i++)
		many[i] = "x";
	for (i = 0; i < ARGS_OPTIONS_MAX + 1; i++)
		sets[i] = "--set=a=1";
	assert_refused(parse(ARGS_OPERANDS_MAX + 1, many), "too many");
	assert_refused(parse(ARGS_OPTIONS_MAX + 1, sets), "too many");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_and_operands_may_be_mixed),
	    cmocka_unit_test(a_value_may_follow_an_equals_sign_and_hold_one),
	    cmocka_unit_test(a_value_may_look_like_an_option),
	    cmocka_unit_test(after_two_dashes_everything_is_an_operand),
	    cmocka_unit_test(a_single_dash_is_an_operand),
	    cmocka_unit_test(only_options_that_may_be_repeated_are),
	    cmocka_unit_test(wrong_options_are_refused_with_their_name),
	    cmocka_unit_test(what_is_missing_is_named),
	    cmocka_unit_test(too_many_words_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
