/* sql.h - named SQL statements over Kore's pgsql, prepared once per connection.
 *
 * Text:     lives in MODULE/sql/NAME.sql; tools/sqlgen makes
 *           build/FLAVOR/gen/MODULE_sql.h with one `static const struct sql
 *           SQL_NAME` per statement (and per sort order, see tools/sqlgen).
 * Actor:    "set the actor" and the statement travel in one round trip and one
 *           transaction (libpq pipeline), so row-level security holds for every
 *           statement of a request.
 * Process:  a worker's event loop only.
 */
#ifndef OPEN_WEB_SQL_H
#define OPEN_WEB_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/uuid.h"

struct sql {
	const char *name; /* for logs: "catalog.dag_by_id" */
	const char *key;  /* "s" and 16 hex digits of the text's hash: its name
			     as a prepared statement; "": planned anew for
			     its parameters each time */
	const char *text;
	unsigned params;
};

/* The statement in memory that stays when its module is reloaded; NULL: out of
 * memory. m: for those that are planned anew each time. */
const struct sql *sql_keep(struct mem *m, const struct sql *);

/* One allowed order of a list: [ascending, descending][first page, after a
 * cursor]. tools/sqlgen makes arrays of them, ended by name NULL. */
struct sql_sort {
	const char *name;
	struct sql sql[2][2];
};

/* Parameters, in the order of $1, $2, …; memory from the request. Strings are
 * not copied. Sticky. The first ones need no memory; with more of them mem must
 * stay while there are any. */
#define SQL_PARAMS_FEW 24
#define SQL_PARAMS_MAX 4000
struct sql_params {
	struct mem *mem;
	int count, room;
	const char **values;
	int *lengths;
	int *formats; /* 0 text, 1 binary */
	const char *few_values[SQL_PARAMS_FEW];
	int few_lengths[SQL_PARAMS_FEW], few_formats[SQL_PARAMS_FEW];
};
void sql_text(struct sql_params *, const char *s);	 /* NULL: SQL null */
void sql_uuid(struct sql_params *, const struct uuid *); /* NULL: SQL null */
void sql_int(struct sql_params *, int64_t);
void sql_bool(struct sql_params *, bool);
void sql_null(struct sql_params *);
/* bytea, in binary. */
void sql_bytes(struct sql_params *, const void *data, size_t len);
/* text[]; copied. */
void sql_text_array(
    struct sql_params *, const char *const *items, size_t count);

/* Rows of the last query of a flow; text format. */
struct sql_rows;
int sql_count(const struct sql_rows *);
bool sql_is_null(const struct sql_rows *, int row, int column);
/* "" for null; valid until the next query. */
const char *sql_get(const struct sql_rows *, int row, int column);
size_t sql_get_len(const struct sql_rows *, int row, int column);
int64_t sql_get_int(const struct sql_rows *, int row, int column);
bool sql_get_bool(const struct sql_rows *, int row, int column);
bool sql_get_uuid(
    const struct sql_rows *, int row, int column, struct uuid *out);
/* A bytea column: decoded into mem; NULL for null. */
const void *sql_get_bytes(
    const struct sql_rows *, int row, int column, struct mem *, size_t *len);

#endif
