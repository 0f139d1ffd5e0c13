/* op_call.h - one attempt of one node whose op is not a pure noop, from start
 * to outcome.
 *
 * Owner:    the arena that started it; freed by op_call_free on its thread.
 * Lifetime: one attempt. All it allocates lives in its own struct mem.
 * Threads:  handed over whole: arena → compute thread or runner client →
 *           arena. Never two at once, except `stop`, which anyone may set.
 * Knows:    nothing of shared memory: what it reads of the run comes through
 *           struct scope.
 */
#ifndef OPEN_EXEC_OP_CALL_H
#define OPEN_EXEC_OP_CALL_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/mem.h"
#include "base/uuid.h"
#include "dag/json.h"
#include "dag/op.h"
#include "dag/plan.h"
#include "exec/fair.h"
#include "exec/secret_value.h"

/* What expressions see. All functions may be called on a compute thread while
 * the run goes on: a terminal node's result never changes. Texts are JSON, not
 * NUL-terminated, valid as long as the run. */
struct scope {
	const struct plan *plan;
	struct uuid execution, organization;
	unsigned allowed; /* enum run_allowed */
	void *run;
	const char *(*context)(const struct scope *, size_t *len);
	/* JSON of a terminal node's result, or NULL (none: reads as nil). */
	const char *(*result)(const struct scope *, uint32_t node, size_t *len);
	/* "success" "failed" "skipped" "cancelled", or NULL while not terminal.
	 */
	const char *(*status)(const struct scope *, uint32_t node);
};

/* What the organization's settings let a run do, as they were when it started
 * (or was adopted from the database). */
enum run_allowed {
	ALLOW_PRIVATE_ADDRESSES = 1 /* "allow_private_addresses" */
};

enum outcome_state {
	OUTCOME_SUCCESS,
	OUTCOME_FAILED,
	OUTCOME_SKIPPED,
	OUTCOME_CANCELLED
};

struct op_outcome {
	enum outcome_state state;
	bool retryable;	    /* a failure that retry may cure */
	const char *result; /* JSON text in call->mem, NULL: none; at most
			       limits.result_bytes */
	size_t result_len;
	const char *error_code; /* literal */
	const char *error;	/* a sentence in call->mem, NULL: none */
	const char *log;	/* text in call->mem, NULL: none */
	size_t log_len;
	int64_t cpu_ns; /* CPU time spent */
};

struct op;
struct io_class;

/* What of its node a call is about. A node with for_each runs as one call of
 * its list, and then as one of each element. */
enum call_part {
	CALL_NODE,   /* when and with */
	CALL_LIST,   /* when and for_each; no op follows */
	CALL_ROOTS,  /* the same of a list that is known: only its roots */
	CALL_ELEMENT /* with, where item and index are known */
};

struct op_call {
	struct mem mem;
	struct scope scope;
	uint32_t node;
	uint16_t attempt;   /* from 1 */
	int64_t started_ns; /* of the first attempt, CLOCK_MONOTONIC */
	const struct op *op;
	const struct json *params; /* evaluated; an object (possibly empty) */
	int64_t timeout_ns;	   /* of the node; 0: none */
	uint32_t tenant;	   /* of its run: see tenants.h */
	int32_t priority;	   /* of its run */
	_Atomic bool stop;	   /* cancel or timeout: end soon */
	struct op_outcome outcome;

	/* The arena's, untouched by ops, compute and the runner's client. */
	uint64_t run_ref;
	struct op_call *next;

	/* Of whoever works on the call: compute (on its threads driver is the
	 * struct lua_sandbox), the runner's client or a driver of io.h. */
	void *driver;
	struct fair_item queued;
	uint32_t work;

	/* Set by a driver of io.h: op->compute turns it into the outcome, on a
	 * compute thread, or only frees it where stop is set. */
	void *rest;

	struct secret_set *secrets; /* of its run as it started; a reference */
	/* eval.c: what it parsed of the scope; an element's begin with those of
	 * its list's call, which then lives longer. */
	const struct eval_root *roots;

	enum call_part part;
	uint32_t element; /* CALL_ELEMENT: index, from 0 */
	const char *item; /* CALL_ELEMENT: JSON */
	size_t item_len;
	uint32_t count;	    /* CALL_LIST: elements of the list, which as JSON is
			       outcome.result */
	uint32_t *starts;   /* CALL_LIST: see list_split */
	uint32_t count_max; /* CALL_LIST */
	size_t list_bytes;  /* CALL_LIST: the longest list */
};

enum op_kind {
	OP_NOOP,    /* ends at once; never called */
	OP_TIMER,   /* delay() says how long; the arena waits */
	OP_COMPUTE, /* compute() runs on a compute thread and fills outcome */
	OP_COMMAND, /* handed to the runner process, see runner_client.h */
	OP_INLINE,  /* compute() at once on the arena's thread: a moment's work
		     */
	OP_IO	    /* waits for sockets: handed to a driver, see io.h */
};

struct op {
	struct op_schema schema;
	enum op_kind kind;
	/* OP_TIMER: nanoseconds to wait after the node started, or -1 and the
	 * outcome filled. */
	int64_t (*delay)(struct op_call *);
	void (*compute)(struct op_call *);
	const struct io_class *io; /* OP_IO */
	/* What it waits for outlives its server: an attempt that was cut off
	 * goes on from its start instead of counting as interrupted. */
	bool goes_on;
	bool idle; /* OP_IO that waits for people or other executions: holds no
		      place of the organization or a pool meanwhile */
};

/* The built-in ops, then those of modules; index = id in this process.
 * ops/registry.c */
#define OPS_MAX 64
extern const struct op *op_table[OPS_MAX];
extern size_t op_table_count;
/* Adds one, which lives as long as the process; before anything reads a
 * document. -1: "op_exists", "too_many_ops". */
int op_register(const struct op *, struct err *e);
const struct op_set *op_table_set(void);       /* their schemas, for dag */
const struct op *op_by_name(const char *name); /* NULL: unknown */

struct op_call *op_call_new(void); /* NULL: out of memory */
void op_call_free(struct op_call *);
/* Sets a failed outcome. The text is cut at 4 KiB and made valid UTF-8. */
void op_call_fail(struct op_call *, bool retryable, const char *code,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same for a call that was told to stop. */
void op_call_cancelled(struct op_call *);
/* Sets a successful outcome with v (NULL: none) as its result, or the failure
 * "result_too_large" when its text is longer than limit. */
void op_call_result(struct op_call *, const struct json *v, size_t limit);
/* A parameter as text in call->mem: a string as it stands, anything else as
 * JSON; never NULL. */
const char *op_param_text(struct op_call *, const struct json *);
/* A copy in m with invalid UTF-8 and NUL replaced by U+FFFD; NULL when m is
 * full. text itself when it is fine and ends in NUL. */
const char *op_text(struct mem *m, const char *text, size_t len, size_t *out);

/* eval.c's work, before the op starts:
 * eval_when: 1 true, 0 false, -1 failed (outcome filled). No expression: 1.
 *   False are null and false, all else is true, as in Lua.
 * eval_params: 0 and call->params, or -1 (outcome filled).
 * eval_prepare: all that call->part says: 1 prepared, 0 the condition does not
 * hold, -1 failed; in both cases the outcome is filled. A prepared list is a
 * successful outcome, and its call's roots are what its elements' parameters
 * will look at.
 * eval_needs_lua: whether the part holds a Lua expression; such a call must be
 * evaluated on a compute thread (compute_submit does it), others may be
 * evaluated on the arena's thread.
 * eval_bytes: how much JSON of the scope is parsed for it (0.02 us a byte). */
int eval_when(struct op_call *);
int eval_params(struct op_call *);
int eval_prepare(struct op_call *);
bool eval_needs_lua(const struct op_call *);
size_t eval_bytes(const struct op_call *);

#endif
