/* document.h - the DAG document: one model, read from YAML and JSON, validated,
 * written back.
 *
 * bytes ──yaml_parse or json_parse──► struct json ──document_read──► struct
 * document (validated) ──document_canonical──► bytes that are hashed, stored
 * and compiled Owner:    everything lives in the struct mem passed in; strings
 * may point into the json tree's. Errors:   document_read reports all faults at
 * once in struct faults; the document is only returned without any.
 */
#ifndef OPEN_DAG_DOCUMENT_H
#define OPEN_DAG_DOCUMENT_H

#include "dag/json.h"
#include "dag/op.h"

#define SHA256_SIZE 32

enum trigger {
	TRIGGER_ALL_SUCCESS,
	TRIGGER_ALL_DONE,
	TRIGGER_ANY_SUCCESS,
	TRIGGER_ANY_FAILED,
	TRIGGER_NONE_FAILED
};

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
};

struct document_node {
	const char *name;
	uint32_t op;		 /* index in the op_set */
	const struct json *with; /* object or NULL */
	const char *when;	 /* Lua expression or NULL */
	enum trigger trigger;
	struct retry retry;
	int64_t timeout_ns; /* 0: none */
	uint32_t dependency_count;
	uint32_t *dependencies;	   /* node indexes, ascending */
	const struct json *source; /* for places */
};

struct document {
	const char
	    *name; /* NULL in a JSON definition, where it stands beside */
	const char *description; /* "" if none */
	int64_t timeout_ns;	 /* 0: none */
	uint32_t node_count;
	uint32_t dependency_count;
	struct document_node *nodes; /* in the document's order; the index is
					the node's identity in the version */
};

struct faults {
	size_t count; /* found; at most max are kept */
	size_t kept;
	struct err *list; /* in mem */
	size_t max;
	struct mem *mem;
};
void faults_create(struct faults *f, struct mem *m, size_t max);
struct err *faults_add(struct faults *f, const struct json *at,
    const char *pointer, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* What a caller may ask of document_read. */
struct document_options {
	const struct op_set *ops;
	const struct document_limits *limits; /* NULL: the default */
	bool name_required; /* a YAML document: name and description stand
			       inside */
	/* Organization's settings object, for permissions of ops; NULL: every
	 * op is allowed. */
	const struct json *settings;
};

/* Reads and validates the tree. 0 and *out, or -1 with at least one fault.
 * Codes: invalid_type unknown_key missing_key invalid_name duplicate_node
 * unknown_dependency self_dependency duplicate_dependency cycle unknown_op
 * invalid_parameter missing_parameter unknown_parameter op_not_allowed
 * invalid_duration invalid_trigger invalid_retry invalid_expression
 * not_an_ancestor too_many_nodes too_many_dependencies document_too_large
 * out_of_memory. A cycle's message shows its path: a -> b -> a. */
int document_read(struct mem *m, const struct json *root,
    const struct document_options *options, struct faults *faults,
    struct document **out);

/* Both steps for bytes; format by the first argument. Syntax errors become
 * faults too. */
enum document_format {
	DOCUMENT_YAML,
	DOCUMENT_JSON
};
int document_parse(struct mem *m, enum document_format format,
    const char *bytes, size_t len, const struct document_options *options,
    struct faults *faults, struct document **out);

/* The canonical JSON of {timeout, nodes} (never name or description): defaults
 * left out, keys sorted, durations in shortest form, dependencies in ascending
 * node order. Two documents that mean the same give the same bytes. */
void document_canonical(
    const struct document *d, const struct op_set *ops, struct buf *out);
int document_hash(const char *canonical, size_t len, uint8_t hash[SHA256_SIZE]);

/* YAML that document_parse reads back to the same canonical form. definition is
 * a canonical JSON tree. */
void document_to_yaml(const char *name, const char *description,
    const struct json *definition, struct buf *out);

#endif
