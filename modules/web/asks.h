/* asks.h - what running nodes wait for in the database: requests of the arena
 * (exec/host.h), asked in batches, asked again when mail comes.
 *
 *   arena's thread ─tell─► posted ─eventfd─► table ─► lane ─► one statement
 *                                              ▲                │
 *           NOTIFY open_mail: an execution ────┘  (idle) ◄──────┤
 *                                                   host_answer ◄
 *
 * Truth:    PostgreSQL. What is here can be lost with the process: the arena
 *           that takes the runs over asks anew.
 * Lanes:    a lane is one statement and what waits for it; at most one batch of
 *           a lane is under way. A request is in one lane at a time.
 * Mail:     "open_mail" names an execution for which something was committed: a
 *           signal, or the end of a child. A request that is asked at that very
 *           moment is asked once more.
 * Process:  a worker's event loop, but for asks_source's tell.
 */
#ifndef OPEN_WEB_ASKS_H
#define OPEN_WEB_ASKS_H

#include "web/database.h"
#include "web/server.h"

#define LANE_MAX 256

enum ask_state { /* bits of host_request.state */
	ASK_QUEUED = 1,
	ASK_SENT = 2,	  /* in the batch under way */
	ASK_AGAIN = 4,	  /* when the batch is done */
	ASK_LATER = 8,	  /* at the next tick */
	ASK_DUE = 16,	  /* its deadline has passed */
	ASK_STOPPED = 32, /* nobody waits for the answer any more */
	ASK_DROPPED = 64, /* likewise, and another process will ask */
	ASK_ANSWERED = 128,
	ASK_KNOWN = 256 /* lane's: its child is there */
};

struct lane {
	const struct sql *sql;
	const char *name; /* for the log */
	/* Fills params from batch[0..count). */
	void (*put)(struct lane *);
	/* The rows are there: answers requests, or leaves them. */
	void (*take)(struct lane *, const struct sql_rows *);
	/* Nothing came of the statement: lost: it may have been done all the
	 * same. NULL: nothing to do. */
	void (*failed)(struct lane *, bool lost);
	/* The last batch of a stopped request: it is forgotten afterwards. */
	bool closing;

	struct query query;
	struct sql_params params;
	struct mem mem;
	struct host_request *queue, **queue_end, *later;
	struct host_request *batch[LANE_MAX];
	unsigned count, limit;
};

void lane_create(struct lane *);
void lane_push(struct lane *, struct host_request *);
void lane_send(struct lane *);

/* --- for a lane's put --- */
typedef const char *(*ask_text)(struct mem *, const struct host_request *);
/* A column of the batch, as text[]; of: NULL when out of memory. */
void lane_column(struct lane *, ask_text of);
void lane_server(struct lane *); /* two parameters: this server, its epoch */
const char *ask_execution(struct mem *, const struct host_request *);
const char *ask_organization(struct mem *, const struct host_request *);
const char *ask_node(struct mem *, const struct host_request *);
const char *ask_element(struct mem *, const struct host_request *);
const char *ask_attempt(struct mem *, const struct host_request *);
const char *ask_node_name(struct mem *, const struct host_request *);
const char *ask_name(struct mem *, const struct host_request *);

/* --- for a lane's take: the place in column 0; NULL: not of this batch --- */
struct host_request *lane_request(
    struct lane *, const struct sql_rows *, int row);
void ask_answer(struct host_request *, const char *result, size_t len);
void ask_fail(struct host_request *, bool retryable, const char *code,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void ask_overdue(struct host_request *);
/* Asked again at the next tick. */
void ask_later(struct host_request *);

/* --- the server's --- */
/* Once, before exec_create: what goes into its settings. */
struct host_source asks_source(void);
/* In a worker, before the arena starts; -1: no eventfd. */
int asks_init(void);
/* In a worker, before database_start. */
void asks_start(void);

/* signals.c, children.c: the lanes of a kind of request, and its statements for
 * those that were stopped. */
extern struct lane lane_signals, lane_waits_end, lane_children,
    lane_children_cancel;
/* In a worker: looks for what crashes left behind. */
void children_start(void);

#endif
