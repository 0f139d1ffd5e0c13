/* database.h - PostgreSQL in the worker's event loop: pools of libpq
 * connections that never block it.
 *
 * Owner:    the worker. A struct query is its caller's, who keeps it and its
 *           parameters until `done` was called, or calls query_forget.
 * Round:    "set the actor", "prepare" (the first time on a connection) and the
 *           statement travel in one pipeline: one round trip, one transaction.
 * Fails:    without a database query_submit says so at once; a connection that
 *           is lost ends its query with QUERY_LOST (what became of the
 *           statement is unknown) or QUERY_UNAVAILABLE (it was never sent).
 * Leaves:   a query whose owner went away runs to its end on its connection,
 *           which stays sound; statement_timeout bounds it.
 * Process:  a worker's event loop only.
 * Kore:     connections are those of Kore's pgsql, see connection.c.
 */
#ifndef OPEN_WEB_DATABASE_H
#define OPEN_WEB_DATABASE_H

#include <libpq-fe.h>

#include "base/uuid.h"
#include "web/config.h"
#include "web/sql.h"

enum database_pool {
	POOL_API,     /* role open_server: requests */
	POOL_SYSTEM,  /* role open_system: recovery, health */
	POOL_JOURNAL, /* role open_system: one connection, for the journal */
	POOL_LISTEN,  /* role open_system: one connection, for notifications */
	POOL_COUNT
};

enum query_outcome {
	QUERY_OK,
	QUERY_ERROR,	   /* the database refused: sqlstate and the rest */
	QUERY_UNAVAILABLE, /* never reached the database */
	QUERY_LOST	   /* sent, but its end is unknown */
};

struct database_connection;
struct pool;

struct query {
	/* The caller's, before query_submit. */
	const struct sql *sql;
	const struct sql_params *params; /* NULL: none */
	const char *actor; /* who acts, see actor.h; NULL: the server itself */
	/* With an actor: the statement is never planned for its parameters, which
	 * can take longer than running it. */
	bool planned_once;
	bool binary; /* the format of the rows */
	void (*done)(struct query *);
	void *arg;

	/* In done. result: QUERY_OK only; query_clear frees it. */
	enum query_outcome outcome;
	PGresult *result;
	char sqlstate[6];
	char constraint[64];
	char message[256]; /* for the log */

	/* database.c's. */
	struct pool *pool;
	struct database_connection *connection;
	struct query *next, *previous;
	bool queued, retried;
};

/* Once per worker; connections open when they are first needed, those that the
 * server itself needs at once. */
void database_start(const struct config *);
/* Ends all connections. */
void database_stop(void);

/* 0: done follows, never before this returns. -1: no database; done is not
 * called, outcome is QUERY_UNAVAILABLE. */
int query_submit(enum database_pool, struct query *);
void query_forget(struct query *); /* done is not called any more */
void query_clear(struct query *);  /* frees the result */
/* The database refuses what was asked for, and always will: bad data (SQLSTATE
 * class 22), a constraint (23), too large (54). Of a batch it may be one. */
bool query_refused(const struct query *);

/* Notifications: payload of every NOTIFY on channel; NULL after the listening
 * connection was made anew (some may have been missed). At most 16 channels,
 * before database_start. */
void database_listen(const char *channel, void (*notified)(const char *));

/* For /readyz, /metrics. */
struct database_status {
	bool reached;	     /* a connection is open */
	const char *refused; /* why the server won't work with it, or NULL */
	unsigned open, busy, waiting;
	uint64_t queries, failures;
};
void database_status(enum database_pool, struct database_status *);
/* Type OID of open.node_history_entry as the pool's newest connection saw it;
 * 0: none. */
unsigned database_entry_oid(enum database_pool);

/* Outside the event loop (teardown): waits up to timeout_ms for traffic and
 * handles it. */
void database_pump(int timeout_ms);

#endif
