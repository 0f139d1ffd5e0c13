/* flow_many.c - several statements of a flow under way at once, each on a
 * connection of its own; their rows come in binary. */

#include <assert.h>
#include <string.h>

#include "web/request.h"

static void
one_done(struct query *q)
{
	struct flow *f = q->arg;

	assert(f->many_pending > 0);
	if (--f->many_pending == 0)
		flow_wake(f);
}

enum flow_next
flow_ask_all(struct flow *f, const struct flow_ask *asks, unsigned count)
{
	unsigned i;

	flow_many_clear(f);
	f->many = mem_array(&f->mem, count, sizeof(*f->many));
	if (f->many == NULL || mem_failed(&f->mem))
		return flow_fail(
		    f, 500, "out_of_memory", "The server ran out of memory.");
	f->many_count = count;
	for (i = 0; i < count; i++) {
		struct query *q = &f->many[i];

		assert((unsigned)asks[i].params->count == asks[i].sql->params);
		q->sql = asks[i].sql;
		q->params = asks[i].params;
		q->actor = flow_actor_text(f);
		q->binary = true;
		q->done = one_done;
		q->arg = f;
		atomic_fetch_add(&server.mine->queries, 1);
		if (query_submit(POOL_API, q) == 0)
			f->many_pending++;
	}
	return f->many_pending > 0 ? flow_wait(f) : FLOW_NEXT;
}

const struct sql_rows *
flow_rows_of(const struct flow *f, unsigned i)
{
	assert(i < f->many_count);
	if (f->many[i].outcome != QUERY_OK)
		return NULL;
	return (const struct sql_rows *)(const void *)f->many[i].result;
}

void
flow_error_of(struct flow *f, unsigned i, struct flow_error *e)
{
	assert(i < f->many_count);
	flow_query_error(&f->many[i], e);
}

void
flow_many_forget(struct flow *f)
{
	unsigned i;

	for (i = 0; i < f->many_count; i++)
		query_forget(&f->many[i]);
	f->many_pending = 0;
}

void
flow_many_clear(struct flow *f)
{
	unsigned i;

	for (i = 0; i < f->many_count; i++)
		query_clear(&f->many[i]);
	f->many_count = 0;
}
