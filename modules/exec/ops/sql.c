/* sql.c - what a document may say about a statement; exec/sql_driver.c runs it.
 */
#include <stdio.h>
#include <string.h>

#include "dag/secret.h"
#include "exec/ops/ops.h"
#include "exec/sql.h"
#include "exec/sql_answer.h"

static const struct op_param params[] = {
    {.name = "connection",
	.types = PARAM_STRING,
	.fallback = "${{ secrets.DATABASE_URL }}",
	.description = "A secret that holds a PostgreSQL URL or "
		       "keyword=value list: ${{ secrets.NAME }}; by default "
		       "${{ secrets.DATABASE_URL }}."},
    {.name = "statement",
	.types = PARAM_STRING,
	.required = true,
	.min = 1,
	.max = SQL_STATEMENT_MAX,
	.description = "One statement, without ${{ }}; $1, $2, … stand for "
		       "the parameters."},
    {.name = "parameters",
	.types = PARAM_ARRAY,
	.min = 0,
	.max = SQL_PARAMETERS_MAX,
	.description = "Values of $1, $2, …; lists and objects go as JSON."},
    {.name = "timeout",
	.types = PARAM_DURATION,
	.min = 1,
	.max = SQL_TIMEOUT_MAX,
	.description = "For all of it, from waiting for a connection on; 30s "
		       "by default."},
    {.name = "max_rows",
	.types = PARAM_INTEGER,
	.min = 1,
	.max = SQL_ROWS_MAX,
	.description = "More rows fail; 1000 by default."},
    {.name = "max_bytes",
	.types = PARAM_INTEGER,
	.min = 1,
	.max = INT32_MAX,
	.description = "More bytes of rows fail; at most, and by default, the "
		       "limit of results."},
    {.name = NULL}};

static int
fault(struct err *e, const char *pointer, const char *text)
{
	err_set(e, "invalid_parameter", "%s", text);
	snprintf(e->pointer, sizeof(e->pointer), "%s", pointer);
	return -1;
}

/* The whole text is one secret. */
static bool
is_secret(const char *s)
{
	size_t len;

	if (strncmp(s, "${{", 3) != 0)
		return false;
	s += 3 + strspn(s + 3, " \t\n");
	if (strncmp(s, "secrets.", 8) != 0)
		return false;
	s += 8;
	len = strcspn(s, " \t\n}");
	if (!secret_name_valid(s, len))
		return false;
	s += len;
	s += strspn(s, " \t\n");
	return strcmp(s, "}}") == 0;
}

/* Connections hold passwords, and a statement that is put together from values
 * is an injection. */
static int
check(const struct json *p, struct err *e)
{
	const struct json *connection = json_get(p, "connection");
	const struct json *statement = json_get(p, "statement");

	if (connection != NULL &&
	    (connection->type != JSON_STRING || !is_secret(connection->string)))
		return fault(e, "/connection",
		    "connection must be a secret: ${{ secrets.NAME }}.");
	if (statement != NULL && statement->type == JSON_STRING &&
	    strstr(statement->string, "${{") != NULL)
		return fault(e, "/statement",
		    "statement must not hold ${{ }}: use $1, $2, … and "
		    "parameters.");
	return 0;
}

const struct op op_sql = {
    .schema = {.name = "sql",
	.description = "Runs a statement in your own PostgreSQL database; its "
		       "result is {command, count, rows}, a row being an "
		       "object by column.",
	.params = params,
	.check = check},
    .kind = OP_IO,
    .compute = sql_answer_result,
    .io = &sql_io,
};
