/* tree.h - builds a struct json tree from a parser's events, for json.c and
 * yaml.c.
 *
 * Owner:    tree_create … tree_destroy around one parse; the finished values
 *           live in the struct mem, the stacks on the heap.
 * Fails:    sticky, with the first error in e; every function returns false
 *           then, which is also what the parser's callback returns.
 */
#ifndef OPEN_DAG_TREE_H
#define OPEN_DAG_TREE_H

#include "dag/json.h"

struct tree_open;

struct place {
	uint32_t line, column; /* 1-based; column in bytes */
};

/* Counts from the text's start: for errors only. */
struct place place_at(const char *text, size_t offset);

struct tree {
	struct mem *mem;
	struct err *err;
	unsigned max_depth;
	bool allow_duplicates;
	bool failed;
	struct json_member key;	     /* of the value that comes next */
	struct json_member *pending; /* values of all open containers */
	size_t count, cap;
	struct tree_open *open;
	unsigned depth;
	const struct json *root;
};

/* options may be NULL. */
void tree_create(struct tree *t, struct mem *m,
    const struct json_options *options, struct err *e);
void tree_destroy(struct tree *t);

bool tree_key(struct tree *t, const char *name, size_t len, struct place at);
bool tree_start(struct tree *t, enum json_type type, struct place at);
bool tree_end(struct tree *t);
/* A scalar without content: null, true, false. */
bool tree_literal(struct tree *t, enum json_type type, struct place at);
bool tree_integer(struct tree *t, int64_t n, struct place at);
bool tree_number(struct tree *t, double n, const char *text, struct place at);
/* s must live in the mem. */
bool tree_string(struct tree *t, const char *s, size_t len, struct place at);

/* Records a failure; false, so that callbacks can return it. */
bool tree_fail(
    struct tree *t, struct place at, const char *code, const char *message);
bool tree_fail_memory(struct tree *t);

#endif
