/* request.h - what flow.c, request.c, reply.c, session.c, work.c and start.c
 * share of a request; modules see flow.h only.
 *
 * Owner:    Kore's request holds a pointer; flow_release frees it, later than
 *           the request where a thread still works for it.
 */
#ifndef OPEN_WEB_REQUEST_H
#define OPEN_WEB_REQUEST_H

#include <pthread.h>

#include "web/actor.h"
#include "web/call.h"
#include "web/credential.h"
#include "web/database.h"
#include "web/flow.h"
#include "web/kore_api.h"
#include "web/server.h"

#define FLOW_MAGIC	0x464c4f57u
#define COOKIE		"open_session"
#define CONSTRAINTS_MAX 8

enum flow_phase {
	PHASE_BEGIN,
	PHASE_SESSION, /* asks who holds the token */
	PHASE_STEPS,
	PHASE_ANSWERED
};

struct parameter {
	const char *name, *value;
	struct parameter *next;
};

struct work {
	void (*fn)(void *);
	bool running; /* a thread has it, or it waits for one */
	struct flow *next;
};

struct start_batch;

struct start_item {
	bool waiting; /* in a batch */
	struct start_batch *batch;
	struct started started;
};

struct flow {
	uint32_t magic;
	struct http_request *req; /* NULL: the client went away */
	struct mem mem;
	void *state;
	size_t state_size;
	unsigned step;
	enum flow_phase phase;
	enum policy_action action;
	bool waiting;	  /* for something that will wake it */
	bool overdue;	  /* the deadline struck */
	bool answered;	  /* an answer was sent */
	char failure[48]; /* code of the error that was answered, or "" */
	int64_t began_ns;
	struct flow *newer, *older; /* all flows of the worker, by age */

	bool has_actor;
	struct actor actor;
	struct settings *settings; /* of the actor's organization */
	uint8_t token_hash[CREDENTIAL_HASH];
	uint64_t known_epoch;
	int64_t asked_ns; /* when who holds the token was asked */

	struct query query;
	char address[ACTOR_ADDRESS]; /* "": not looked at yet */
	char actor_text[ACTOR_TEXT]; /* "": not written yet */
	struct query *many;	     /* of flow_ask_all */
	unsigned many_count, many_pending;
	bool asked; /* query holds an outcome that was not looked at */
	struct sql_params params;
	unsigned constraint_count;
	struct {
		const char *constraint, *code, *detail;
		int status;
	} constraints[CONSTRAINTS_MAX];

	struct kore_buf *body; /* NULL: none */
	size_t body_len;
	bool segments_ready, parameters_ready;
	unsigned segment_count;
	const char *segments[16];
	struct parameter *parameters;

	struct work work;
	struct start_item start;
	struct call *call; /* under way; NULL: none */
	int called_status;
	const char *called_body;
	size_t called_len;
};

/* --- flow.c --- */
void flow_wake(struct flow *);		     /* what it waited for is there */
enum flow_next flow_wait(struct flow *);     /* sleep until flow_wake */
enum flow_next flow_database(struct flow *); /* answers the query's error */
enum flow_next flow_unavailable(struct flow *); /* 503 database_unavailable */
void flow_release(struct flow *);
const char *flow_actor_text(struct flow *); /* see actor.h */
void flow_init(const struct config *);

/* --- flow_error.c --- */
#define NO_DATABASE "The database can't be reached; try again soon."
void flow_query_error(const struct query *, struct flow_error *);

/* --- flow_many.c --- */
void flow_many_forget(struct flow *); /* the client went away */
void flow_many_clear(struct flow *);

/* --- session.c --- */
enum flow_next session_begin(struct flow *); /* FLOW_NEXT: the actor is known */
enum flow_next session_end(struct flow *);   /* the answer is there */
void session_init(void);

/* --- call.c --- */
struct call *call_of(const struct http_request *); /* NULL: a client's */
bool call_checked(const struct http_request *);
void call_wake(struct call *); /* enter its handler */
void call_answered(struct call *, int status, const void *body, size_t len);
const char *call_address(const struct call *);

/* --- request.c --- */
/* FLOW_NEXT, or the answer to a request that must not be handled. */
enum flow_next request_check(struct flow *);

/* --- work.c --- */
int work_init(void);
void work_drain(void); /* waits until no thread runs a module's code */
void work_stop(void);

/* --- start.c --- */
void start_forget(struct flow *); /* the client went away */

#endif
