/* sql_client.h - inside exec: what the files of the sql driver share:
 *
 *   sql_driver.c       statements in turns, events, timers
 *   sql_connection.c   one libpq connection, from the name to the reset
 *   sql_target.c       what a connection text may say
 *   sql_answer.c       rows become a result, on a compute thread
 *   sql_cancel.c       asks servers to end statements, on a thread
 */
#ifndef OPEN_EXEC_SQL_CLIENT_H
#define OPEN_EXEC_SQL_CLIENT_H

#include <libpq-fe.h>

#include "base/hash.h"
#include "exec/names.h"
#include "exec/sql.h"
#include "exec/sql_answer.h"
#include "exec/timer.h"

/* --- sql_target.c --- */

#define SQL_OPTIONS 16

struct sql_target { /* lives in the call's memory, like the text */
	const char *keywords[SQL_OPTIONS + 1], *values[SQL_OPTIONS + 1];
	unsigned count;
	const char *host, *port;
	const char *tls; /* sslmode; NULL: the text does not say */
};
/* Reads a libpq connection text. -1 and e: "invalid_connection". No message
 * shows any of it but names of options. */
int sql_target_read(
    struct sql_target *, struct mem *m, const char *text, struct err *e);
/* The first address of a list as names.h gives it ("192.0.2.1,[2001:db8::1]")
 * or of a host that is one itself, that may be reached, and whether it is a
 * public one; NULL: none. In m. */
const char *sql_target_address(const struct sql_settings *, unsigned allowed,
    struct mem *m, const char *list, const char *port, bool *public);
bool sql_target_is_address(const char *host);
/* Completes the options for a connection to this address. */
void sql_target_finish(struct sql_target *, const struct sql_settings *,
    const char *address, bool public);

/* --- sql_cancel.c --- */

struct canceller;
struct canceller *canceller_new(void);
/* Takes the PGcancel; it may be dropped where too many wait. */
void canceller_ask(struct canceller *, PGcancel *);
/* Does not wait for a thread that is in the midst of asking. */
void canceller_free(struct canceller *);

/* --- the driver --- */

enum sql_state {
	SQL_NAMING,	/* host's address is looked up */
	SQL_CONNECTING, /* PQconnectPoll */
	SQL_RUNNING,	/* a statement */
	SQL_RESETTING,	/* DISCARD ALL; nobody waits for it */
	SQL_IDLE
};

struct sql_client;
struct sql_pool;

struct sql_work { /* a statement; in its call's memory */
	struct timer timer;
	struct op_call *call;
	struct sql_pool *pool;
	struct sql_connection *connection; /* NULL: waits for one */
	struct sql_work *next, *prev;	   /* in the pool's queue */
	struct sql_target target;
	const char *statement;
	const char *const *values;
	int value_count;
	int64_t timeout_ns;
	uint32_t max_rows;
	size_t max_bytes;
	struct sql_answer answer;
	bool failed; /* the outcome is filled */
};

struct sql_connection {
	struct timer timer; /* idle: when it is closed; resetting: likewise */
	enum sql_state state;
	uint32_t index, generation;
	struct sql_pool *pool;
	struct sql_work *work; /* NULL: idle or resetting */
	struct lookup *lookup; /* while naming */
	PGconn *pg;
	int fd; /* in epoll; -1: none */
	bool writing;
	uint64_t bytes; /* of the socket, when the statement began */
	struct sql_connection *idle_next; /* of its pool, newest first */
};

struct sql_pool {
	struct sql_pool *next;
	struct uuid organization;
	unsigned allowed;
	unsigned char hash[SHA256_SIZE]; /* of the connection text */
	unsigned count;			 /* connections in any state */
	struct sql_connection *idle;
	struct sql_work *queue, *queue_last;
};

struct sql_client {
	struct sql_settings settings;
	io_done done;
	void *ctx;
	int fd; /* epoll */
	struct timers timers;
	struct names *names;
	struct canceller *canceller;
	struct sql_connection **connections; /* by index; NULL: free */
	unsigned count;			     /* of them in use */
	uint32_t generation;
	struct sql_pool *pools;
};

enum sql_timer {
	SQL_TIMER_WORK,
	SQL_TIMER_CONNECTION
};

/* sql_connection.c. Those that take a connection may end it (and its work). */

/* For a statement that has none; false: its outcome is filled. */
bool sql_connection_open(
    struct sql_client *, struct sql_pool *, struct sql_work *);
/* Gives an idle one to a statement. */
void sql_connection_run(
    struct sql_client *, struct sql_connection *, struct sql_work *);
void sql_connection_named(
    struct sql_client *, struct sql_connection *, struct lookup *);
void sql_connection_ready(struct sql_client *, struct sql_connection *);
/* Closes it; a statement that runs on it is cancelled at its server. */
void sql_connection_close(
    struct sql_client *, struct sql_connection *, bool cancel);

/* sql_driver.c */
/* The statement is over: its outcome, or its answer, is there. */
void sql_work_end(struct sql_client *, struct sql_work *);
/* A connection is free, or one less is there: the pool's next statement. */
void sql_pool_next(struct sql_client *, struct sql_pool *);

#endif
