/* execute.h - an operation from its text to its answer, in two steps of a flow:
 * ask for all root fields at once, and write what came.
 *
 * State:    struct execution lies in the flow's state. Nothing in it points into
 *           the module or its caches: after the wait the plan is found or made
 *           again, and must ask the same.
 * Seams:    whoever has a text, a name and variables calls these; HTTP is
 *           http.c's, events are others'.
 */
#ifndef OPEN_GRAPHQL_EXECUTE_H
#define OPEN_GRAPHQL_EXECUTE_H

#include "graphql/write.h"
#include "web/flow.h"

struct execution_root {
	int ask;	  /* which of the flow's statements; -1: none */
	const char *code; /* of its error, or NULL */
	const char *message;
	struct gql_place at;
	/* Of a mutation: the route was run, its row asked for, the field has
	 * come to an end, which is not that data is null. */
	bool called, read, ended, data;
	const char *part, *errors; /* what is written of it; NULL: no memory */
	size_t part_len, errors_len;
	unsigned error_count;
	/* Of explain.h: which question (0: none), and what came of it. */
	unsigned explain;
	const char *sql;
	const struct json *explained;
};

struct execution {
	/* The request, in the flow's memory. */
	const char *text;
	size_t len;
	const char *operation_name; /* NULL: the only one */
	size_t operation_name_len;
	const struct json *variables;  /* an object or NULL; then coerced */
	const struct json *extensions; /* an object or NULL */
	bool hash_given, looked_up;    /* persisted.h, registered.h */
	uint8_t sha256[32];
	bool reads_only; /* a mutation is refused, and needs_post set */
	bool needs_post;

	bool mutation;
	bool subscribes; /* what was asked for is its execution */
	uint64_t hash;	 /* of the statements that were asked */
	unsigned root_count;
	struct execution_root *roots; /* in the flow's memory */
};

enum execution_step {
	EXECUTION_WAITS,    /* the rows are asked for: return FLOW_WAIT */
	EXECUTION_READY,    /* nothing to wait for: call execute_answer */
	EXECUTION_ANSWERED, /* there was nothing to ask: it is written */
	EXECUTION_REFUSED,  /* the writer holds errors without data */
	EXECUTION_ENDED	    /* the flow has answered: return FLOW_DONE */
};

enum execution_step execute_ask(
    struct flow *, struct execution *, struct writer *);
/* Between the two: what a mutation does; called again after each wait. */
enum execution_step execute_more(
    struct flow *, struct execution *, struct writer *);
/* Writes the whole answer. */
enum execution_step execute_answer(
    struct flow *, struct execution *, struct writer *);

#endif
