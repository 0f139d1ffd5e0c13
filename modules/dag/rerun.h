/* rerun.h - which nodes of an execution run again in a rerun of it, and of which
 * the results are kept: those that run again, and all that depend on them, and
 * only they.
 *
 * Owner:    everything lives in mem or is the caller's.
 * Process:  pure functions, any thread. Linear in nodes and dependencies.
 */
#ifndef OPEN_DAG_RERUN_H
#define OPEN_DAG_RERUN_H

#include "dag/plan.h"

struct rerun {
	/* Given. */
	struct mem *mem;
	const void *plan; /* as it is stored, aligned to 8; NULL: none */
	size_t plan_len;
	const char *definition; /* its JSON, where the plan can't be read */
	size_t definition_len;
	const struct op_set *ops;
	const struct document_limits *limits;
	const char *ended;  /* nodes that have ended: "3,0,7" */
	const char *states; /* … how: a letter each, s f k c */
	bool failed; /* those that did not end well run, and those named */
	const char *const *names;
	size_t name_count;

	/* Out. */
	uint32_t node_count;
	uint32_t runs;	  /* how many run again */
	uint8_t *keep;	  /* by node: 1 it is kept, 0 it runs */
	size_t unknown;	  /* the name that no node has */
	struct err fault; /* with RERUN_BROKEN */
};

enum rerun_outcome {
	RERUN_READY,
	RERUN_UNKNOWN, /* a name that no node has: the first is `unknown` */
	RERUN_NOTHING, /* no node would run */
	RERUN_BROKEN   /* fault: no memory, or no plan can be made */
};

enum rerun_outcome rerun_choose(struct rerun *);

#endif
