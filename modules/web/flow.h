/* flow.h - a request as a list of steps that reads top to bottom.
 *
 * A step asks one SQL statement (or other slow thing) and returns, or answers.
 * Only the step's index crosses a wait, so a module may be reloaded between two
 * steps: no pointer into a module is kept, the route's handler is entered again
 * and passes its table anew.
 *
 *   int
 *   dag_show(struct http_request *req)
 *   {
 *           return flow_run(req, POLICY_DAG_READ, show_steps,
 *               sizeof(struct show));
 *   }
 *
 * Before the first step flow_run has: a deadline, the body (whole), the actor
 * from the bearer token (unless the action is for anyone), who may do what the
 * action of policy.h says.
 *
 * Owner:    the request; flow_mem and flow_state live until it ends.
 * Reload:   state may hold nothing that points into a module (literals!).
 * Fails:    one road out: flow_fail.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_FLOW_H
#define OPEN_WEB_FLOW_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "dag/document.h"
#include "exec/exec.h"
#include "web/policy.h"
#include "web/sql.h"

struct http_request;
struct config;
struct flow;

enum flow_next {
	FLOW_NEXT,
	FLOW_WAIT,
	FLOW_DONE
};

struct flow_step {
	const char *name; /* NULL ends the table */
	enum flow_next (*run)(struct flow *);
};
#define FLOW_STEP(fn)                                                          \
	{                                                                      \
#fn, fn                                                        \
	}
#define FLOW_END                                                               \
	{                                                                      \
		NULL, NULL                                                     \
	}

int flow_run(struct http_request *, enum policy_action,
    const struct flow_step *steps, size_t state_size);

enum role {
	ROLE_USER,
	ROLE_ADMIN
};

struct actor {
	struct uuid organization, user, token; /* token: also a session's id */
	enum role role;			       /* in that organization */
	bool admin;			       /* role is ROLE_ADMIN */
	bool session; /* token is a session, else an API token */
	unsigned
	    scopes; /* enum credential_scope (credential.h); all of a session */
	const struct json *settings; /* of the organization; in flow_mem */
	unsigned exceeded; /* enum tenant_quota, when it was asked for */
};

/* Zeroed, state_size bytes. */
void *flow_state(struct flow *);
struct mem *flow_mem(struct flow *);
/* Never NULL in a flow that is not public. */
const struct actor *flow_actor(const struct flow *);
struct http_request *flow_request(struct flow *);
struct exec *flow_exec(void);
/* The server's, see config.h. */
const struct config *flow_config(void);

/* Asks; the next step runs when the rows are there. A database error is
 * answered by the flow itself: 503 "database_unavailable", 504 on the deadline,
 * 409/422 by the constraint's name through `flow_constraint`, else 500
 * "internal" (logged with an id, never SQL in the answer). */
enum flow_next flow_query(struct flow *, const struct sql *);
/* What flow_query takes: emptied for the next one. */
struct sql_params *flow_params(struct flow *);
const struct sql_rows *flow_rows(const struct flow *);
/* What a violated constraint means to the user: set before the query.
 * "dags_name" → 409, "name_taken", text. */
void flow_constraint(struct flow *, const char *constraint, int status,
    const char *code, const char *detail);

/* Asks several statements at once, each in a transaction of its own; the next
 * step runs when all are answered. They are not kept: statements and parameters
 * must lie in the flow's memory. A key of "" is planned anew. */
struct flow_ask {
	const struct sql *sql;
	const struct sql_params *params;
};
enum flow_next flow_ask_all(
    struct flow *, const struct flow_ask *, unsigned count);
/* The rows of the i-th, in binary format; NULL: it failed, and this is how the
 * API tells it (code is a literal, resident). */
struct flow_error {
	int status;
	const char *code;
	char detail[ERR_MESSAGE_MAX];
};
const struct sql_rows *flow_rows_of(const struct flow *, unsigned i);
void flow_error_of(struct flow *, unsigned i, struct flow_error *);

/* Runs a route of this server with the request's own credentials; the next step
 * finds its answer with flow_called (valid until the flow ends). path has no
 * query. */
struct flow_call {
	const char *method, *path;
	const char *body; /* JSON:API; NULL: none */
	size_t body_len;
	const char *idempotency_key; /* NULL: none */
};
enum flow_next flow_call(struct flow *, const struct flow_call *);
int flow_called(const struct flow *, const char **body, size_t *len);

/* The step that calls it runs again, instead of the next one. */
void flow_again(struct flow *);

/* Runs fn(state) on a helper thread (parsing 4 MiB, hashing); the next step
 * follows. fn may use flow_mem's memory only through what state holds; the flow
 * waits meanwhile. */
enum flow_next flow_work(struct flow *, void (*fn)(void *state));
/* The same for what is slow by design (password.h): on one thread of low
 * priority, in turn; answers 503 "overloaded" when too many wait. */
enum flow_next flow_hash(struct flow *, void (*fn)(void *state));

/* Starts an execution durably: the row (SQL start batch, shared with other
 * requests of the organization), then the hand-off. The next step finds the
 * outcome with flow_started. */
struct start_request {
	struct uuid dag;
	const char *context, *metadata; /* canonical JSON objects */
	size_t context_len, metadata_len;
	bool priority_given; /* else the DAG's */
	int priority;	     /* PRIORITY_MIN..PRIORITY_MAX */
};
struct started {
	enum {
		STARTED,
		START_NO_DAG,
		START_NOT_ACTIVE,
		START_NOT_ALLOWED,
		START_NO_POOL
	} outcome;
	struct uuid execution;
	struct uuid version;
	const char *inserted_at; /* as PostgreSQL prints it */
	const char *pool;	 /* START_NO_POOL: the one there is not */
	int32_t total_nodes, priority;
};
enum flow_next flow_start(struct flow *, const struct start_request *);
const struct started *flow_started(const struct flow *);
/* The last two parameters of statements that start executions: ops that need a
 * permission, and the settings that give it. */
void start_permissions(struct sql_params *);

/* --- answers: each returns FLOW_DONE -------------------------------------- */

/* One JSON:API error object; title comes from the code's words. */
enum flow_next flow_fail(struct flow *, int status, const char *code,
    const char *detail_fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same with where: a JSON pointer into the body or the name of a query
 * parameter (either may be NULL). */
enum flow_next flow_fail_at(struct flow *, int status, const char *code,
    const char *pointer, const char *parameter, const char *detail_fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* One error object per fault, each with source.pointer (prefix + its pointer)
 * and meta line/column if it has a place. */
enum flow_next flow_fail_faults(struct flow *, int status,
    const struct faults *, const char *pointer_prefix);
/* body is taken (buf_take). content_type NULL: application/vnd.api+json.
 * location NULL: none. */
enum flow_next flow_reply(struct flow *, int status, struct buf *body,
    const char *content_type, const char *location);
enum flow_next flow_reply_empty(struct flow *, int status);
/* 200 with a file of a web page, which may use files and the API of this server
 * and nothing else; body is copied. */
enum flow_next flow_reply_page(
    struct flow *, const void *body, size_t len, const char *content_type);
/* A header of the answer that follows; copied. */
void flow_answer_header(struct flow *, const char *name, const char *value);

/* --- the request ---------------------------------------------------------- */

/* Body as a JSON tree; NULL after answering 400/413/415 (then return
 * FLOW_DONE). */
const struct json *flow_json(struct flow *);
const char *flow_body(struct flow *, size_t *len);
/* Whether its content type is JSON:API's (with no parameter that we would have
 * to understand), plain JSON, or not told. */
bool flow_body_is_json(struct flow *);
/* Path segment i of the URL, from 0 ("/api/v1/dags/ID" → 3 is ID); NULL: none.
 * Percent-decoded. */
const char *flow_segment(struct flow *, unsigned i);
/* A path segment as UUID; false: not one (answer 404: an id that can't exist
 * doesn't). */
bool flow_segment_uuid(struct flow *, unsigned i, struct uuid *out);
/* Query parameter, percent-decoded, by full name ("filter[status]"); NULL:
 * absent. */
const char *flow_parameter(struct flow *, const char *name);
/* The name of the first query parameter that is not in the NULL-ended list;
 * NULL: all known. */
const char *flow_unknown_parameter(struct flow *, const char *const *known);
const char *flow_header(struct flow *, const char *name); /* NULL: absent */
const char *flow_method(struct flow *);
/* The client's address as text, "" where it has none; the request's. */
const char *flow_address(struct flow *);

#endif
