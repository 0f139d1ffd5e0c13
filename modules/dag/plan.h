/* plan.h - a version compiled into one flat, position-independent block;
 * nothing is parsed when an execution starts.
 *
 * Layout:   struct plan, then the tables at the offsets it names, in the order
 *           it names them, without gaps but for alignment to 8; offsets in
 *           bytes from the start of the block, little-endian, native structs.
 *           PLAN_VERSION changes whenever anything of this changes. The blob
 *           holds the ops' names, the nodes' names, retry_on
 *           and pools, then per node
 *           the templates of with, when and for_each, each value's contents behind it in the order of
 *           reading: so one pass can check it and nothing can be shared.
 * Graph:    compressed sparse rows both ways. Node index = position in the
 *           document. The same document gives the same bytes.
 * Checked:  plan_check verifies magic, version, size, checksum, every offset
 *           and index, the templates and acyclicity, and must pass before any
 *           other function or the executor touches the block. Whatever bytes
 *           pass it are safe to run, even if they were made to deceive.
 * Process:  read-only after compile; may lie in shared memory.
 */
#ifndef OPEN_DAG_PLAN_H
#define OPEN_DAG_PLAN_H

#include "dag/document.h"

#define PLAN_MAGIC   0x4e414c504e45504full /* "OPENPLAN" */
#define PLAN_VERSION 6
#define PLAN_NONE    UINT32_MAX

struct plan_node {
	uint32_t name; /* offset of a NUL-terminated string */
	/* Index in the plan's op table (names; resolved by whoever attaches
	 * the plan). */
	uint32_t op;
	/* Offset of the parameters' template (a TEMPLATE_OBJECT), or 0. */
	uint32_t with;
	/* Offset of an expression (a TEMPLATE_PATH or TEMPLATE_LUA), or 0. */
	uint32_t when;
	/* Offset of a list's template (a TEMPLATE_ARRAY, TEMPLATE_PATH or
	 * TEMPLATE_LUA), or 0: the node runs once. */
	uint32_t for_each;
	uint32_t concurrency; /* elements at once; 0 without for_each */
	uint32_t indegree;
	uint8_t trigger; /* enum trigger */
	uint8_t flags;	 /* PLAN_NODE_* */
	uint16_t retry_limit;
	int64_t timeout_ns; /* 0: none */
	int64_t retry_backoff_ns, retry_max_ns;
	float retry_factor, retry_jitter;
	/* Offset of a string of codes, ascending, with a space between two; or
	 * 0: what may pass by itself is retried. */
	uint32_t retry_on;
	/* Offset of the name of a pool that limits it, NUL-terminated, or 0. */
	uint32_t pool;
};
enum {
	PLAN_NODE_PURE =
	    1 << 0, /* noop, no when, no for_each: ends the moment it
				  starts */
	PLAN_NODE_STATIC = 1 << 1, /* with has no ${{ }}, or there is none */
	PLAN_NODE_LEAF = 1 << 2,   /* no successors: its result belongs to the
				    execution's result */
	PLAN_NODE_SECRET = 1 << 3, /* with holds ${{ secrets.NAME }} */
	PLAN_NODE_ONCE = 1 << 4	   /* retry_on lacks "interrupted" */
};

struct plan {
	uint64_t magic;
	uint32_t version;
	uint32_t checksum; /* CRC-32C of the block with this field zero */
	uint64_t size;	   /* of the whole block in bytes */
	uint32_t node_count, edge_count, root_count, op_count;
	int64_t timeout_ns;	  /* of the execution; 0: none */
	uint32_t durability;	  /* enum durability */
	int32_t priority;	  /* PRIORITY_MIN..PRIORITY_MAX */
	uint32_t nodes;		  /* struct plan_node[node_count] */
	uint32_t successor_index; /* uint32_t[node_count + 1] */
	uint32_t successors;	  /* uint32_t[edge_count], ascending per node */
	uint32_t dependency_index; /* uint32_t[node_count + 1] */
	uint32_t dependencies; /* uint32_t[edge_count], ascending per node */
	uint32_t roots; /* uint32_t[root_count]: nodes without dependencies,
			   ascending */
	uint32_t order; /* uint32_t[node_count]: a topological order */
	uint32_t ops;	/* uint32_t[op_count]: offsets of op names */
	uint32_t names; /* uint32_t[]: open-addressed hash table of node indexes
			   + 1, size a power of two */
	uint32_t names_mask;
	uint32_t blob;	     /* strings and templates */
	uint32_t names_seed; /* of the hash table */
};

/* A malloc'd block the caller frees; NULL and e: "out_of_memory", or
 * "plan_too_large" over 4 GiB. */
struct plan *plan_compile(
    const struct document *d, const struct op_set *ops, struct err *e);
/* 0 if the len bytes (aligned to 8) are a sound plan; else -1 and e, code
 * "corrupted_plan", "plan_version" or "out_of_memory". */
int plan_check(const void *bytes, size_t len, struct err *e);

static inline const void *
plan_at(const struct plan *p, uint32_t offset)
{
	return (const char *)p + offset;
}
static inline const struct plan_node *
plan_nodes(const struct plan *p)
{
	return plan_at(p, p->nodes);
}
const char *plan_node_name(const struct plan *p, uint32_t node);
const char *plan_op_name(const struct plan *p, uint32_t op);
/* Whether retry_on has the code (NULL: it has not). */
bool plan_retry_on(
    const struct plan *p, const struct plan_node *node, const char *code);
/* PLAN_NONE: no such node. */
uint32_t plan_find(const struct plan *p, const char *name, size_t len);
/* True if ancestor can be reached from node along dependencies; a node is not
 * its own. O(edges); scratch from m, whose failure gives false. */
bool plan_is_ancestor(
    const struct plan *p, uint32_t node, uint32_t ancestor, struct mem *m);

#endif
