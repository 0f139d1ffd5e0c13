/* Ops that end at once: fail and assert. */
#include "call_fixture.h"

static struct op_call *
run(struct fixture *f, const char *node)
{
	struct op_call *call = fixture_call(f, node);

	assert_int_equal(call->op->kind, OP_INLINE);
	assert_int_equal(eval_params(call), 0);
	call->op->compute(call);
	return call;
}

static void
fails(struct fixture *f, const char *node, const char *code, const char *text,
    bool retryable)
{
	struct op_call *call = run(f, node);

	assert_int_equal(call->outcome.state, OUTCOME_FAILED);
	assert_string_equal(call->outcome.error_code, code);
	assert_string_equal(call->outcome.error, text);
	assert_int_equal(call->outcome.retryable, retryable);
	op_call_free(call);
}

static void
fail_fails_with_its_message(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f,
	    "name: d\n"
	    "nodes:\n"
	    "  - {name: a, op: fail, with: {message: 'No 100%s'}}\n"
	    "  - {name: b, op: fail, with: {message: x, "
	    "retryable: true}}\n"
	    "  - {name: c, op: fail, with: {message: "
	    "'day ${{ context.day }}'}}\n"
	    "  - {name: d, op: fail, with: {message: "
	    "'${{ context.list }}'}}\n");
	f.context = "{\"day\":7,\"list\":[1]}";
	fails(&f, "a", "failed", "No 100%s", false);
	fails(&f, "b", "failed", "x", true);
	fails(&f, "c", "failed", "day 7", false);
	fails(&f, "d", "failed", "[1]", false);
	fixture_close(&f);
}

static void
assert_takes_only_true(void **state)
{
	struct fixture f;
	struct op_call *call;

	(void)state;
	fixture_open(&f,
	    "name: d\n"
	    "nodes:\n"
	    "  - {name: a, op: assert, with: {that: true}}\n"
	    "  - {name: b, op: assert, with: {that: "
	    "'${{ context.yes }}'}}\n"
	    "  - {name: c, op: assert, with: {that: "
	    "'${{ context.no }}', message: 'No ${{ context.n }}'}}\n"
	    "  - {name: d, op: assert, with: {that: 1}}\n"
	    "  - {name: e, op: assert, with: {that: "
	    "'${{ context.missing }}'}}\n"
	    "  - {name: f, op: assert, with: {that: 'true '}}\n");
	f.context = "{\"yes\":true,\"no\":false,\"n\":3}";
	call = run(&f, "a");
	assert_int_equal(call->outcome.state, OUTCOME_SUCCESS);
	op_call_free(call);
	call = run(&f, "b");
	assert_int_equal(call->outcome.state, OUTCOME_SUCCESS);
	op_call_free(call);
	fails(&f, "c", "assertion_failed", "No 3", false);
	fails(
	    &f, "d", "assertion_failed", "It should be true but is 1.", false);
	fails(&f, "e", "assertion_failed", "It should be true but is null.",
	    false);
	fails(&f, "f", "assertion_failed", "It should be true but is true .",
	    false);
	fixture_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fail_fails_with_its_message),
	    cmocka_unit_test(assert_takes_only_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
