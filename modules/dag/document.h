/* document.h - the DAG document: one model, read from YAML and JSON, validated,
 * written back.
 *
 *   bytes ── yaml_parse, json_parse ──► struct json
 *         ── document_read ──► struct document (validated)
 *         ── document_canonical ──► bytes that are hashed, stored, compiled
 *
 * Owner:    everything lives in the struct mem passed in; strings may point
 *           into the json tree's.
 * Process:  private; pure functions.
 * Errors:   document_read reports all faults at once in struct faults; the
 *           document is only returned without any.
 * Names:    of DAGs: 1..200 characters; of nodes: 1..200 bytes. UTF-8 without
 *           control characters (C0, DEL, C1, U+2028, U+2029), quotes (" ' `)
 *           and backslashes, and with no blank at either end.
 * Limits:   a node has at most 100 retries, for 1..16 codes; concurrency
 *           1..100,000; factor 1..1000; jitter 0..1; every
 *           duration is positive and at most 3650 days. A description has at
 *           most 10,000 bytes.
 * Null:     an optional key whose value is null counts as left out.
 */
#ifndef OPEN_DAG_DOCUMENT_H
#define OPEN_DAG_DOCUMENT_H

#include "dag/json.h"
#include "dag/op.h"

#define SHA256_SIZE 32

/* Of an execution beside others of its organization: more is sooner. */
#define PRIORITY_MIN (-100)
#define PRIORITY_MAX 100

/* Bytes of a pool's name: letters, digits, ".", "_" and "-". */
#define POOL_NAME_MAX 63
bool pool_name_is_valid(const char *name, size_t len);

enum trigger {
	TRIGGER_ALL_SUCCESS,
	TRIGGER_ALL_DONE,
	TRIGGER_ANY_SUCCESS,
	TRIGGER_ANY_FAILED,
	TRIGGER_NONE_FAILED
};

/* When what a node did becomes durable. */
enum durability {
	DURABILITY_BATCH,  /* soon: many completions in one commit */
	DURABILITY_SYNC,   /* before its successors start */
	DURABILITY_MEMORY, /* never; only the execution's end is */
	DURABILITY_COUNT
};
extern const char *const durability_names[DURABILITY_COUNT];

struct document_limits {
	size_t bytes;	       /* 4 MiB */
	uint32_t nodes;	       /* 100,000 */
	uint32_t dependencies; /* 1,000,000 */
};
extern const struct document_limits document_limits_default;

struct retry {
	uint32_t limit; /* attempts after the first, 0..100 */
	int64_t backoff_ns, max_ns;
	double factor; /* >= 1 */
	double jitter; /* 0..1 */
	/* Codes of the failures that are retried, ascending; 0: those that may
	 * pass by themselves, as the op says. */
	uint32_t on_count;
	const char **on;
};
#define RETRY_ON_MAX	  16
#define RETRY_CODE_MAX	  64 /* bytes of a code: lower-case letters and _ */
#define RETRY_INTERRUPTED "interrupted" /* its server ended meanwhile */

/* What retry leaves out: backoff 1s, factor 2, max the larger of 5m and
 * backoff, jitter 0. */
#define RETRY_BACKOFF_NS INT64_C(1000000000)
#define RETRY_MAX_NS	 INT64_C(300000000000)
#define RETRY_FACTOR	 2.0

/* Elements of for_each that run at once. */
#define CONCURRENCY_DEFAULT 100
#define CONCURRENCY_MAX	    100000

struct document_node {
	const char *name;
	uint32_t op;		 /* index in the op_set */
	const struct json *with; /* object or NULL */
	const char *when;	 /* Lua expression or NULL */
	/* A list, or a string that is one ${{ }}; NULL: the node runs once. */
	const struct json *for_each;
	uint32_t concurrency; /* elements at once; 0 without for_each */
	const char *pool;     /* limits it across DAGs; NULL: none */
	enum trigger trigger;
	struct retry retry;
	int64_t timeout_ns; /* 0: none */
	uint32_t dependency_count;
	uint32_t *dependencies;	   /* node indexes, ascending */
	const struct json *source; /* for places */
};

struct document {
	/* NULL in a JSON definition, where it stands beside. */
	const char *name;
	const char *description; /* "" if none */
	int64_t timeout_ns;	 /* 0: none */
	enum durability durability;
	int priority; /* PRIORITY_MIN..PRIORITY_MAX; 0 where none is given */
	uint32_t node_count;
	uint32_t dependency_count;
	/* In the document's order; the index is the node's identity in the
	 * version. */
	struct document_node *nodes;
	uint32_t *order; /* node indexes, dependencies before dependents */
};

struct faults {
	size_t count; /* found; at most max are kept */
	size_t kept;
	struct err *list; /* in mem */
	size_t max;
	struct mem *mem;
	struct err spare; /* the list when there is no memory for one */
};
#define FAULTS_MAX 100 /* a sensible max */
void faults_create(struct faults *f, struct mem *m, size_t max);
/* at: gives line and column, may be NULL; pointer: NULL is "". The fault, to
 * be corrected in place, or NULL if it is only counted. */
struct err *faults_add(struct faults *f, const struct json *at,
    const char *pointer, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* By place; those without one keep their order at the end. document_read has
 * done it. */
void faults_sort(struct faults *f);

/* What a caller may ask of document_read. */
struct document_options {
	const struct op_set *ops;
	const struct document_limits *limits; /* NULL: the default */
	/* A document that stands alone: name and description stand inside.
	 * Otherwise they stand beside it and are unknown keys in it. */
	bool name_required;
	/* Organization's settings object, for permissions of ops and names of
	 * pools; NULL: all are allowed. */
	const struct json *settings;
};

/* Reads and validates the tree. 0 and *out, or -1 with at least one fault.
 * Codes: invalid_type unknown_key missing_key invalid_name invalid_description
 * duplicate_node unknown_dependency self_dependency duplicate_dependency cycle
 * unknown_op invalid_parameter missing_parameter unknown_parameter
 * op_not_allowed secret_not_allowed invalid_duration invalid_durability invalid_priority
 * invalid_trigger
 * invalid_retry invalid_for_each invalid_concurrency invalid_pool
 * unknown_pool invalid_expression unknown_node not_an_ancestor too_many_nodes
 * too_many_dependencies document_too_large out_of_memory.
 * A cycle's message shows its path in the order of running: a -> b -> a means
 * that b depends on a. */
int document_read(struct mem *m, const struct json *root,
    const struct document_options *options, struct faults *faults,
    struct document **out);

/* Both steps for bytes; format by the first argument. Syntax errors become
 * faults too, with the reader's codes. */
enum document_format {
	DOCUMENT_YAML,
	DOCUMENT_JSON
};
int document_parse(struct mem *m, enum document_format format,
    const char *bytes, size_t len, const struct document_options *options,
    struct faults *faults, struct document **out);

/* The canonical JSON of {durability, nodes, priority, timeout} (never name or description): defaults
 * left out, keys sorted, durations as duration_format has them, dependencies in
 * ascending node order. Two documents that mean the same give the same bytes.
 * d may be a document of the same ops only. */
void document_canonical(
    const struct document *d, const struct op_set *ops, struct buf *out);
/* SHA-256; -1 if the library fails. */
int document_hash(const char *canonical, size_t len, uint8_t hash[SHA256_SIZE]);

/* YAML that document_parse reads back to the same canonical form. definition is
 * a JSON tree as document_canonical wrote it; name NULL: without one. */
void document_to_yaml(const char *name, const char *description,
    const struct json *definition, struct buf *out);

#endif
