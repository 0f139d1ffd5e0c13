/* live_value.h - what an event tells: an execution or one of its nodes as it was
 * just then, and its fields by their names in GraphQL.
 *
 * From:     a run in shared memory, or a row of live_execution.sql or
 *           live_nodes.sql.
 * Owner:    whoever holds a reference.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_LIVE_VALUE_H
#define OPEN_WEB_LIVE_VALUE_H

#include "base/buf.h"
#include "exec/live_view.h"
#include "web/sql.h"

struct live_value {
	unsigned references;
	struct mem mem;
	struct uuid execution, organization;
	uint32_t node;	 /* LIVE_RUN: the execution */
	int64_t time_us; /* when it came to be; UTC */
	struct live_run_view run;
	struct live_node_view state; /* of the node */
};

/* NULL: the run is not there any more, or there is no memory. texts: results,
 * errors and logs too. */
struct live_value *live_value_run(struct exec *, struct run_ref);
struct live_value *live_value_node(
    struct exec *, struct run_ref, uint32_t node, bool texts);
/* NULL: no memory, or a row that makes no sense. */
struct live_value *live_value_run_row(const struct sql_rows *, int row);
struct live_value *live_value_node_row(const struct sql_rows *, int row,
    const struct uuid *execution, const struct uuid *organization);
struct live_value *live_value_hold(struct live_value *);
void live_value_release(struct live_value *); /* NULL: nothing */

/* Whether the execution has ended. */
bool live_value_final(const struct live_value *);
/* Whether a field (GraphQL's name) of an Execution or a NodeExecution is told by
 * events; *text: only if they are asked for texts. */
bool live_field_known(bool of_node, const char *name, bool *text);
/* As JSON; the field is known. */
void live_field_write(
    const struct live_value *, const char *name, struct buf *);

#endif
