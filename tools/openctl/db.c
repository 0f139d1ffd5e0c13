/* db.c - libpq, synchronously. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "db.h"

#define SOCKET_FOLDER_MAX 90 /* sun_path has 108 bytes */

struct db {
	PGconn *conn;
	PGresult *rows;
	char constraint[64];
	int count;
	const char *values[SQL_PARAMS_FEW];
	int lengths[SQL_PARAMS_FEW];
	int formats[SQL_PARAMS_FEW];
};

/* libpq's messages end in a newline and may have several lines; the first
 * says it. */
static void
message_set(struct err *e, const char *code, const char *text)
{
	err_set(e, code, "%.*s", (int)strcspn(text, "\n"), text);
}

/* A socket's folder whose path is too long, or looks like a list, is reached
 * through an open file. */
static const char *
host_shortened(const char *host, char *text, size_t size)
{
	int fd;

	if (host[0] != '/' ||
	    (strlen(host) <= SOCKET_FOLDER_MAX && strchr(host, ',') == NULL))
		return host;
	fd = open(host, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return host;
	snprintf(text, size, "/proc/self/fd/%d", fd);
	return text;
}

static PGconn *
connect_with(const char *conninfo, struct err *e)
{
	const char *names[64], *values[64];
	PQconninfoOption *options, *o;
	char *message = NULL, host[64];
	PGconn *conn;
	int n = 0;

	options = PQconninfoParse(conninfo, &message);
	if (options == NULL) {
		message_set(e, "database_unavailable",
		    message == NULL ? "out of memory" : message);
		PQfreemem(message);
		return NULL;
	}
	for (o = options; o->keyword != NULL && n < 60; o++) {
		if (o->val == NULL)
			continue;
		names[n] = o->keyword;
		values[n++] = strcmp(o->keyword, "host") == 0
				  ? host_shortened(o->val, host, sizeof(host))
				  : o->val;
	}
	names[n] = "fallback_application_name";
	values[n++] = "openctl";
	names[n] = NULL;
	conn = PQconnectdbParams(names, values, 0);
	PQconninfoFree(options);
	if (PQstatus(conn) == CONNECTION_OK)
		return conn;
	message_set(e, "database_unavailable", PQerrorMessage(conn));
	PQfinish(conn);
	return NULL;
}

static void
notice_drop(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

struct db *
db_open(const struct config *config, enum db_role role, struct err *e)
{
	/* What the audit log calls us. */
	static const char *const begin[] = {"set open.actor = '  openctl'",
	    "set open.actor = '  openctl'; set role open_system"};
	struct buf conninfo;
	struct db *db;

	db = calloc(1, sizeof(*db));
	buf_create(&conninfo, 0);
	config_database(config, role == DB_OWNER, &conninfo);
	if (db == NULL || buf_failed(&conninfo)) {
		buf_free(&conninfo);
		free(db);
		err_memory(e);
		return NULL;
	}
	db->conn = connect_with(conninfo.data, e);
	buf_free(&conninfo);
	if (db->conn == NULL) {
		free(db);
		return NULL;
	}
	PQsetNoticeProcessor(db->conn, notice_drop, NULL);
	if (db_script(db, begin[role == DB_SYSTEM], e) != 0) {
		db_close(db);
		return NULL;
	}
	return db;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	PQclear(db->rows);
	PQfinish(db->conn);
	free(db);
}

static void
param_add(struct db *db, const char *value, size_t len, int format)
{
	if (db->count == SQL_PARAMS_FEW)
		abort();
	db->values[db->count] = value;
	db->lengths[db->count] = (int)len;
	db->formats[db->count++] = format;
}

void
db_text(struct db *db, const char *s)
{
	param_add(db, s, 0, 0);
}

void
db_bytes(struct db *db, const void *data, size_t len)
{
	param_add(db, data, len, 1);
}

void
db_text_array(
    struct db *db, struct mem *m, const char *const *items, size_t count)
{
	struct buf b;
	const char *s;
	size_t i;

	buf_create(&b, 0);
	buf_putc(&b, '{');
	for (i = 0; i < count; i++) {
		buf_puts(&b, i == 0 ? "\"" : ",\"");
		for (s = items[i]; *s != '\0'; s++) {
			if (*s == '"' || *s == '\\')
				buf_putc(&b, '\\');
			buf_putc(&b, *s);
		}
		buf_putc(&b, '"');
	}
	buf_putc(&b, '}');
	db_text(db, buf_failed(&b) ? NULL : mem_strndup(m, b.data, b.len));
	buf_free(&b);
}

static int
rows_take(struct db *db, PGresult *result, struct err *e)
{
	const char *text, *detail, *constraint;
	ExecStatusType status;

	PQclear(db->rows);
	db->rows = result;
	db->constraint[0] = '\0';
	status = PQresultStatus(result);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
	    status == PGRES_EMPTY_QUERY)
		return 0;
	constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	if (constraint != NULL)
		strncat(db->constraint, constraint, sizeof(db->constraint) - 1);
	text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	if (text == NULL)
		text = PQerrorMessage(db->conn);
	if (detail == NULL)
		message_set(e, "database_error", text);
	else
		err_set(e, "database_error", "%s (%s)", text, detail);
	return -1;
}

int
db_query(struct db *db, const struct sql *sql, struct err *e)
{
	PGresult *result = PQexecParams(db->conn, sql->text, db->count, NULL,
	    db->values, db->lengths, db->formats, 0);

	db->count = 0;
	return rows_take(db, result, e);
}

int
db_script(struct db *db, const char *text, struct err *e)
{
	return rows_take(db, PQexec(db->conn, text), e);
}

const char *
db_constraint(const struct db *db)
{
	return db->constraint;
}

bool
db_in_transaction(const struct db *db)
{
	return PQtransactionStatus(db->conn) == PQTRANS_INTRANS;
}

int
db_count(const struct db *db)
{
	return PQntuples(db->rows);
}

int
db_columns(const struct db *db)
{
	return PQnfields(db->rows);
}

const char *
db_column(const struct db *db, int column)
{
	return PQfname(db->rows, column);
}

const char *
db_get(const struct db *db, int row, int column)
{
	return PQgetvalue(db->rows, row, column);
}

bool
db_is_null(const struct db *db, int row, int column)
{
	return PQgetisnull(db->rows, row, column) != 0;
}

/* By the type's OID in pg_type.dat, fixed for all versions. */
bool
db_is_json(const struct db *db, int column)
{
	switch (PQftype(db->rows, column)) {
	case 20:   /* bigint */
	case 21:   /* smallint */
	case 23:   /* integer */
	case 114:  /* json */
	case 1700: /* numeric */
	case 3802: /* jsonb */
		return true;
	default:
		return false;
	}
}

void *
db_get_bytes(
    const struct db *db, int row, int column, struct mem *m, size_t *len)
{
	unsigned char *bytes;
	void *copy;

	if (db_is_null(db, row, column))
		return NULL;
	bytes = PQunescapeBytea(
	    (const unsigned char *)db_get(db, row, column), len);
	if (bytes == NULL)
		return NULL;
	copy = mem_alloc(m, *len + 1);
	if (copy != NULL)
		memcpy(copy, bytes, *len);
	PQfreemem(bytes);
	return copy;
}
