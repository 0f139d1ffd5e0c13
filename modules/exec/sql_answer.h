/* sql_answer.h - rows of a database become a node's result.
 *
 * Owner:    the call's memory, but for rows, which is malloc'd; hangs at
 *           call->rest from the end of the statement until sql_answer_result.
 */
#ifndef OPEN_EXEC_SQL_ANSWER_H
#define OPEN_EXEC_SQL_ANSWER_H

#include <libpq-fe.h>

#include "base/buf.h"
#include "exec/op_call.h"

struct sql_answer {
	struct buf rows; /* per value: length (UINT32_MAX: null), bytes */
	uint32_t count;
	int columns;
	const char **names; /* in the call's memory */
	Oid *types;
	const char *command; /* "INSERT" */
	int64_t affected;    /* rows, as the server tells; -1: it does not */
	size_t limit;	     /* bytes of the result */
};
/* Columns of the first row; false: out of memory. */
bool sql_answer_columns(
    struct sql_answer *, struct mem *m, const PGresult *res);
/* -1: it would have more than max bytes, or there is no memory. */
int sql_answer_row(struct sql_answer *, const PGresult *res, size_t max);
/* The status of a statement that ended: "INSERT 0 3". */
void sql_answer_end(struct sql_answer *, struct mem *m, const PGresult *res);
/* Any thread. Fills the outcome from call->rest, which is gone then. */
void sql_answer_result(struct op_call *);

#endif
