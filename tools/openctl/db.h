/* db.h - one synchronous connection to PostgreSQL; the only file here that
 * knows libpq.
 *
 * Owner:    whoever called db_open.
 * Rows:     of the last db_query, valid until the next; text format.
 * Fails:    -1 and e: "database_unavailable" (no connection), or
 *           "database_error" with PostgreSQL's own sentence; db_constraint
 *           tells which constraint a statement violated.
 */
#ifndef OPEN_OPENCTL_DB_H
#define OPEN_OPENCTL_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "web/config.h"
#include "web/sql.h"

enum db_role {
	DB_OWNER, /* migrations: whom OPEN_DATABASE_OWNER_URL names */
	DB_LOGIN, /* whom the server logs in as */
	DB_SYSTEM /* the same, as open_system: all organizations, owns nothing */
};

struct db;

struct db *db_open(const struct config *, enum db_role, struct err *e);
void db_close(struct db *); /* NULL allowed */

/* Parameters of the next db_query, in the order of $1, $2, …; not copied. */
void db_text(struct db *, const char *s); /* NULL: SQL null */
void db_bytes(struct db *, const void *data, size_t len);
/* An array literal like {"a","b"}, made in m. */
void db_text_array(
    struct db *, struct mem *m, const char *const *items, size_t count);

int db_query(struct db *, const struct sql *, struct err *e);
/* Statements without parameters; an open transaction stays open. */
int db_script(struct db *, const char *text, struct err *e);
/* The constraint that the last failed statement violated, or "". */
const char *db_constraint(const struct db *);
/* True inside a transaction that has not failed. */
bool db_in_transaction(const struct db *);

int db_count(const struct db *);
int db_columns(const struct db *);
const char *db_column(const struct db *, int column);	    /* its name */
const char *db_get(const struct db *, int row, int column); /* "" for null */
bool db_is_null(const struct db *, int row, int column);
bool db_is_json(const struct db *, int column); /* json, number */
/* A bytea, decoded into m; NULL for null or without memory. */
void *db_get_bytes(
    const struct db *, int row, int column, struct mem *m, size_t *len);

#endif
