/* Modules of ops: what is refused before anything of them runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* statics */
#include "exec/op_module.c"

static void
nothing(struct op_call *call)
{
	(void)call;
}

static const struct op fine = {
    .schema = {.name = "fine", .description = "Fine."},
    .kind = OP_INLINE,
    .compute = nothing,
};

static void
refused(const struct op *op, const char *code, const char *text)
{
	const struct op *const ops[] = {op, NULL};
	const struct op_module m = {OP_MODULE_HEAD, .name = "m", .ops = ops};
	size_t before = op_table_count;
	struct err e;

	err_clear(&e);
	assert_int_equal(module_add("m.so", &m, &e), -1);
	assert_string_equal(e.code, code);
	assert_non_null(strstr(e.message, text));
	assert_int_equal(op_table_count, before);
}

static void
an_op_without_a_sound_declaration_is_refused(void **state)
{
	struct op op = fine;

	(void)state;
	op.schema.name = NULL;
	refused(&op, "op_module", "needs a name");
	op.schema.name = "Fine";
	refused(&op, "op_module", "needs a name");
	op.schema.name = "fine";
	op.schema.description = NULL;
	refused(&op, "op_module", "needs a name");
}

static void
an_op_without_its_function_is_refused(void **state)
{
	static const enum op_kind kinds[] = {
	    OP_TIMER, OP_COMPUTE, OP_INLINE, OP_IO, OP_COMMAND};
	static const char *const texts[] = {
	    "delay()", "compute()", "compute()", "driver", "command"};
	struct op op = fine;

	(void)state;
	op.compute = NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		op.kind = kinds[i];
		refused(&op, "op_module", texts[i]);
	}
}

static void
a_name_that_is_taken_is_refused(void **state)
{
	struct op op = fine;

	(void)state;
	op.schema.name = "http";
	refused(&op, "op_exists", "\"http\"");
}

static void
a_module_of_another_version_is_refused(void **state)
{
	const struct op *const ops[] = {&fine, NULL};
	struct op_module m = {OP_MODULE_HEAD, .name = "m", .ops = ops};
	struct err e;

	(void)state;
	m.sizes[1]++;
	assert_int_equal(module_add("m.so", &m, &e), -1);
	assert_non_null(strstr(e.message, "another version"));
	m.sizes[1]--;
	m.abi++;
	assert_int_equal(module_add("m.so", &m, &e), -1);
	assert_null(op_by_name("fine"));
}

static void
an_op_is_found_once_it_is_registered_and_the_table_has_an_end(void **state)
{
	static struct op many[OPS_MAX];
	static char names[OPS_MAX][16];
	struct err e;
	int added = 0;

	(void)state;
	err_clear(&e);
	for (int i = 0; i < OPS_MAX; i++) {
		many[i] = fine;
		snprintf(names[i], sizeof(names[i]), "op%d", i);
		many[i].schema.name = names[i];
		added += op_add("m.so", &many[i], &e) == 0;
	}
	assert_int_equal(op_table_count, OPS_MAX);
	assert_true(added < OPS_MAX);
	assert_string_equal(e.code, "too_many_ops");
	assert_ptr_equal(op_by_name("op3"), &many[3]);
	assert_int_equal(op_find(op_table_set(), "op3"),
	    (int)(op_table_count - (size_t)added) + 3);
}

static void
files_are_named_in_the_error(void **state)
{
	char long_path[2 * PATH_BYTES];
	struct err e;

	(void)state;
	assert_int_equal(op_modules_load("", &e), 0);
	assert_int_equal(op_modules_load("::", &e), 0);
	assert_int_equal(op_modules_load(":/nowhere/m.so", &e), -1);
	assert_non_null(strstr(e.message, "/nowhere/m.so"));
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(op_modules_load(long_path, &e), -1);
	assert_non_null(strstr(e.message, "too long"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_op_without_a_sound_declaration_is_refused),
	    cmocka_unit_test(an_op_without_its_function_is_refused),
	    cmocka_unit_test(a_name_that_is_taken_is_refused),
	    cmocka_unit_test(a_module_of_another_version_is_refused),
	    cmocka_unit_test(files_are_named_in_the_error),
	    cmocka_unit_test(
		an_op_is_found_once_it_is_registered_and_the_table_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
