/* host.h - ops whose answer comes from the host: the driver (io.h) that asks it,
 * for an arena, of what only PostgreSQL knows.
 *
 *   arena's thread:  start ─► HOST_ASK ──┐           ┌─► outcome
 *                    deadline ► HOST_DUE ┼─► host ───┤ host_answer
 *                    stop ────► HOST_STOP┘           └─► nobody: it was stopped
 *
 * State:    none here that must last. Whoever runs the node next asks the same
 *           again (execution, node, element, attempt), so the host's answers
 *           come from durable rows, and a lost note or an answer that never
 *           came costs nothing but asking.
 * Memory:   a waiting call has nothing in shared memory but its node's record;
 *           in the process its op_call and one struct host_request.
 * Host:     host_source.tell is called on the arena's thread and must only hand
 *           the news over; one thread of the host answers. A second answer, and one after
 *           HOST_STOP or HOST_DROP, is thrown away.
 * Owner:    counted: who keeps a request calls host_hold and host_release. In
 *           tell it is the caller's.
 */
#ifndef OPEN_EXEC_HOST_H
#define OPEN_EXEC_HOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/uuid.h"

#define SIGNAL_NAME_MAX 64 /* letters, digits, _ and - */

enum host_kind {
	HOST_SIGNAL, /* a signal of this name to the execution */
	HOST_CHILD   /* an execution of another DAG, from start to end */
};

enum host_news {
	HOST_ASK = 1,  /* a new request */
	HOST_DUE = 2,  /* its deadline has passed: answer, one way or other */
	HOST_STOP = 4, /* nobody wants the answer: cancelled, out of time */
	HOST_DROP = 8  /* the arena ends; the next one will ask again */
};

enum host_outcome {
	HOST_RESULT,
	HOST_FAILED,
	HOST_OVERDUE
};

struct op_call;
struct host_inbox;

struct host_request {
	/* What is asked: constant. */
	enum host_kind kind;
	struct uuid execution, organization;
	uint32_t node, element; /* element: ELEMENT_NONE: none */
	uint16_t attempt;	/* from 1 */
	unsigned allowed;	/* enum run_allowed of the execution */
	int priority;		/* of the execution */
	const char *node_name;
	const char *name;    /* of the signal, or of the DAG */
	const char *context; /* HOST_CHILD: a canonical JSON object */
	size_t context_len;
	int64_t until_us; /* HOST_SIGNAL: the deadline, UTC; INT64_MAX: none */

	/* The host's, zero at first. */
	unsigned news, state;
	int64_t since_ns;
	struct host_request *posted, *queued, *chain;

	/* exec's. */
	_Atomic int owners;
	struct host_inbox *inbox;
	struct op_call *call; /* the arena's thread; NULL: stopped */
	struct host_request *next;
	bool answered; /* then it says: */
	enum host_outcome outcome;
	bool retryable;
	const char *code;
	char *text; /* JSON, or why it failed; NULL: out of memory */
	size_t text_len;
};

struct host_source {
	/* news: one of enum host_news. NULL: there is no such host. */
	void (*tell)(void *ctx, struct host_request *, unsigned news);
	void *ctx;
};

void host_hold(struct host_request *);
void host_release(struct host_request *);

/* The node's result: JSON, copied. NULL: none. */
void host_answer(struct host_request *, const char *result, size_t len);
/* code: a literal; why: a sentence, copied. */
void host_fail(
    struct host_request *, bool retryable, const char *code, const char *why);
/* Nothing came before the deadline. */
void host_overdue(struct host_request *);

/* --- inside exec --- */

extern const struct io_class host_io;
/* The op->compute of these ops: an answer too long to be parsed on the arena's
 * thread. */
void host_result(struct op_call *);

#endif
