/* own_database.h - where OPEN's own database is, so that no DAG reaches it.
 *
 * Process:  the parent, once, before the workers fork: it looks up names.
 */
#ifndef OPEN_WEB_OWN_DATABASE_H
#define OPEN_WEB_OWN_DATABASE_H

#include "web/config.h"

/* "ADDRESS PORT" of every address of the database's hosts, ended by NULL; none
 * where it is reached by a Unix socket. Constant until the process ends. NULL
 * and e: "invalid_value", "not_found" (a host has no address now),
 * "too_many_hosts". */
const char *const *own_database(const struct config *, struct err *e);

#endif
