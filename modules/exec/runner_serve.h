/* runner_serve.h - the runner's loop.
 *
 * Process:  the runner; single-threaded, waits in poll only.
 * Survives: anything a client sends; a client that breaks the rules is
 *           disconnected, and its commands are killed.
 */
#ifndef OPEN_EXEC_RUNNER_SERVE_H
#define OPEN_EXEC_RUNNER_SERVE_H

#include "exec/runner.h"

enum serve_end {
	SERVE_STOPPED,	 /* told to end */
	SERVE_GUARD_DIED /* nobody watches us any more */
};

/* Serves until it is told to end or its parent is no longer `guard`; then no
 * command is left. listener is non-blocking. */
enum serve_end runner_serve(
    const struct runner_settings *, int listener, uid_t owner, pid_t guard);

/* Kills every process below this one until there is none, for at most a
 * second; for a subreaper without commands that it wants to keep. */
void runner_kill_all(void);

#endif
