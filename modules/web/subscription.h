/* subscription.h - who is told of which execution: subscriptions that ask for
 * the same share one computation and one payload for each event.
 *
 *   topic (execution) ─► groups (operation, variables, who may see what)
 *                           └─► subscribers
 *
 * Events:   of runs in this server from exec/live.h, at once; of others after
 *           their commit, by NOTIFY (live_feed.c). Each group handles its
 *           events one after the other: fields that events tell are written
 *           here, the others come from one statement for the group (a call of
 *           POST /graphql with the ids of the event).
 * Ends:     when the execution has ended and that was told.
 * Owner:    the worker. A subscriber is its operation's, until
 *           subscription_leave or `ended`.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_SUBSCRIPTION_H
#define OPEN_WEB_SUBSCRIPTION_H

#include "web/call.h"
#include "web/live_value.h"

/* --- for modules/graphql -------------------------------------------------- */

/* What a request for POST /graphql is to the resident part. */
enum live_purpose {
	LIVE_OPERATION, /* of a client that takes more than one answer */
	LIVE_SNAPSHOT	/* the root field again, for one object */
};

struct live_field_plan {
	const char *key;  /* of the response */
	const char *name; /* NULL: an event can't tell (arguments, objects) */
};

struct live_plan {
	const char *key; /* of the root field */
	bool nodes;	 /* nodeExecutionUpdated */
	struct uuid execution;
	bool since_given;
	int64_t since_us;		      /* UTC */
	const struct live_field_plan *fields; /* of the root's selection */
	unsigned field_count;
};

/* NULL: the request may not subscribe (answer 406 or the like). */
const enum live_purpose *subscription_purpose(const struct flow *);
/* LIVE_SNAPSHOT: the execution or node execution that the root field is. */
const struct uuid *subscription_subject(const struct flow *);
/* First step: asks for the execution; the plan is copied. Then, in the next
 * step, subscription_accept: *found false: there is no such execution for the
 * actor (answer an error); else return its value. */
enum flow_next subscription_ask(struct flow *, const struct live_plan *);
enum flow_next subscription_accept(struct flow *, bool *found);

/* --- for operations ------------------------------------------------------- */

struct subscriber;

struct subscriber_events {
	/* payload: a response of GraphQL. False: the subscriber left. */
	void (*next)(void *arg, const char *payload, size_t len);
	void (*ended)(void *arg); /* nothing follows */
};

/* What an operation passes as the subject of its call. */
struct live_request {
	enum live_purpose purpose;
	struct uuid subject;
	/* LIVE_OPERATION: */
	const struct call_origin *origin;
	const char *body; /* of the request: query, variables … */
	size_t body_len;
	const struct subscriber_events *events;
	void *arg;
	struct subscriber *subscriber; /* out: set by subscription_accept */
	struct live_plan *plan;	       /* subscription_ask's */
};

void subscription_leave(struct subscriber *);

#endif
