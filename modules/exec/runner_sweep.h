/* runner_sweep.h - finding what commands left behind.
 *
 * Process:  the runner or its guard, which are subreapers: a process whose
 *           parent died becomes their child, so all that is left of a dead
 *           command is sooner or later a direct child.
 */
#ifndef OPEN_EXEC_RUNNER_SWEEP_H
#define OPEN_EXEC_RUNNER_SWEEP_H

#include <stdbool.h>
#include <sys/types.h>

/* Kills every direct child whose session keep() doesn't know, our own session
 * apart; true if there was one. Called again after each unknown child that was
 * reaped, it ends only when none is left. */
bool sweep(bool (*keep)(void *ctx, pid_t session), void *ctx);

#endif
