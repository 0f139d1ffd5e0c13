/* runner.h - the process that starts commands, and an arena's connection to it.
 *
 * Workers are sandboxed and must not exec, so one process forked by the parent
 * before its workers listens on a Unix socket (mode 0600, peer's uid checked)
 * and starts commands for them. A connection is one arena's; when it ends, its
 * commands are killed. The runner ends when its parent does.
 *
 * It is two processes: a guard that restarts the runner when it dies and kills
 * what a dead one left, and the runner, which becomes the guard of a new one
 * when its guard dies. Either may be killed at any time.
 */
#ifndef OPEN_EXEC_RUNNER_H
#define OPEN_EXEC_RUNNER_H

#include <sys/types.h>

#include "exec/op_call.h"

struct runner_settings {
	const char *socket; /* path */
	/* Folder for scratch directories, made and emptied at start. Where the
	 * commands' user can't reach it, one in /var/tmp is used instead. */
	const char *scratch;
	const char *user;  /* run commands as this user when started as root;
			      NULL: "nobody" */
	const char *owner; /* who may connect besides our own uid when started
			      as root (the workers' user); NULL: nobody */
	unsigned concurrency;  /* commands at once over all arenas; more wait in
				  the runner. 0: 4 per CPU */
	size_t result_bytes;   /* stdout beyond it fails the node */
	size_t log_bytes;      /* the last so many of stderr are kept, 64 KiB */
	int64_t kill_after_ns; /* from TERM to KILL, 5 s */
	bool sandbox;	       /* bubblewrap where it works */
	const _Atomic int64_t *lease; /* see lease.h */
};

/* Forks the runner; its pid, or -1. Called in the parent, before the workers.
 * The socket listens when it returns. */
pid_t runner_spawn(const struct runner_settings *, struct err *e);

struct runner_client;
typedef void (*runner_done)(void *ctx, struct op_call *);

/* All on the arena's thread. settings is copied. Connects at the first start
 * and again after the runner died. NULL: out of memory. */
struct runner_client *runner_client_new(
    const struct runner_settings *, runner_done done, void *ctx);
/* To poll; -1: not connected. It changes when the client connects anew. */
int runner_client_fd(const struct runner_client *);
/* POLLIN, and POLLOUT while it has something to write. */
short runner_client_events(const struct runner_client *);
/* Call when the fd is ready; calls done. */
void runner_client_ready(struct runner_client *);
/* params are those of op "command". done follows, maybe before it returns; a
 * dead runner is a retryable failure. */
void runner_client_start(struct runner_client *, struct op_call *);
/* Sets call->stop; TERM, later KILL; done still follows, with
 * OUTCOME_CANCELLED and the log. */
void runner_client_stop(struct runner_client *, struct op_call *);
/* Calls done for what still runs, as cancelled. */
void runner_client_free(struct runner_client *);

#endif
