/* call_fixture.h - one node of a small plan, ready to be evaluated: a plan from
 * YAML, and a scope made of literals. */
#ifndef CALL_FIXTURE_H
#define CALL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dag/document.h"
#include "exec/lua_sandbox.h"
#include "exec/op_call.h"

#define FIXTURE_NODES 8

struct fixture {
	struct mem mem;
	struct plan *plan;
	const char *context;
	const char *results[FIXTURE_NODES];
	const char *statuses[FIXTURE_NODES];
	unsigned looked; /* how often a result was asked for */
};

static inline const char *
fixture_context(const struct scope *s, size_t *len)
{
	const struct fixture *f = s->run;

	*len = strlen(f->context);
	return f->context;
}

static inline const char *
fixture_result(const struct scope *s, uint32_t node, size_t *len)
{
	struct fixture *f = s->run;

	f->looked++;
	if (f->results[node] != NULL)
		*len = strlen(f->results[node]);
	return f->results[node];
}

static inline const char *
fixture_status(const struct scope *s, uint32_t node)
{
	const struct fixture *f = s->run;

	return f->statuses[node];
}

static inline void
fixture_open(struct fixture *f, const char *yaml)
{
	struct document_options options = {
	    .ops = op_table_set(), .name_required = true};
	struct document *d;
	struct faults faults;
	struct err e;

	memset(f, 0, sizeof(*f));
	f->context = "{}";
	mem_create(&f->mem, 0);
	faults_create(&faults, &f->mem, 10);
	if (document_parse(&f->mem, DOCUMENT_YAML, yaml, strlen(yaml), &options,
		&faults, &d) != 0)
		fail_msg("%s: %s", faults.list[0].code, faults.list[0].message);
	f->plan = plan_compile(d, op_table_set(), &e);
	assert_non_null(f->plan);
}

static inline void
fixture_close(struct fixture *f)
{
	free(f->plan);
	mem_destroy(&f->mem);
}

static inline struct op_call *
fixture_call(struct fixture *f, const char *node)
{
	struct op_call *call = op_call_new();

	assert_non_null(call);
	call->scope.plan = f->plan;
	call->scope.run = f;
	memset(call->scope.execution.bytes, 0xab, 16);
	call->scope.context = fixture_context;
	call->scope.result = fixture_result;
	call->scope.status = fixture_status;
	call->node = plan_find(f->plan, node, strlen(node));
	assert_int_not_equal(call->node, PLAN_NONE);
	call->attempt = 1;
	call->op = op_by_name(
	    plan_op_name(f->plan, plan_nodes(f->plan)[call->node].op));
	return call;
}

#endif
