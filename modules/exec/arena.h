/* arena.h - inside exec: the process's handle, and the thread that runs plans.
 *
 * Files:    exec.c and control.c (the host's functions), arena.c (what the
 *           thread does), arena_life.c (from its first moment to its last),
 *           attempt.c, attempt_io.c, attempt_log.c, attempt_list.c (nodes that
 *           take time), finish.c (begin and end of a run), assist.c (what the
 *           event loop does for a sleeping arena), takeover.c, resume.c,
 *           event.c, journal.c.
 * Threads:  struct arena and its struct locals belong to whoever holds `awake`:
 *           the arena's thread but while it sleeps; exceptions are atomic or
 *           say so. struct exec is read-only after exec_attach but for its
 *           journal.
 */
#ifndef OPEN_EXEC_ARENA_H
#define OPEN_EXEC_ARENA_H

#include <pthread.h>
#include <semaphore.h>

#include "exec/bits.h"
#include "exec/fair.h"
#include "exec/io.h"
#include "exec/live_ring.h"
#include "exec/plan_cache.h"
#include "exec/tenants.h"
#include "exec/timer.h"

#define TURN_NODES    256	  /* nodes of one run before others' turn */
#define TURN_NS	      2000000	  /* … and time, where they take some */
#define TIMERS_A_TURN 1024	  /* due timers before runs' turn */
#define CHECK_NS      100000000	  /* looks for dead arenas and free memory */
#define GRACE_NS      10000000	  /* a dead process's last threads may need */
#define RANGE_BYTES   (4u << 20)  /* of results: a journal's entry ends */
#define RESULT_MAX    (1u << 20)  /* bytes of an execution's result */
#define STARVE_NS     10000000000 /* nothing freed for so long: give up */
#define PATIENCE_NS   1000000000  /* a large run waits so long, then others */
#define DRAIN_NS      10000000000 /* … are held back for it, so long */
#define LEASE_MS      20	  /* looks for a lease that was over */

/* --- in shared memory --- */

struct exec_global {
	_Atomic uint32_t slot_hint;
	_Atomic uint64_t takeovers;
	_Atomic int32_t held_all; /* see slot.h */
	_Atomic uint32_t starved; /* some arena waits for free blocks */
	_Atomic uint32_t freed;	  /* counts frees */
	_Atomic int64_t drain_ns; /* until then runs begin only if they have
				     waited for long */
};

struct arena_shared {
	pthread_mutex_t lock; /* robust; held by the arena's thread for life */
	_Atomic uint32_t epoch; /* low 16 bits count */
	_Atomic uint32_t alive;
	int wake_fd, journal_fd;	   /* made before the fork */
	_Alignas(64) _Atomic int32_t load; /* runs; an estimate */
	_Atomic uint32_t sleeping;
	_Alignas(64) _Atomic uint64_t nodes_completed;
	_Atomic uint64_t runs_completed;
};

/* --- private to the process --- */

struct journal {
	struct bits *dirty;   /* slots to look at; arena adds, loop takes */
	_Atomic uint8_t *due; /* by slot: completions shall be written now */
	_Atomic bool signalled;
	uint8_t *in_flight, *again; /* by slot: event loop only */
};

struct exec {
	struct exec_settings settings;
	struct shm shm;
	struct exec_global *global;
	struct arena_shared *arenas;
	char *inboxes, *gate_inboxes;
	struct slots slots;
	struct plan_cache plans;
	struct tenants tenants;
	struct journal journal;
	struct live live;
	struct arena *arena;			    /* NULL: not attached */
	_Atomic(struct secret_note *) secret_notes; /* of the event loop */
};

static inline struct bits *
exec_inbox(const struct exec *e, unsigned arena)
{
	size_t size = (bits_size(e->settings.max_runs) + 63) & ~(size_t)63;

	return (struct bits *)(void *)(e->inboxes + arena * size);
}

static inline size_t
bits_stride(uint32_t count)
{
	return (bits_size(count) + 63) & ~(size_t)63;
}
/* Gates that may have granted something to the arena. */
static inline struct bits *
exec_gate_inbox(const struct exec *e, unsigned arena)
{
	return (
	    struct bits *)(void *)(e->gate_inboxes +
				   arena * bits_stride(e->tenants.gates.count));
}

/* A run as its arena sees it. One per slot, reused; list fields survive. */
struct local {
	struct run run;
	struct arena *arena;
	uint32_t slot;
	bool open;	   /* ours and begun */
	bool announced;	   /* its running state went to the journal */
	uint32_t asked;	   /* held runs: completions shown to the journal */
	bool leaf_results; /* a leaf has a result */
	bool adopted_fans; /* an earlier owner left blocks of fan.h … */
	uint64_t *fan_at;  /* … by node; NULL: they have to be searched */
	struct fan *fans;  /* that run */
	struct fan *fans_ready, *fans_ready_last; /* have work for a turn */
	bool flush_queued, parked;
	uint32_t tenant;
	int32_t priority;
	struct fair_item active; /* has nodes to start */
	struct fair_item waits;	 /* parked: for memory */
	struct fair_item turn;	 /* waits for a place: see limits.c */
	int64_t base_ns;
	struct slot_word word;
	uint32_t counted;	     /* completions in the arena's count */
	_Atomic uint64_t *interest;  /* of workers in it, see live.h */
	uint32_t published;	     /* completions told to them */
	uint32_t elements_of;	     /* node of those that changed, + 1 */
	const struct op *const *ops; /* by the plan's op index */
	struct attempt *attempts;
	struct attempt *awaiting, **awaiting_end; /* announced */
	struct timer timeout;
	int64_t flush_at;
	int64_t parked_ns; /* since when it waits to begin; 0: it does not */
	struct local *flush_next, *secrets_next;
	struct run_secrets *secrets; /* NULL: its plan names none */
	bool secrets_waiting;
};

enum attempt_stage {
	ATTEMPT_SECRETS,   /* waits for values that were asked for */
	ATTEMPT_ANNOUNCED, /* waits until its start is durable */
	ATTEMPT_PREPARE,   /* conditions and parameters, on a compute thread */
	ATTEMPT_COMPUTE,
	ATTEMPT_COMMAND,
	ATTEMPT_IO,
	ATTEMPT_DELAY,
	ATTEMPT_FAN,	/* its elements run */
	ATTEMPT_RETRY,	/* between two attempts */
	ATTEMPT_PARKED, /* done, waits for memory to put its output in */
	ATTEMPT_PLACE	/* has not started: waits for a place */
};

struct attempt {
	struct timer timer;
	enum attempt_stage stage;
	uint32_t node, element; /* ELEMENT_NONE: the node itself */
	bool timed_out, stopped, prepared;
	bool no_memory; /* there was none for its call */
	bool kept; /* what it came to is known, its output in shared memory */
	enum node_state state;
	uint32_t ref;
	const char *code;     /* literal; NULL: none */
	bool told;	      /* the log knows of it, and of all behind it */
	bool announced;	      /* … and the database */
	bool gives_up;	      /* was interrupted and must not start over */
	bool starting;	      /* parked before its start */
	uint32_t event;	      /* announced: so many must be durable */
	struct op_call *call; /* NULL: delay, retry */
	struct local *local;
	struct attempt *prev, *next;
	struct attempt *chain; /* parked, announced or unused ones */
	int64_t ends_ns;       /* delay: when it is over */
	struct fan *fan;       /* NULL: its node has no list, or not yet */
	struct attempt *wait_next, **wait_at; /* elements between two */
	struct fair_item turn;		      /* waits for a place */
	uint32_t pool; /* gate of the pool it has a place in, + 1 */
	bool place;    /* has one of the organization's */
	bool no_pool;  /* there is no such pool */
};

enum timer_kind {
	TIMER_ATTEMPT,
	TIMER_RUN
};

struct plan_ops { /* a plan's ops, resolved in this process */
	uint32_t generation;
	uint32_t count;
	const struct op **ops;
	bool secrets; /* some node names one */
};

struct held { /* a dead arena's lock, while its process dies */
	bool held;
	int64_t until_ns;
};

struct arena {
	struct exec *exec;
	unsigned index;
	uint16_t epoch;
	struct arena_shared *shared;
	struct bits *inbox;
	pthread_t thread;
	pthread_mutex_t awake;
	bool quiet;	   /* the event loop is here: it will look for itself */
	_Atomic bool hold; /* the event loop wants `awake`, and keeps it */
	sem_t started;
	struct err *error; /* of exec_attach, until started is posted */
	bool failed;
	_Atomic bool stop;

	struct local *locals; /* by slot */
	struct fair active;
	struct local *flush, **flush_end;
	struct fair parked_runs;
	struct fair waiting; /* by gate: runs and attempts */
	struct attempt *parked, *unused;
	void *slabs;
	struct timers timers;
	struct plan_ops *plan_ops;
	struct held *held;
	struct compute *compute;
	struct runner_client *runner;
	struct secrets *secrets;
	struct io_set io;
	uint32_t outside; /* calls in the runner and in drivers of io */
	_Atomic(struct op_call *) done; /* from compute threads */
	uint64_t random;
	int64_t now_ns, check_at, poll_at;
	uint32_t freed_seen; /* global->freed, and when it last changed */
	int64_t freed_at, starve_ns;
	bool desperate; /* nothing will be freed: give up what is parked */
	uint32_t open_runs;
};

/* arena.c, arena_life.c */
int arena_start(struct exec *, unsigned index, struct err *e);
/* The thread's work until it is stopped. */
void arena_loop(struct arena *);
/* Takes the arena from its thread until arena_stop. */
void arena_hold(struct arena *);
void arena_stop(struct arena *);
void arena_wake(struct arena_shared *);
uint32_t random_next(struct arena *); /* uniform */
void arena_activate(struct arena *, struct local *);
/* After anything happened to a run: it goes on, ends, or waits. */
void arena_settle(struct arena *, struct local *);
/* Adds a slot to an arena's inbox and wakes it. */
void arena_look(struct exec *, unsigned arena, uint32_t slot);
/* Makes whoever waits for memory try again. */
void arena_memory_freed(struct exec *);

/* Who may take the last blocks: ends of runs before completions, these before
 * begins, these before new runs. Unused plans are evicted to make it so. */
enum claim {
	CLAIM_BEGIN,
	CLAIM_OUTPUT
};
bool arena_may_take(struct arena *, enum claim);
/* The next run that waits for memory tries again, and all behind it. */
void arena_unpark_runs(struct arena *);

/* control.c */
/* What the database said of a run that is being loaded; what exec_pause and
 * exec_resume said since it was reserved is newer. */
void run_asked(struct slot *, uint32_t generation, const struct run_resume *);

/* assist.c */
/* Event loop: completions of a held run of our arena are committed. What waited
 * for them goes on: at once where that is little, else in the arena. */
void arena_released(struct exec *, uint32_t slot);

/* finish.c */
/* The run of slot i is ours by its word: begin it (unless it is paused), or go
 * on where its records are. */
void local_open(struct arena *, uint32_t i, struct slot_word);
/* What was asked of an open run, see control.c. */
void local_control(struct arena *, struct local *);
/* All nodes ended: result, error, hand to the journal. */
void local_end(struct arena *, struct local *);
void local_stop(struct arena *, struct local *, enum run_stop);
void local_park(struct arena *, struct local *);

/* attempt_list.c: the newest of a run first */
/* Of a node or one of its elements; NULL: out of memory. */
struct attempt *attempt_new(struct arena *, struct local *, uint32_t node);
void attempt_free(struct arena *, struct attempt *);
void attempts_free(struct arena *);
/* The attempt of an element becomes its next one, the newest of its run. */
void attempt_renew(struct attempt *);
const struct plan_node *attempt_plan(const struct attempt *);
/* The record of its node, or of its element. */
struct node_record *attempt_record(const struct attempt *);

static inline bool
attempt_is_element(const struct attempt *t)
{
	return t->element != ELEMENT_NONE;
}

/* attempt.c */
/* An attempt whose record says that it runs: its call, its timeout, and on. */
void attempt_begin(struct arena *, struct attempt *);
/* Records its end, or arms its next try, or parks it; it may be freed. */
void attempt_finish(struct arena *, struct attempt *);
/* Waits for shared memory; then fan_begin or attempt_finish again. */
void attempt_park(struct arena *, struct attempt *);
void attempt_start(struct arena *, struct local *, uint32_t node, int64_t now);
/* Its secrets are there: on, from where secrets_ready stopped it. */
void attempt_go_on(struct arena *, struct attempt *);
void attempt_due(struct arena *, struct attempt *);
void attempts_stop(struct arena *, struct local *);
void attempts_retry(struct arena *, struct local *); /* after a rebuild */
void attempts_collect(struct arena *); /* what compute threads handed back */
void attempts_unpark(struct arena *);
void attempt_computed(void *arena, struct op_call *, bool prepared);
void attempt_came_back(void *arena, struct op_call *);

/* Conditions hold and parameters are there: the op itself. */
void attempt_act(struct arena *, struct attempt *);
/* There is no memory for what has to be recorded before it begins. */
void attempt_park_start(struct arena *, struct attempt *);
/* Result, error and log into shared memory; false: there is no room for them
 * now. What is too much is replaced by a failure. */
bool output_put(
    struct arena *, struct local *, struct op_outcome *, uint32_t *ref);

/* attempt_log.c */
/* Logs attempts that run and that the log does not know. */
void attempts_tell(struct arena *, struct local *);
bool attempts_untold(const struct local *);
/* Before the end of a node: when its last attempt began, if it had several. */
void attempt_log_last(struct arena *, struct attempt *);
/* Before sched_retry_at; false: there is no memory for it now. */
bool attempt_log_tried(struct arena *, const struct attempt *,
    const struct op_outcome *, int64_t now);
/* True: it may begin. Else it waits for the journal or for memory, and comes to
 * attempt_act again. */
bool attempt_announce(struct arena *, struct attempt *);
void attempts_announced(struct arena *, struct local *); /* a commit */
/* Before a rebuild: what the log knows and the records don't. */
void attempts_recover(struct arena *, struct local *);
/* After it: what becomes of the nodes that ran. */
void attempts_interrupted(struct arena *, struct local *);
void elements_interrupted(struct arena *, struct fan *);

/* attempt_io.c */
/* False: the outcome is filled. */
bool attempt_io_start(struct arena *, struct op_call *);
void attempt_io_stop(struct arena *, struct op_call *);
/* Its driver is done with it; true: a compute thread does the rest. */
bool attempt_io_rest(struct arena *, struct attempt *);
void attempts_io_drop(struct arena *); /* what compute threads left */

/* resume.c */
#define EXECUTOR_FULL                                                          \
	"The executor has no room for another run now; try again later."
/* Puts what the database holds of a run into a reserved slot: all or nothing, a
 * failure leaves the slot as it was. Codes as exec_commit's. */
int resume_run(
    struct exec *, uint32_t slot, const struct run_resume *, struct err *e);

/* attempt_list.c: the state of a node whose attempt came to this */
enum node_state attempt_ended_state(enum outcome_state);

/* limits.c */
/* The run may begin; false: it waits, and local_open is called again. */
bool limits_begin(struct arena *, struct local *);
/* It had begun before: whatever the limit. */
void limits_begun(struct arena *, struct local *);
void limits_ended(struct arena *, struct local *);
/* The attempt (of a node with for_each: of its next element) has what it needs
 * to start; false: it waits and goes on by itself. */
bool limits_take(struct arena *, struct attempt *);
/* Gives back what it took, waits no more. */
void limits_give(struct arena *, struct attempt *);
/* What an element's attempt starts with is what the node's took for it. */
void limits_move(struct attempt *from, struct attempt *to);
/* An attempt took so much CPU time. */
void limits_spend(struct arena *, const struct local *, int64_t cpu_ns);
void limits_collect(struct arena *); /* what was granted */
void limits_check(struct arena *);   /* the same, where nobody told */
/* What arena `from` held is its runs' only, and these are ours. */
void limits_adopt(struct arena *, unsigned from);
void limits_leave(struct arena *); /* before an orderly end */

/* scope.c */
struct scope local_scope(struct local *);

/* takeover.c */
/* Adopts what arena `from` left (its lock is ours); how many slots. */
uint32_t takeover(struct arena *, unsigned from);
void takeover_check(struct arena *);
void takeover_let_go(struct arena *);

/* journal.c */
int journal_create(struct exec *);
void journal_destroy(struct exec *);
/* Arena's thread: a slot has something to write. completions: those too. */
void journal_mark(struct exec *, uint32_t slot, bool completions);

#endif
