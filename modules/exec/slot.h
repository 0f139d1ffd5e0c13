/* slot.h - run slots: what of a run lies in shared memory, and its life.
 *
 *   free → starting → reserved → queued → running → ended → freeing → free
 *
 * Word:     state, owner (arena and its epoch) and generation of a slot are one
 *           64-bit word, moved only by compare-and-swap: a stale owner or a
 *           stale handle is refused by the word itself. Words lie densely
 *           beside the slots, so that scanning all of them is cheap.
 * Owner:    reserved: the worker that will commit or abandon it. Queued,
 *           running, ended: the arena that (will) run it and whose worker
 *           writes its journal. An owner whose epoch has passed is dead.
 * Memory:   a run's blocks are chained extents that carry the slot's tag, with
 *           a bump pointer in the newest; freed whole.
 * Threads:  memory and times are the owner's (before queued the committing
 *           thread, then the arena's), journal fields the event loop's of the
 *           owning worker.
 */
#ifndef OPEN_EXEC_SLOT_H
#define OPEN_EXEC_SLOT_H

#include "exec/event.h"
#include "exec/scheduler.h"
#include "exec/shm.h"

enum slot_state {
	SLOT_FREE,
	SLOT_STARTING, /* being filled by exec_reserve */
	SLOT_RESERVED,
	SLOT_QUEUED,
	SLOT_RUNNING,
	SLOT_ENDED, /* all nodes ended; waits for its last journal entry */
	SLOT_FREEING
};

/* The word of a slot, taken apart. */
struct slot_word {
	enum slot_state state;
	uint8_t arena;
	uint16_t epoch;
	uint32_t generation; /* counts lives, from 1 */
};

static inline uint64_t
slot_word_pack(struct slot_word w)
{
	return (uint64_t)w.generation << 32 | (uint64_t)w.epoch << 16 |
	       (uint64_t)w.arena << 8 | (uint64_t)w.state;
}
static inline struct slot_word
slot_word_unpack(uint64_t n)
{
	return (struct slot_word){.state = (enum slot_state)(n & 0xff),
	    .arena = (uint8_t)(n >> 8),
	    .epoch = (uint16_t)(n >> 16),
	    .generation = (uint32_t)(n >> 32)};
}

#define SLOT_PRIORITY_OF_PLAN INT32_MAX

struct text {	     /* in shared memory */
	uint64_t at; /* offset; 0: none */
	uint32_t len;
	uint32_t reserved;
};

/* How far the journal is: so many completions (of state.completed) and so many
 * events. One word, so that also a crash leaves both or none. */
struct flush {
	uint32_t completed, events;
};

static inline uint64_t
flush_pack(struct flush f)
{
	return (uint64_t)f.events << 32 | f.completed;
}
static inline struct flush
flush_unpack(uint64_t n)
{
	return (struct flush){(uint32_t)n, (uint32_t)(n >> 32)};
}

#define SLOT_MAGIC 0x544f4c53u /* "SLOT" */

struct slot {
	uint32_t magic;
	_Atomic uint32_t cancel; /* the generation that shall be cancelled */
	struct uuid organization;
	_Atomic uint64_t pause; /* see slot_pause */
	struct run_state state;

	uint32_t allowed;	 /* enum run_allowed */
	bool admitted;		 /* holds a place: see limits.c */
	bool child;		 /* runs in its parent's place */
	_Atomic int64_t cpu_ns;	 /* spent by its attempts */
	int32_t priority;	 /* SLOT_PRIORITY_OF_PLAN: as its plan says */
	uint32_t extent;	 /* newest extent's first block + 1; 0: none */
	bool sweep;		 /* the chain may miss blocks: free by tag */
	uint64_t heap, heap_end; /* free bytes of the newest extent */
	uint64_t outputs;	 /* bytes of results, errors and logs */
	struct text context, result, error;
	_Atomic uint64_t memory; /* run_memory_size bytes; 0: not begun */
	_Atomic uint64_t fans;	 /* the newest block of fan.h; 0: none */

	int64_t base_ns;	 /* CLOCK_MONOTONIC of the run's time 0 */
	int64_t base_us;	 /* UTC of the same instant; 0: never started */
	int64_t completed_ns;	 /* end of the run, since the base */
	_Atomic uint32_t status; /* enum run_status */

	uint32_t status_written;	    /* what the database knows */
	_Atomic uint64_t flushed, flush_to; /* written; offered */
	_Atomic uint32_t awaited; /* events shall be durable: tell the arena */
	struct event_log events;
};

static inline struct flush
slot_flushed(const struct slot *s)
{
	return flush_unpack(atomic_load(&s->flushed));
}
static inline struct flush
slot_flush_to(const struct slot *s)
{
	return flush_unpack(atomic_load(&s->flush_to));
}

/* Whether a run shall pause, and that somebody said so, by its generation. */
enum slot_pause {
	SLOT_PAUSE = 1,
	SLOT_RESUME = 2
};

static inline uint64_t
slot_pause(uint32_t generation, enum slot_pause pause)
{
	return (uint64_t)generation << 32 | pause;
}
static inline bool
slot_paused(const struct slot *slot, uint32_t generation)
{
	return atomic_load(&slot->pause) == slot_pause(generation, SLOT_PAUSE);
}

/* What a node left behind; bytes follow: result, error, log. */
struct output {
	uint32_t has; /* OUTPUT_* */
	uint32_t result_len, error_len, log_len;
	char bytes[];
};
enum {
	OUTPUT_RESULT = 1,
	OUTPUT_ERROR = 2,
	OUTPUT_LOG = 4
};

struct slots { /* private handle */
	struct shm *shm;
	uint32_t count;
	_Atomic uint32_t *hint;
	_Atomic uint64_t *words;
	struct uuid *ids;	   /* execution, valid from reserved on */
	_Atomic uint32_t *plans;   /* plan cache entry + 1; 0: none */
	_Atomic uint32_t *tenants; /* index of tenants.h + 1; 0: none */
	_Atomic int32_t *held;	   /* by tenant: slots that name it */
	_Atomic int32_t *held_all; /* their sum */
	struct slot *list;
};

static inline struct slot_word
slot_word(const struct slots *s, uint32_t i)
{
	return slot_word_unpack(atomic_load(&s->words[i]));
}
/* from → to if nothing changed meanwhile. */
static inline bool
slot_move(const struct slots *s, uint32_t i, struct slot_word from,
    struct slot_word to)
{
	uint64_t expected = slot_word_pack(from);

	return atomic_compare_exchange_strong(
	    &s->words[i], &expected, slot_word_pack(to));
}
/* The same, only the state changes. */
static inline bool
slot_step(const struct slots *s, uint32_t i, struct slot_word *w,
    enum slot_state state)
{
	struct slot_word to = *w;

	to.state = state;
	if (!slot_move(s, i, *w, to))
		return false;
	*w = to;
	return true;
}

/* A free slot, now SLOT_STARTING, owned and empty; SHM_NONE: none. */
uint32_t slot_claim(
    const struct slots *, uint8_t arena, uint16_t epoch, struct slot_word *w);
/* Makes the slot name a tenant, from claim to release. */
void slot_name_tenant(const struct slots *, uint32_t i, uint32_t tenant);
void slot_forget_tenant(const struct slots *, uint32_t i);
/* The tenant of a slot that names one. */
static inline uint32_t
slot_tenant(const struct slots *s, uint32_t i)
{
	return atomic_load_explicit(&s->tenants[i], memory_order_relaxed) - 1;
}
/* Counts anew what crashes falsified. */
void slot_count_tenants(const struct slots *, uint32_t tenant_count);
/* SLOT_FREEING → free, memory and all. */
void slot_release(const struct slots *, uint32_t i, struct slot_word w);
/* The slot of an execution in any state but free, or SHM_NONE. */
uint32_t slot_find(
    const struct slots *, const struct uuid *execution, struct slot_word *w);

/* size bytes of the run's memory, 8-byte aligned; 0: shared memory is full. */
uint64_t slot_alloc(const struct slots *, uint32_t i, size_t size);
/* Gives back what was allocated since; only while nobody else sees it. */
struct slot_mark {
	uint32_t extent;
	uint64_t heap, heap_end;
};
struct slot_mark slot_mark(const struct slots *, uint32_t i);
void slot_rewind(const struct slots *, uint32_t i, struct slot_mark);
/* Copies a text in; false: shared memory is full. */
bool slot_text(const struct slots *, uint32_t i, const char *text, size_t len,
    struct text *out);
/* The reference of a node's output for its record: 0 where there is none;
 * false: shared memory is full. */
bool slot_output(
    const struct slots *, uint32_t i, const struct op_outcome *, uint32_t *ref);
/* NULL for 0. */
static inline const struct output *
output_at(const struct shm *shm, uint32_t ref)
{
	return ref == 0 ? NULL : shm_at(shm, (uint64_t)ref * 8);
}
/* One text of an output; NULL: it has none. */
const char *output_text(const struct output *, unsigned which, size_t *len);

#endif
