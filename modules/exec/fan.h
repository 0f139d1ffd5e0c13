/* fan.h - a node with for_each at work in an arena: its list and the records of
 * its elements in shared memory, and what the arena knows besides.
 *
 *   attempt of the node ─ when, list ─► fan_begin ─► elements, each an attempt
 *   of its own ─► fan_turn joins their results ─► the node's attempt ends
 *
 * Memory:   one block a fan in the run's memory, chained from the slot: the
 *           records, the list (as an output, so that the journal writes it) and
 *           where each element begins in it.
 * Crash:    the block is complete before it is chained, chained before the log
 *           hears of it; an element's end is in the log before it is in the
 *           record. So of both only what the last event tells may be missing.
 * Threads:  the arena's; elements read the list on compute threads.
 */
#ifndef OPEN_EXEC_FAN_H
#define OPEN_EXEC_FAN_H

#include "base/buf.h"
#include "exec/fanout.h"
#include "exec/slot.h"

struct fan_block {
	uint64_t next; /* the run's block before it; 0: none */
	uint32_t node, count;
	uint32_t list;		       /* an output's reference */
	uint32_t told;		       /* the log has EVENT_EXPANDED */
	struct node_record elements[]; /* then uint32_t starts[count + 1] */
};

static inline uint32_t *
fan_starts(struct fan_block *b)
{
	return (uint32_t *)(void *)(b->elements + b->count);
}

/* A block with fresh records for a list of so many elements, chained to slot i;
 * starts as list_split gives them. Its offset; 0: shared memory is full. */
uint64_t fan_block_create(const struct slots *, uint32_t i, uint32_t node,
    const char *list, size_t len, const uint32_t *starts, uint32_t count);
size_t fan_block_size(size_t len, uint32_t count);
/* NULL: the node's list is not known yet. O(the run's blocks). */
struct fan_block *fan_block_find(
    const struct slots *, uint32_t i, uint32_t node);

struct arena;
struct local;
struct attempt;
struct run_event;

struct fan {
	struct fanout machine;
	struct fan_block *block;
	const char *list;
	struct attempt *attempt; /* the node's */
	struct fan *prev, *next; /* the run's fans */
	struct fan *ready_next;
	bool ready;
	bool ended;	/* the node's outcome is known */
	bool no_memory; /* stopped for want of it */
	/* Elements between two attempts, and those whose next one is due. */
	struct attempt *waiting, *due;
	const char *code; /* of the first failure; NULL: not known */
	struct buf joined;
	uint32_t joined_count;
};

/* --- the arena's thread --- */

/* The list of an attempt of a node is there, or was already. */
void fan_begin(struct arena *, struct attempt *);
/* What a call of the element is about. */
void fan_element(const struct fan *, uint32_t element, struct op_call *);
/* Has work for fan_turn. */
void fan_wake(struct local *, struct fan *);
/* After a pause. */
void fans_wake(struct local *);
/* Starts elements and ends nodes, until the instant (of the run) `until`. */
void fans_turn(struct arena *, struct local *, int64_t until);
/* Nothing of it starts any more. */
void fan_stop(struct local *, struct fan *);
void fan_free(struct local *, struct fan *);

/* An element's attempt has failed and waits; its next one is due. */
void element_wait(struct attempt *);
void element_due(struct attempt *);
/* Neither any more. */
void element_unlink(struct attempt *);
/* An element's attempt came to this; false: the log has no room now, nothing
 * happened. The attempt is still there. */
bool element_end(struct arena *, struct attempt *, enum node_state,
    uint32_t output, const char *code, int64_t now);

/* A run is taken over: what the last event tells and the records lack. */
void fans_adopt(struct arena *, struct local *);
/* What an earlier owner knew of the node's list; NULL: nothing. */
struct fan_block *fan_block_of(
    const struct arena *, const struct local *, uint32_t node);

#endif
