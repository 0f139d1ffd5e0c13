/* runner_job.h - one command in the runner: what was asked, its process, its
 * pipes, its end.
 *
 * Owner:    the runner's loop (runner_serve.c).
 * Lifetime: job_new to job_free, which also removes its scratch folder; the
 *           process must be dead by then.
 * Bounded:  keeps at most result_bytes + 1 of stdout and 2 * log_bytes of
 *           stderr, whatever the command prints.
 */
#ifndef OPEN_EXEC_RUNNER_JOB_H
#define OPEN_EXEC_RUNNER_JOB_H

#include "base/buf.h"
#include "base/mem.h"
#include "exec/fair.h"
#include "exec/runner_place.h"
#include "exec/runner_wire.h"

struct job {
	struct job *next, **link; /* link: while it is queued */
	struct fair_item turn;
	uint32_t tenant;
	int priority;
	void *conn; /* the loop's; NULL: nobody waits for it any more */
	uint64_t id;
	struct mem mem;
	char **argv, **env;
	size_t variables;
	const char *execution, *node, *attempt;
	struct wire_text input; /* in mem */
	bool has_input;

	pid_t pid;	  /* 0: not started, or reaped */
	int in, out, err; /* our ends; -1: closed */
	size_t written;
	struct buf output, log;
	bool too_large;
	int64_t kill_at; /* 0: not asked to stop */
	int status;
	uint64_t cpu_ns;   /* of what was reaped */
	uint64_t seen_ns;  /* of all its processes, when it was killed */
	int info;	   /* see place_start */
	pid_t first;	   /* > 0: the sandbox's, which is still to be reaped */
	int64_t report_at; /* … or else then */
	char folder[PATH_MAX];
};

/* From the payload of a START frame; NULL: malformed or out of memory. */
struct job *job_new(uint64_t id, const char *payload, size_t len);
void job_free(struct job *);

/* 0, or -1 and errno: it can't be started. */
int job_start(struct job *, struct place *);
/* Their fds are ready. */
void job_write(struct job *);
void job_read_output(struct job *, const struct place *, size_t limit);
void job_read_log(struct job *, size_t limit);
/* TERM to all its processes, KILL at kill_at. */
void job_stop(struct job *, const struct place *, int64_t kill_at);
void job_kill(struct job *, const struct place *);
/* Its process was reaped: kills the rest of its group, reads what is left. */
void job_ended(struct job *, const struct place *, size_t output, size_t log);
/* Appends its DONE frame. */
void job_report(const struct job *, size_t log_limit, int error, struct buf *);

#endif
