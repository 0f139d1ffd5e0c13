/* lease.h - this server among those that work on the same database.
 *
 * Epoch:    a server that starts takes its next epoch and a lease, which any of
 *           its workers renews every third of it. Whatever it writes as the
 *           owner of executions names the epoch; PostgreSQL refuses one that is
 *           over (open.fence, SQLSTATE OP001).
 * Fenced:   a server that hears so has lost its executions to others. It starts
 *           nothing more, writes nothing more, and ends with LEASE_EXIT, for
 *           whoever started it to start it again.
 * Guard:    the arenas and the runner start nothing after the time until which
 *           nobody else can have taken over, by this machine's clock for
 *           durations. So a server that was stopped for longer does nothing
 *           before it has asked the database. A server that is alone goes on
 *           while the database is away.
 * Shared:   by parent, workers and runner; made by the parent before the fork.
 */
#ifndef OPEN_WEB_LEASE_H
#define OPEN_WEB_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "web/database.h"

#define LEASE_EXIT 75 /* the server's exit status after it was fenced */

/* Parent: memory for all processes. -1: e. */
int lease_create(struct err *e);
/* What exec_settings and runner_settings want: nothing starts after it. */
const _Atomic int64_t *lease_guard(void);
/* Each worker, in its event loop. */
void lease_start(void);

/* 0: none yet, or fenced; then nothing may be written. */
int64_t lease_epoch(void);
bool lease_fenced(void);
/* A statement of an owner came back: true if it was refused because this epoch
 * is over. Then the server is fenced. */
bool lease_refused(const struct query *);
/* Other servers that have not ended, as the last renewal saw them. */
unsigned lease_others(void);
int64_t lease_age_ns(void); /* since it was last renewed; -1: never */

/* Parent, when no worker is left: ends the lease, so that others take over at
 * once what is left. Blocks for a few seconds at most. */
void lease_end(void);

#endif
