/* server.h - what the parts of a server process share: settings, the executor,
 * counters in memory that all workers see.
 *
 * Owner:    boot.c; made in the parent before the fork, lives in libopen.so,
 *           so it survives reloads of modules and restarts of workers.
 */
#ifndef OPEN_WEB_SERVER_H
#define OPEN_WEB_SERVER_H

#include <stdatomic.h>

#include "base/uuid.h"
#include "exec/exec.h"
#include "web/config.h"
#include "web/known.h"

#define WORKERS_MAX   64
#define STATUS_GROUPS 6 /* by the first digit of the status */

/* One per worker, written by it alone. */
struct counters {
	_Atomic uint64_t requests[STATUS_GROUPS];
	_Atomic uint64_t request_ns;
	_Atomic uint64_t queries, query_failures;
	_Atomic uint64_t started;
	_Atomic uint64_t journal_batches, journal_entries, journal_nodes,
	    journal_failures;
	_Atomic int64_t journal_lag_ns;
	_Atomic uint32_t connections_open, connections_busy, waiting;
	_Atomic uint64_t adopted;
	_Atomic uint64_t suspects; /* see recovery_suspect */
	_Atomic uint64_t history_looks, partitions_dropped, executions_expired;
	_Atomic uint64_t mails_sent, mail_failures, mails_given_up;
	_Atomic int64_t mails_waiting, mails_failed; /* in the outbox */
} __attribute__((aligned(64)));

struct server {
	struct config config;
	struct uuid id; /* of this server: executions.server_id */
	struct exec *exec;
	struct rate_table *rates;  /* shared */
	struct known *known;	   /* credentials and settings, shared */
	struct counters *counters; /* [WORKERS_MAX], shared */
	struct counters *mine;	   /* this worker's */
	unsigned worker;	   /* 0-based; also the arena */
	char *migrations;	   /* see migrations.h */
	struct document_limits limits;
};
extern struct server server;

/* --- journal_writer.c --- */
void journal_start(void);
/* Before the end of a worker: writes what is there, at most so long. */
void journal_flush(int timeout_ms);

/* --- handoff.c --- */
void handoff_start(void);
/* The execution's row is durable, its slot reserved: an arena gets it when this
 * turn's requests are answered. */
void handoff(
    const struct uuid *execution, struct run_ref, const struct plan_hash *);
void handoff_all(void); /* at once; before the end of a worker */

/* --- recovery.c --- */
void recovery_start(void);
/* A durable execution whose plan is not in memory: fetch it (compile it where
 * it is corrupted), then commit the run. */
void recovery_plan(const struct uuid *execution, struct run_ref);
/* A row of ours may exist that nobody runs: look soon. */
void recovery_suspect(void);

/* --- control.c --- */
void control_start(void);

/* --- history.c --- */
void history_start(void);

/* --- idempotency.c --- */
void idempotency_start(void);

/* --- beat.c --- */
void beat_start(void);

/* --- health.c --- */
void health_start(void);

#endif
