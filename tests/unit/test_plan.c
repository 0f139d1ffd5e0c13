/* test_plan.c - compiling plans, finding things in them, and that no bytes at
 * all can pass plan_check and then do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dag/plan_layout.h"
#include "dag_ops.h"
#include "plan_walk.h"
#include "mem_fixture.h"

static struct document *
read_text(const char *text)
{
	struct document_options options = {.ops = &test_ops};
	struct document *d;
	struct faults f;

	faults_create(&f, &m, FAULTS_MAX);
	if (document_parse(
		&m, DOCUMENT_JSON, text, strlen(text), &options, &f, &d) != 0)
		fail_msg("%s: %s", f.list[0].pointer, f.list[0].message);
	return d;
}

static struct plan *
compile(const char *text)
{
	struct plan *p;
	struct err e;

	p = plan_compile(read_text(text), &test_ops, &e);
	assert_non_null(p);
	if (plan_check(p, p->size, &e) != 0)
		fail_msg("%s", e.message);
	return p;
}

static const char every_feature[] =
    "{\"timeout\":\"1h\",\"durability\":\"memory\",\"nodes\":["
    "{\"name\":\"b\",\"dependencies\":[\"a\"],\"op\":\"delay\","
    "\"with\":{\"duration\":\"5s\"},\"trigger\":\"all_done\"},"
    "{\"name\":\"a\"},"
    "{\"name\":\"c\",\"dependencies\":[\"b\",\"a\"],\"op\":\"command\","
    "\"with\":{\"argv\":[\"ls\",\"${{ nodes.a.result.x[3]['y z'] }}\","
    "\"x${{ 1 + 1 }}y$${{\",{\"k\":[1,1.5,null,true,false,\"\"]}],"
    "\"env\":{}},\"when\":\"nodes['b'].status == 'success'\","
    "\"retry\":{\"limit\":7,\"backoff\":\"2s\",\"max\":\"9s\",\"factor\":3,"
    "\"jitter\":0.5,\"on\":[\"timeout\",\"command_failed\"]},"
    "\"timeout\":\"30s\"},"
    "{\"name\":\"d d\",\"dependencies\":[\"b\"],\"when\":\"context.go\","
    "\"retry\":{\"limit\":0,\"on\":[\"interrupted\",\"timeout\"]}},"
    "{\"name\":\"\xc3\xa9\",\"op\":\"lua\",\"with\":{\"script\":"
    "\"return '${{ x }}'\",\"input\":\"${{ execution.id }}\"}},"
    "{\"name\":\"each\",\"dependencies\":[\"b\"],\"when\":\"context.go\","
    "\"for_each\":\"${{ nodes.a.result.list }}\",\"concurrency\":7,"
    "\"op\":\"delay\",\"with\":{\"duration\":\"${{ item.wait[1] }}\"}},"
    "{\"name\":\"literal\",\"for_each\":[1,{\"x\":\"a${{ context.b }}\"},"
    "\"${{ 1 + 1 }}\"],\"op\":\"mix\",\"with\":{\"any\":[\"${{ index }}\","
    "\"${{ item }}-${{ index + 1 }}\"]}}]}";

static void
a_plan_holds_what_the_document_says(void **state)
{
	struct plan *p = compile(every_feature);
	const struct plan_node *n = plan_nodes(p);
	const uint32_t *first = plan_at(p, p->successor_index);
	const uint32_t *next = plan_at(p, p->successors);
	const uint32_t *roots = plan_at(p, p->roots);

	(void)state;
	assert_int_equal(p->node_count, 7);
	assert_int_equal(p->edge_count, 5);
	assert_int_equal(p->timeout_ns, 3600000000000);
	assert_int_equal(p->durability, DURABILITY_MEMORY);
	assert_int_equal(p->root_count, 3);
	assert_int_equal(roots[0], 1);
	assert_int_equal(roots[1], 4);
	assert_string_equal(plan_node_name(p, 4), "\xc3\xa9");
	assert_string_equal(plan_op_name(p, n[0].op), "delay");
	assert_string_equal(plan_op_name(p, n[3].op), "noop");
	assert_int_equal(n[0].trigger, TRIGGER_ALL_DONE);
	assert_int_equal(n[0].flags, PLAN_NODE_STATIC);
	assert_int_equal(n[1].flags, PLAN_NODE_PURE | PLAN_NODE_STATIC);
	assert_int_equal(n[2].flags, PLAN_NODE_LEAF | PLAN_NODE_ONCE);
	assert_int_equal(n[3].flags, PLAN_NODE_LEAF | PLAN_NODE_STATIC);
	assert_int_equal(n[2].indegree, 2);
	assert_int_equal(n[2].retry_limit, 7);
	assert_int_equal(n[2].retry_backoff_ns, 2000000000);
	assert_int_equal(n[2].retry_max_ns, 9000000000);
	assert_true(n[2].retry_factor > 2.9f && n[2].retry_factor < 3.1f);
	assert_true(n[2].retry_jitter > 0.4f && n[2].retry_jitter < 0.6f);
	assert_int_equal(n[2].timeout_ns, 30000000000);
	assert_int_equal(n[2].for_each, 0);
	assert_int_equal(n[2].concurrency, 0);
	assert_int_equal(n[5].concurrency, 7);
	assert_int_equal(n[6].concurrency, CONCURRENCY_DEFAULT);
	assert_int_equal(first[1], 3);
	assert_int_equal(next[first[0]], 2);
	assert_int_equal(next[first[0] + 1], 3);
	assert_int_equal(next[first[0] + 2], 5);
	assert_int_equal(next[first[1]], 0);
	assert_int_equal(next[first[1] + 1], 2);
	assert_int_equal(plan_find(p, "d d", 3), 3);
	assert_int_equal(plan_find(p, "d d", 1), PLAN_NONE);
	assert_int_equal(plan_find(p, "", 0), PLAN_NONE);
	assert_int_equal(plan_find(p, "a\0", 2), PLAN_NONE);
	assert_true(plan_is_ancestor(p, 2, 1, &m));
	assert_true(plan_is_ancestor(p, 3, 1, &m));
	assert_false(plan_is_ancestor(p, 1, 2, &m));
	assert_false(plan_is_ancestor(p, 1, 1, &m));
	assert_false(plan_is_ancestor(p, 4, 1, &m));
	assert_false(plan_is_ancestor(p, 4, 99, &m));
	free(p);
}

static void
a_plan_knows_what_is_retried(void **state)
{
	struct plan *p = compile(every_feature);
	const struct plan_node *n = plan_nodes(p);

	(void)state;
	assert_string_equal(
	    plan_at(p, n[2].retry_on), "command_failed timeout");
	assert_true(plan_retry_on(p, &n[2], "timeout"));
	assert_true(plan_retry_on(p, &n[2], "command_failed"));
	assert_false(plan_retry_on(p, &n[2], "command"));
	assert_false(plan_retry_on(p, &n[2], "timeouts"));
	assert_false(plan_retry_on(p, &n[2], "command_failed timeout"));
	assert_false(plan_retry_on(p, &n[2], ""));
	assert_false(plan_retry_on(p, &n[2], NULL));
	assert_true(plan_retry_on(p, &n[3], "interrupted"));
	assert_false(plan_retry_on(p, &n[0], "timeout"));
	free(p);
}

static void
one_canonical_form_gives_one_plan(void **state)
{
	struct document *d = read_text(every_feature);
	struct plan *p = compile(every_feature), *again;
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	document_canonical(d, &test_ops, &b);
	again = compile(b.data);
	assert_int_equal(p->size, again->size);
	assert_memory_equal(p, again, p->size);
	free(p);
	free(again);
	buf_free(&b);
}

static void
a_large_plan_is_sound(void **state)
{
	struct plan *p;
	struct buf b;

	(void)state;
	buf_create(&b, 0);
	buf_puts(&b, "{\"nodes\":[{\"name\":\"0\"}");
	for (int i = 1; i < 20000; i++)
		buf_printf(&b,
		    ",{\"name\":\"%d\",\"dependencies\":[\"%d\",\"%d\"]}",
		    (i * 7919) % 20000, ((i - 1) * 7919) % 20000,
		    i > 1 ? ((i - 2) * 7919) % 20000 : 99999);
	/* the second node has one dependency only */
	*strstr(b.data, ",\"99999\"") = ' ';
	memset(strstr(b.data, "\"99999\""), ' ', 7);
	buf_puts(&b, "]}");
	p = compile(b.data);
	assert_int_equal(p->node_count, 20000);
	assert_int_equal(p->edge_count, 39997);
	for (uint32_t i = 0; i < p->node_count; i++)
		assert_int_equal(plan_find(p, plan_node_name(p, i),
				     strlen(plan_node_name(p, i))),
		    i);
	free(p);
	buf_free(&b);
}

/* Corruption -------------------------------------------------------------- */

/* 0 or -1, like plan_check; a plan that passes is walked. The copy has its
 * exact size, so that a sanitizer sees a read beyond it. */
static int
check_copy(const void *bytes, size_t len, bool with_checksum)
{
	struct plan *p = malloc(len > 0 ? len : 1);
	struct err e;
	int ret;

	memcpy(p, bytes, len);
	if (with_checksum && len >= sizeof(*p))
		p->checksum = plan_checksum(p, len);
	ret = plan_check(p, len, &e);
	if (ret == 0)
		assert_true(walk_plan(p) != UINT64_MAX);
	else
		assert_non_null(e.code);
	free(p);
	return ret;
}

static void
any_changed_byte_is_noticed(void **state)
{
	struct plan *p = compile(every_feature);
	unsigned char *bytes = (unsigned char *)p;

	(void)state;
	for (size_t i = 0; i < p->size; i++) {
		unsigned char old = bytes[i];
		size_t size = p->size;

		bytes[i] ^= (unsigned char)(1u << (i & 7));
		assert_int_equal(check_copy(bytes, size, false), -1);
		bytes[i] = old;
	}
	free(p);
}

static void
a_cut_or_longer_plan_is_refused(void **state)
{
	struct plan *p = compile(every_feature);
	unsigned char *copy = calloc(1, p->size + 64);
	struct err e;

	(void)state;
	memcpy(copy, p, p->size);
	for (size_t len = 0; len < p->size; len += 1 + len / 50)
		assert_int_equal(check_copy(copy, len, true), -1);
	assert_int_equal(check_copy(copy, p->size + 8, true), -1);
	((struct plan *)(void *)copy)->size = p->size + 8;
	assert_int_equal(check_copy(copy, p->size + 8, true), -1);
	/* not aligned */
	memmove(copy + 4, p, p->size);
	assert_int_equal(plan_check(copy + 4, p->size, &e), -1);
	assert_string_equal(e.code, "corrupted_plan");
	free(copy);
	free(p);
}

static void
another_version_has_its_own_code(void **state)
{
	struct plan *p = compile(every_feature);
	struct err e;

	(void)state;
	p->version++;
	assert_int_equal(plan_check(p, p->size, &e), -1);
	assert_string_equal(e.code, "plan_version");
	p->magic++;
	assert_int_equal(plan_check(p, p->size, &e), -1);
	assert_string_equal(e.code, "corrupted_plan");
	free(p);
}

/* With a right checksum, as if made to deceive: each field in turn becomes
 * something interesting; what still passes must be safe to walk. */
static void
forged_plans_are_refused_or_harmless(void **state)
{
	static const uint32_t values[] = {0, 1, 2, 5, 7, 8, 16, 0x7f, 0xff,
	    0x7fffffff, 0x80000000, 0xfffffff0, UINT32_MAX};
	struct plan *p = compile(every_feature);
	size_t size = p->size, passed = 0;
	uint32_t *words = (uint32_t *)(void *)p;

	(void)state;
	for (size_t i = 0; i < size / 4; i++) {
		uint32_t old = words[i];

		for (size_t k = 0; k < sizeof(values) / 4; k++) {
			words[i] = values[k];
			passed += check_copy(p, size, true) == 0;
			words[i] = old + values[k];
			passed += check_copy(p, size, true) == 0;
		}
		words[i] = old;
	}
	assert_true(passed > 0);
	free(p);
}

static void
randomly_damaged_plans_are_refused_or_harmless(void **state)
{
	struct plan *p = compile(every_feature);
	size_t size = p->size;
	unsigned char *copy = malloc(size);

	(void)state;
	srand(5);
	for (int i = 0; i < 50000; i++) {
		int n = 1 + rand() % 4;

		memcpy(copy, p, size);
		while (n-- > 0)
			copy[(size_t)rand() % size] ^=
			    (unsigned char)(1 + rand() % 255);
		check_copy(copy, size, true);
	}
	free(copy);
	free(p);
}

static void
an_unknown_durability_is_refused(void **state)
{
	struct plan *p = compile(every_feature);

	(void)state;
	p->durability = DURABILITY_COUNT;
	assert_int_equal(check_copy(p, p->size, true), -1);
	p->durability = DURABILITY_SYNC;
	assert_int_equal(check_copy(p, p->size, true), 0);
	p->priority = 101;
	assert_int_equal(check_copy(p, p->size, true), -1);
	free(p);
}

/* A template whose array holds the array itself would never end; two that
 * share would double at each level. */
static void
templates_cannot_share_or_contain_themselves(void **state)
{
	struct plan *p = compile("{\"nodes\":[{\"name\":\"a\",\"op\":\"mix\","
				 "\"with\":{\"any\":[[[1]],[[2]]]}}]}");
	struct template_value *object =
	    (void *)((char *)p + plan_nodes(p)[0].with);
	struct template_value *pair = (void *)((char *)p + object->offset);
	struct template_value *outer = (void *)((char *)p + pair[1].offset);
	uint64_t old = outer[1].offset;

	(void)state;
	assert_int_equal(outer[0].type, TEMPLATE_ARRAY);
	outer[1].offset = outer[0].offset;
	assert_int_equal(check_copy(p, p->size, true), -1);
	outer[1].offset = pair[1].offset;
	assert_int_equal(check_copy(p, p->size, true), -1);
	outer[1].offset = old;
	assert_int_equal(check_copy(p, p->size, true), 0);
	free(p);
}

static void
a_cycle_in_a_plan_is_refused(void **state)
{
	struct plan *p = compile("{\"nodes\":[{\"name\":\"a\"},{\"name\":\"b\","
				 "\"dependencies\":[\"a\"]},{\"name\":\"c\","
				 "\"dependencies\":[\"b\"]}]}");
	uint32_t *deps = (void *)((char *)p + p->dependencies);
	uint32_t *next = (void *)((char *)p + p->successors);
	uint32_t *first = (void *)((char *)p + p->successor_index);

	(void)state;
	/* b depends on c instead of a, consistently both ways */
	deps[0] = 2;
	first[1] = 0;
	first[2] = 1;
	next[0] = 2;
	next[1] = 1;
	assert_int_equal(check_copy(p, p->size, true), -1);
	free(p);
}

static void
running_out_of_memory_gives_no_plan(void **state)
{
	struct document *d = read_text(every_feature);
	struct plan *p = NULL;
	struct err e;
	long n;

	(void)state;
	for (n = 0; p == NULL; n++) {
		mem_fail_after(n);
		p = plan_compile(d, &test_ops, &e);
		mem_fail_after(-1);
		if (p == NULL)
			assert_string_equal(e.code, "out_of_memory");
		assert_in_range(n, 0, 1000);
	}
	assert_true(n > 5);
	mem_fail_after(0);
	assert_int_equal(plan_check(p, p->size, &e), -1);
	mem_fail_after(-1);
	assert_string_equal(e.code, "out_of_memory");
	assert_int_equal(plan_check(p, p->size, &e), 0);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_plan_holds_what_the_document_says),
	    cmocka_unit_test(a_plan_knows_what_is_retried),
	    cmocka_unit_test(one_canonical_form_gives_one_plan),
	    cmocka_unit_test(a_large_plan_is_sound),
	    cmocka_unit_test(any_changed_byte_is_noticed),
	    cmocka_unit_test(a_cut_or_longer_plan_is_refused),
	    cmocka_unit_test(another_version_has_its_own_code),
	    cmocka_unit_test(forged_plans_are_refused_or_harmless),
	    cmocka_unit_test(randomly_damaged_plans_are_refused_or_harmless),
	    cmocka_unit_test(an_unknown_durability_is_refused),
	    cmocka_unit_test(templates_cannot_share_or_contain_themselves),
	    cmocka_unit_test(a_cycle_in_a_plan_is_refused),
	    cmocka_unit_test(running_out_of_memory_gives_no_plan),
	};

	return cmocka_run_group_tests_name("plan", tests, setup, teardown);
}
