/* select.h - the statement of a root field, built from what is selected.
 *
 * Relations to one are lateral joins, which PostgreSQL turns into plain ones;
 * relations to many are lateral subqueries that give one array per column (or,
 * within another such list, one record of arrays): one statement, whatever the
 * depth, and the answer is columns in binary.
 *
 * Process: pure.
 */
#ifndef OPEN_GRAPHQL_SELECT_H
#define OPEN_GRAPHQL_SELECT_H

#include "graphql/compile.h"

/* Fills root's out, sql and the rest. False: c->failed or out of memory. */
bool select_root(
    struct compiler *, struct plan_root *, const struct gql_collected *);

/* What a field of Query, Mutation or Subscription does: its binding. */
enum query_kind {
	QUERY_ONE,
	QUERY_LIST,
	QUERY_CONNECTION,
	QUERY_CURRENT_USER,
	QUERY_EVENT, /* of Subscription: the object that the event names */
	/* Of Mutation: the row whose id the route answered; only that it did. */
	QUERY_RESULT,
	QUERY_DONE
};
struct query_field {
	enum query_kind kind;
	const struct graph *graph;
};

#endif
