/* connection.h - one of Kore's pgsql connections in the event loop; between
 * database.c (pools) and connection.c, nobody else's.
 *
 * States:   closed → opening (knock without blocking, take a connection from
 *           Kore, greet: prepare the actor, check the role, listen) → idle ⇄
 *           busy → closed.
 * Lifetime: the struct lives as long as the worker, for the event loop may
 *           still hold an event of a connection that was just closed.
 */
#ifndef OPEN_WEB_CONNECTION_H
#define OPEN_WEB_CONNECTION_H

#include "web/database.h"
#include "web/kore_api.h"

enum connection_state {
	CONNECTION_CLOSED,
	CONNECTION_OPENING,
	CONNECTION_IDLE,
	CONNECTION_BUSY
};

#define PREPARED_SLOTS 1024

struct database_connection {
	struct kore_event event; /* of the knock; first: Kore asks for it */
	struct pool *pool;
	PGconn *knock;		 /* opening: is anybody there? */
	struct kore_pgsql pgsql; /* held until the connection is closed */
	bool held;
	enum connection_state state;
	bool greeting;	  /* opening: connected, waits for the greeting */
	bool writing;	  /* libpq holds bytes it could not send yet */
	int watched;	  /* events that Kore's loop looks for; 0: none yet */
	int64_t since_ns; /* when the state began */

	/* The round under way. */
	struct query *query; /* NULL: its owner went away */
	unsigned results;    /* of the round, seen so far */
	unsigned at;	     /* which of them is the statement's */
	uint64_t preparing;  /* key, 0: prepared before */
	PGresult *result;
	bool failed; /* of the round: first error kept below */
	bool stale;  /* close it after the round */
	char sqlstate[6], constraint[64], message[256];

	uint64_t prepared[PREPARED_SLOTS]; /* keys, open addressing */
	unsigned prepared_count;
};

struct pool {
	const char *name;
	char *conninfo;
	bool listens;
	unsigned max;
	struct database_connection *connections;
	struct query *first, *last; /* waiting for a connection */
	unsigned waiting;
	int64_t connect_timeout_ns, busy_limit_ns;
	int64_t closed_until; /* the breaker; 0: the last connect worked */
	char refused[200];
	unsigned entry_oid;
	uint64_t queries, failures;
};

void connection_create(struct database_connection *, struct pool *);
/* Failing at once calls pool_failed only; later, pool_drain follows. */
void connection_open(struct database_connection *);
void connection_close(struct database_connection *);
void connection_send(struct database_connection *, struct query *);
/* Ends what takes too long. */
void connection_check(struct database_connection *, int64_t now);
/* For a poll outside of the event loop: its socket (-1: none), the events, and
 * what follows when one came. */
int connection_socket(const struct database_connection *);
short connection_wants(const struct database_connection *);
void connection_step(struct database_connection *);
/* The error only means that a prepared statement must be made anew. */
bool connection_stale_plan(const struct query *);

/* database.c's, called by connection.c. */
void pool_ready(struct database_connection *);
void pool_failed(struct database_connection *, const char *why, bool refused);
void pool_drain(struct pool *);
void pool_done(struct pool *, struct query *);
void pool_notified(const char *channel, const char *payload);
const char *pool_channel(unsigned i); /* NULL: no more */

#endif
