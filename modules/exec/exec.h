/* exec.h - the executor as its host (the web server, a test, a benchmark) sees
 * it.
 *
 *   parent, before fork   exec_create
 *   each worker           exec_attach (starts the arena's thread), later
 *                         exec_hold, exec_detach
 *   any attached worker   exec_plan_find/put, exec_reserve → (durable in the
 *                         database) → exec_commit, exec_cancel, exec_pause
 *   each worker's loop    journal_collect → (written) → journal_committed,
 *                         when journal_fd is readable
 *
 * Durable:  when completions are shown to the journal is the plan's choice (enum
 *           durability): 50 ms after the first (batch), as soon as nothing is
 *           ready before they are committed (sync: successors start only then),
 *           or never (memory: entries without completions).
 * Shared:   everything of a run lies in the region of shm.h, so a run outlives
 *           its worker: the next arena to look takes it over. Handles (struct
 *           run_ref) carry a generation; a stale one is refused.
 * Threads:  all functions here may be called by any thread of any attached
 *           process unless they say otherwise; none blocks longer than a
 *           memory scan.
 * Calls:    the arena's thread polls, reads and writes eventfds, sleeps on
 *           futexes and maps memory; a seccomp filter has to allow poll, futex,
 *           clone3, mmap, munmap, madvise, sched_setaffinity, set_robust_list,
 *           rseq, rt_sigprocmask and what compute.h, runner.h and http.h
 *           need.
 */
#ifndef OPEN_EXEC_EXEC_H
#define OPEN_EXEC_EXEC_H

#include "base/err.h"
#include "base/uuid.h"
#include "dag/plan.h"
#include "exec/compute.h"
#include "exec/host.h"
#include "exec/http.h"
#include "exec/runner.h"
#include "exec/secrets.h"
#include "exec/sql.h"

struct exec_settings {
	size_t shm_bytes;	 /* 256 MiB */
	unsigned arenas;	 /* one per worker */
	unsigned max_runs;	 /* run slots, 16,384 */
	unsigned max_plans;	 /* entries of the plan cache, 1,024 */
	unsigned max_tenants;	 /* organizations with runs at once, a quarter
				    of max_runs */
	size_t reserve_bytes;	 /* new runs are refused when less than this is
				 free, 1/8 of shm_bytes */
	size_t run_bytes;	 /* results and logs of one run at most, 1/4 */
	uint32_t for_each_limit; /* elements of one node, 100,000 */
	int64_t flush_ns; /* node completions wait for the journal at most this
			     long, 50 ms (promise: 100) */
	bool pin; /* pin arena i's thread to CPU i mod the number of CPUs */
	struct compute_settings compute;
	struct runner_settings runner;
	struct http_settings http;
	struct sql_settings sql;
	struct secret_source secrets;
	const _Atomic int64_t *lease; /* see lease.h */
	struct host_source host;
};
void exec_settings_default(struct exec_settings *);

struct exec; /* private to the process, points into the region */

/* Maps the region, makes the arenas' eventfds. Called once before the workers
 * fork. NULL and e on failure. */
struct exec *exec_create(const struct exec_settings *, struct err *e);
/* Becomes the owner of arena 0..arenas-1: takes its lock (also after an owner
 * that died), raises its epoch, adopts what it left, starts its thread and
 * compute threads. Once per process. */
int exec_attach(struct exec *, unsigned arena, struct err *e);
/* Before an orderly end, on the event loop: the arena starts and ends nothing
 * any more, and what has ended is offered by journal_collect at once, so that
 * nothing of it is run again. exec_detach must follow. */
void exec_hold(struct exec *);
/* Orderly end: the arena stops starting nodes, ends its threads, leaves its
 * runs for others to adopt. */
void exec_detach(struct exec *);
void exec_destroy(struct exec *); /* unmaps; tests and benchmarks */

/* --- plans --- */

struct plan_hash {
	uint8_t bytes[SHA256_SIZE]; /* SHA-256 of the plan's bytes */
};
bool exec_plan_find(struct exec *, const struct plan_hash *);
/* Checks (plan_check, hash) and copies it in, evicting unused plans where
 * needed. -1: "corrupted_plan", "plan_version", "plan_too_large",
 * "shared_memory_full" (try again later). Already there: 0. */
int exec_plan_put(struct exec *, const struct plan_hash *, const void *plan,
    size_t len, struct err *e);

/* 0, or -1 and "plan_too_large": no run of it can ever be in this region. */
int exec_plan_fits(struct exec *, const struct plan *, struct err *e);

/* --- organizations --- */

/* What of an organization may run at once here; also: what it must not start
 * any more. It holds from now on, also for what waits; what runs goes on. */
struct tenant_limits;
void exec_tenant_limit(struct exec *, const struct uuid *organization,
    const struct tenant_limits *);
/* False: nobody told its limits (since it was forgotten): there are none. */
bool exec_tenant_known(struct exec *, const struct uuid *organization);
/* enum tenant_quota; 0: none, or it is not known. */
unsigned exec_tenant_exceeded(struct exec *, const struct uuid *organization);
/* Those that are known or have runs here, at most max; how many. */
uint32_t exec_tenants(struct exec *, struct uuid *list, uint32_t max);

/* --- runs --- */

enum run_status {
	RUN_PENDING,
	RUN_RUNNING,
	RUN_SUCCESS,
	RUN_FAILED,
	RUN_CANCELLED
};

struct run_ref {
	uint32_t slot;
	uint32_t generation;
};

struct run_start {
	struct uuid execution, organization;
	unsigned allowed;    /* enum run_allowed, by the settings now */
	bool priority_given; /* else it is its plan's */
	int priority;
	bool child; /* a run here waits for it: it may take more room */
	const char *context; /* canonical JSON object, at most 1 MiB */
	size_t context_len;
};

/* What a row of the history tells: how a node (or an element of one) ended, or
 * an event of exec/event.h. The letters of open.node_history.states. */
enum event_kind {
	EVENT_STARTED = 'r', /* an attempt that runs for a while */
	EVENT_TRIED = 't',   /* an attempt failed and is followed by another */
	EVENT_INTERRUPTED = 'i', /* its server died while it ran */
	EVENT_EXPANDED = 'x',	 /* a fan-out: its elements are known */
	EVENT_SUCCESS = 's',
	EVENT_FAILED = 'f',
	EVENT_SKIPPED = 'k',
	EVENT_CANCELLED = 'c'
};
#define ELEMENT_NONE UINT32_MAX /* the node itself, no element of it */

/* A row of the history that is already in the database (or came with it), for
 * exec_commit after a restart. */
struct run_done {
	uint32_t node, element;
	enum event_kind kind;
	uint16_t attempts;
	int64_t started_us, completed_us; /* UTC */
	const char *result;		  /* JSON or NULL */
	size_t result_len;
};

struct run_resume {
	int64_t started_us; /* UTC; 0: it never started (its history, if any,
			       was kept from another one) */
	bool cancel;	    /* cancel was requested */
	bool paused;	    /* it must start nothing */
	uint32_t count; /* rows, in the order in which they were journalled */
	const struct run_done *done;
};

/* Takes a slot and memory for the context, before the execution's row is
 * committed: whoever is told "started" will be run. -1: "executor_full" (answer
 * 503). A slot whose worker dies before exec_commit becomes an orphan. */
int exec_reserve(struct exec *, const struct run_start *, struct run_ref *out,
    struct err *e);
/* The row is durable: hand the run to the least loaded arena. resume: NULL for
 * a new one. -1: "plan_missing" (put it and call again; the slot stays
 * reserved), "executor_full" (no room for the history now: call again later),
 * "run_too_large", "corrupted_history" (never), or "stale_run". */
int exec_commit(struct exec *, struct run_ref, const struct plan_hash *,
    const struct run_resume *resume, struct err *e);
/* The row was not written: give the slot back. */
void exec_abandon(struct exec *, struct run_ref);
/* An execution whose worker died between reserve and commit, now reserved by
 * the caller, who looks into the database and then commits or abandons it.
 * False: none. */
bool exec_next_orphan(
    struct exec *, struct uuid *execution, struct run_ref *out);
/* True if the execution is in shared memory (any state but free). Scans the
 * slots. */
bool exec_find(
    struct exec *, const struct uuid *execution, struct run_ref *out);
/* Asks for cancellation; false: it is not here (or already ended). */
bool exec_cancel(struct exec *, const struct uuid *execution);
/* Nothing of it starts until exec_resume (what runs may end), unless it is
 * cancelled or out of time. Both say what shall be, may be repeated, and hold
 * from the moment of exec_reserve. False: it is not here (or already ended). */
bool exec_pause(struct exec *, const struct uuid *execution);
bool exec_resume(struct exec *, const struct uuid *execution);
/* The executions that are here and have not ended, from slot *from on: up to
 * max of them, how many; *from is where to go on, 0: that were all. */
size_t exec_list(
    struct exec *, uint32_t *from, struct uuid *executions, size_t max);

struct exec_status {
	size_t bytes_total, bytes_free;
	unsigned runs, runs_max, plans;
	unsigned arenas, arenas_alive;
	uint64_t nodes_completed, runs_completed,
	    takeovers; /* since exec_create */
};
void exec_status(struct exec *, struct exec_status *);

/* --- journal: the event loop of the arena's own process only --- */

/* A completion or an event as the journal writes it. Pointers lead into shared
 * memory, valid until committed or failed. */
struct journal_node {
	uint32_t node, element;
	enum event_kind kind;
	uint16_t attempts;
	int64_t started_us, completed_us; /* since the entry's base_us */
	const char *result;
	size_t result_len; /* JSON; NULL: none */
	const char *error;
	size_t error_len;
	const char *log;
	size_t log_len;
};

struct journal_entry {
	struct run_ref run;
	struct uuid execution, organization;
	int64_t base_us;     /* UTC */
	bool status_changed; /* status, started_us, completed_us, result, error
				are to be written */
	enum run_status status;
	int64_t started_us, completed_us; /* UTC; 0: not yet */
	const char *result;
	size_t result_len; /* JSON object: results of leaf nodes; NULL: none */
	const char *error;
	size_t error_len;
	uint32_t total_nodes, succeeded_nodes, failed_nodes;
	int64_t cpu_us;	       /* once it ended: spent by its attempts, … */
	uint64_t stored_bytes; /* … of context, results, errors and logs */
	uint32_t first; /* rows before this entry: completions and events */
	uint32_t count; /* rows in this entry; 0: only the status */
	/* Of them events, which stand before the completions. */
	uint32_t events_first, events;
};

/* An eventfd that becomes readable when there is something to collect, and after
 * a takeover (look for orphans, too); the caller reads it, then collects. After
 * journal_failed it is readable at once: how long to wait is the caller's. */
int journal_fd(struct exec *);
/* Up to max entries. Whatever happened before a completion is in its entry or
 * in an earlier one. A run is in at most one uncommitted batch. The same range
 * is collected again, byte for byte, after journal_failed and after a takeover,
 * so a write that is keyed by (execution, first) is safe to repeat. */
size_t journal_collect(
    struct exec *, struct journal_entry *entries, size_t max);
void journal_node(struct exec *, const struct journal_entry *, uint32_t i,
    struct journal_node *out); /* i < count */
void journal_committed(struct exec *, const struct journal_entry *entries,
    size_t n); /* ended runs are freed */
/* The same from a host that collects again at once: journal_fd does not tell of
 * what is there by then. */
void journal_committed_quietly(
    struct exec *, const struct journal_entry *entries, size_t n);
void journal_failed(struct exec *, const struct journal_entry *entries,
    size_t n); /* offered again by collect */
/* How many nanoseconds the oldest thing to write has waited; 0: nothing waits.
 */
int64_t journal_lag_ns(struct exec *);

#endif
