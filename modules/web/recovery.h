/* recovery.h - between recovery.c (which executions must be run) and load.c
 * (how one of them gets from the database into shared memory).
 */
#ifndef OPEN_WEB_RECOVERY_H
#define OPEN_WEB_RECOVERY_H

#include "web/server.h"

/* Loads an execution and commits its run. run NULL: a slot is reserved on the
 * way, unless the execution is in memory already. Tries again while the
 * database is away or the executor is full. */
void load_execution(const struct uuid *execution, const struct run_ref *run);
unsigned load_waiting(void); /* how many are not in memory yet */
void load_start(void);

#endif
