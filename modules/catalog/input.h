/* input.h - the body of a request that creates or changes a DAG: JSON:API or a
 * YAML document, read, validated and brought into the form that is stored.
 *
 * Owner:    everything lives in mem, the request's.
 * Threads:  dag_input_read is pure; big bodies are read on a helper thread.
 */
#ifndef OPEN_CATALOG_INPUT_H
#define OPEN_CATALOG_INPUT_H

#include "dag/document.h"

struct dag_input {
	/* Given. */
	struct mem *mem;
	const char *body;
	size_t body_len;
	bool yaml;
	const struct uuid *id; /* to change; NULL: to create */
	const struct json *settings;
	struct document_limits limits;

	/* Out, with 0. */
	const char *name;	 /* NULL: not given */
	const char *description; /* NULL: not given */
	int64_t seen_version;	 /* 0: not given */
	const char *canonical;	 /* NULL: no definition was given */
	size_t canonical_len;
	uint8_t hash[SHA256_SIZE];
	const char **node_names;
	size_t node_count;

	/* Out, with -1. */
	struct faults faults;
	int status;
};

int dag_input_read(struct dag_input *);

/* Compiles a stored definition (canonical JSON text). */
struct dag_compile {
	struct mem *mem;
	const char *definition;
	size_t definition_len;
	const struct json *settings;
	struct document_limits limits;

	const void *plan; /* in mem */
	size_t plan_len;
	uint8_t plan_hash[SHA256_SIZE];
	struct faults faults;
};
int dag_compile(struct dag_compile *);

#endif
