/* compute.h - threads for everything that computes: Lua expressions and ops of
 * kind OP_COMPUTE.
 *
 * Owner:    an arena; created on its thread after the fork, destroyed on it.
 * Threads:  `threads` POSIX threads, on any CPU. compute_submit and
 *           compute_stop are the arena thread's; done is called on a compute
 *           thread and must only hand the call back (it may not block).
 * Order:    fair between organizations, then by priority: see fair.h.
 * Budgets:  a Lua script that exceeds its time or memory is ended, also inside
 *           a C function of Lua's library.
 */
#ifndef OPEN_EXEC_COMPUTE_H
#define OPEN_EXEC_COMPUTE_H

#include "exec/op_call.h"

struct compute;

/* Which of its work a call still needs when it is handed over. */
enum compute_work {
	/* eval_prepare; a false condition gives OUTCOME_SKIPPED */
	COMPUTE_PREPARE = 1,
	/* op->compute */
	COMPUTE_OP = 2
};

struct compute_settings {
	unsigned threads;
	unsigned tenants;    /* of calls; the arena's to set. 0: one */
	int64_t lua_time_ns; /* CPU time of one script or expression, 1 s */
	size_t lua_memory;   /* bytes, 64 MiB */
	size_t result_bytes; /* largest result of a node, 1 MiB */
};

/* prepared: the work was COMPUTE_PREPARE alone, it succeeded and the condition
 * holds: the op is still to be started. */
typedef void (*compute_done)(void *ctx, struct op_call *, bool prepared);

/* NULL and e when threads or their timers can't be had. */
struct compute *compute_new(const struct compute_settings *, compute_done done,
    void *ctx, struct err *e);
void compute_submit(struct compute *, struct op_call *, unsigned work);
/* Sets call->stop and interrupts it where it computes; done is still called,
 * with OUTCOME_CANCELLED. */
void compute_stop(struct compute *, struct op_call *);
/* Stops all calls, joins the threads; done is called for each. */
void compute_free(struct compute *);

#endif
