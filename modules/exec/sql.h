/* sql.h - statements of an arena's nodes in databases of tenants, on its thread:
 * libpq without blocking, connections kept for a while.
 *
 * Driver:    of class sql_io, see io.h; made at the first statement.
 * Tenants:   connections are kept per organization and connection text, and
 *            are reset (DISCARD ALL) between two statements. Each such pool has
 *            pool_connections at most, what is beyond waits in order.
 * Addresses: as for requests (http_address.h): private ones only if the run
 *            may. Never a Unix socket, never OPEN's own database.
 * Blocking:  nothing does, but reading certificate authorities when a TLS
 *            connection begins (some ms). Names are looked up on threads
 *            (names.h), a statement that is to stop is cancelled from one.
 * Memory:    an answer's bytes are counted as they come from the socket, so one
 *            huge row ends as soon as more than max_bytes are there.
 * Calls:     of the system, besides io.h's: those of http.h.
 */
#ifndef OPEN_EXEC_SQL_H
#define OPEN_EXEC_SQL_H

#include "exec/io.h"

struct sql_settings {
	unsigned connections;	   /* per arena; 256 */
	unsigned pool_connections; /* of them for one connection text; 8 */
	size_t result_bytes;	   /* largest result, and answer; 1 MiB */
	const char *ca_file;	   /* certificate authorities; NULL: Debian's */
	/* OPEN's own database: "ADDRESS PORT" each, ended by NULL; or NULL. */
	const char *const *own;
};

extern const struct io_class sql_io;

#define SQL_TIMEOUT_MAX	    INT64_C(3600000000000)
#define SQL_TIMEOUT_DEFAULT INT64_C(30000000000)
#define SQL_ROWS_MAX	    100000
#define SQL_ROWS_DEFAULT    1000
#define SQL_STATEMENT_MAX   1048576 /* bytes */
#define SQL_PARAMETERS_MAX  1000

#endif
