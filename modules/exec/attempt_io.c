/* attempt_io.c - nodes that wait for sockets: their drivers, and what is left to
 * compute when a driver is done. */
#include "exec/arena.h"

bool
attempt_io_start(struct arena *a, struct op_call *call)
{
	const struct io_class *class = call->op->io;
	struct err e = {0};
	void *driver = io_driver(
	    &a->io, class, &a->exec->settings, attempt_came_back, a, &e);

	if (driver == NULL) {
		op_call_fail(call, true, "out_of_memory", "%s", e.message);
		return false;
	}
	a->outside++;
	class->start(driver, call);
	return true;
}

void
attempt_io_stop(struct arena *a, struct op_call *call)
{
	const struct io_class *class = call->op->io;
	void *driver = io_driver(
	    &a->io, class, &a->exec->settings, attempt_came_back, a, NULL);

	class->stop(driver, call);
}

/* Stopped, and so only freed. */
static void
drop(struct op_call *call)
{
	atomic_store(&call->stop, true);
	call->op->compute(call);
}

bool
attempt_io_rest(struct arena *a, struct attempt *t)
{
	struct op_call *call = t->call;

	if (call->rest == NULL)
		return false;
	if (t->timed_out || t->stopped || t->stage != ATTEMPT_IO) {
		drop(call);
		return false;
	}
	t->stage = ATTEMPT_COMPUTE;
	compute_submit(a->compute, call, COMPUTE_OP);
	return true;
}

void
attempts_io_drop(struct arena *a)
{
	for (uint32_t i = 0; i < a->exec->settings.max_runs; i++)
		for (struct attempt *t = a->locals[i].attempts; t != NULL;
		     t = t->next)
			if (t->call != NULL && t->call->rest != NULL)
				drop(t->call);
}
