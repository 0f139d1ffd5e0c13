/* read.h - what the parts of document_read share; only for modules/dag.
 *
 * Owner:    document_read, on its stack, for one call.
 */
#ifndef OPEN_DAG_READ_H
#define OPEN_DAG_READ_H

#include "base/hash.h"
#include "dag/document.h"
#include "dag/lua_check.h"
#include "dag/secret.h"

/* Expression of node `node` at `at` mentions node `target`. */
struct reference {
	uint32_t node, target;
	const struct json *at;
};

struct reader {
	struct mem *mem;
	const struct document_options *options;
	const struct document_limits *limits;
	struct faults *faults;
	const struct json *root;
	struct document *doc;
	struct lua_checker *lua;

	struct hash_key key;
	uint32_t *names; /* open addressing: node index + 1 */
	uint32_t names_mask;
	uint32_t *seen; /* by node: last dependent that named it, + 1 */
	bool ordered;	/* the order holds all nodes: no cycle */

	const char *secrets[SECRETS_MAX]; /* named so far, in mem */
	uint32_t secret_count;

	struct reference *references; /* on the heap */
	size_t reference_count, reference_cap;
};

#define NO_NODE UINT32_MAX

/* Faults with a pointer and a place: at the value v, which is searched in the
 * node's source, or in the root for NO_NODE. */
void fault_at(struct reader *r, uint32_t node, const struct json *v,
    const char *code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* At the name of a member of object. */
void fault_member(struct reader *r, uint32_t node, const struct json *object,
    const struct json_member *member, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
void fault_memory(struct reader *r);

/* read_node.c: everything of a node but its dependencies. */
void read_node(struct reader *r, uint32_t node, const struct json *source);
/* A positive duration, or 0 and a fault. */
int64_t read_duration(struct reader *r, uint32_t node, const struct json *v);
/* Reports members of object that are not in the list (ended by NULL). */
void read_known_keys(struct reader *r, uint32_t node, const struct json *object,
    const char *const *known);
/* The member, or NULL if it is missing or null. */
const struct json *read_optional(const struct json *object, const char *name);

/* read_params.c: the op's parameters and all expressions of the node. */
void read_params(struct reader *r, uint32_t node, const struct json *source);
void read_expressions(struct reader *r, uint32_t node);

/* read_secrets.c. An expression that reads secrets where it may not: true, and
 * a fault. */
bool fault_secret(struct reader *r, uint32_t node, const struct json *at,
    const char *code, size_t len);
/* An expression of a parameter that is ${{ secrets.NAME }}: true, and noted.
 * What else it does with secrets is a fault, and true. */
bool read_secret(struct reader *r, uint32_t node, const struct json *at,
    const char *code, size_t len);

/* read_graph.c: names, dependencies, cycles; read_ancestors.c: references. */
void read_names(struct reader *r);
uint32_t find_node(const struct reader *r, const char *name, size_t len);
bool read_dependencies(struct reader *r); /* false: don't go on */
void read_order(struct reader *r);	  /* and cycles */
void read_references(struct reader *r);	  /* needs the order */

#endif
