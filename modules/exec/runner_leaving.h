/* runner_leaving.h - commands that have ended while the first process of their
 * sandbox has not been reaped: bubblewrap doesn't wait for it, so it is the
 * runner's (a subreaper), and the command's CPU time is in its usage.
 *
 * Owner:    the runner's loop; jobs in the list are its own.
 * Bounded:  a job waits half a second at most; then it is told without.
 */
#ifndef OPEN_EXEC_RUNNER_LEAVING_H
#define OPEN_EXEC_RUNNER_LEAVING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "exec/runner_job.h"

struct leaving {
	struct job *jobs;
	void (*tell)(void *ctx, struct job *); /* takes the job */
	void *ctx;
};

/* Takes a job that has ended: told at once where its usage is complete.
 * running: the list of commands that have not ended. */
void leaving_add(struct leaving *, struct job *, const struct job *running);

/* A child was reaped that is no command. */
void leaving_reaped(struct leaving *, pid_t, const struct rusage *);

/* Tells those that waited too long; nanoseconds until the next one, -1: none
 * waits. */
int64_t leaving_tell(struct leaving *);

/* Nobody is to be told any more of a connection's commands. */
void leaving_forget(struct leaving *, const void *conn);

#endif
