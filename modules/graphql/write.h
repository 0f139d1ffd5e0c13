/* write.h - rows into an answer: data, and errors with their places and paths.
 *
 * Nulls: a field that may not be null and is takes the object it is in with it
 *        (6.4.4), up to data.
 * Fails: sticky, through the buffers; write_end tells.
 * Process: pure; what gives rows is a table of functions.
 */
#ifndef OPEN_GRAPHQL_WRITE_H
#define OPEN_GRAPHQL_WRITE_H

#include "base/buf.h"
#include "graphql/faults.h"
#include "graphql/plan.h"
#include "graphql/wire.h"

struct write_path {
	const struct write_path *up;
	const struct gql_name *name; /* NULL: an index */
	uint32_t index;
};

/* The rows of a root field. */
struct write_rows {
	unsigned count;
	void (*cell)(void *arg, unsigned row, unsigned column, struct wire *);
	void *arg;
};

struct writer {
	struct mem *mem;
	const struct json *variables;
	struct buf out, errors;
	unsigned error_count;
	const char *extensions; /* of the answer; NULL: none */
	size_t extensions_len;
	bool syntax; /* one of them: the document can't be read */
	int fault;   /* one of them is the server's: 500, 503; else 0 */
};

void write_begin(struct writer *, struct mem *, const struct json *variables);

/* message, code: of an error of a field. */
void write_error(struct writer *, struct gql_place, const struct write_path *,
    const char *code, const char *message);

/* The same with where it is in the field's arguments: a JSON pointer; NULL: in
 * none. */
void write_argument_error(struct writer *, struct gql_place,
    const struct write_path *, const char *code, const char *message,
    const char *pointer);

/* Of a document, with all its places. */
void write_fault(struct writer *, const struct gql_fault *);

/* ,"name":VALUE of a root field; false: data is null. */
bool write_root(
    struct writer *, const struct plan_root *, const struct write_rows *);
/* The same of a field that has no value, its error being told. */
bool write_root_null(struct writer *, const struct plan_root *);

void write_root_json(
    struct writer *, const struct plan_root *, const char *json, size_t len);

/* ,PART as another writer wrote it, and its errors. */
void write_part(struct writer *, const char *part, size_t len,
    const char *errors, size_t errors_len, unsigned error_count);

/* {"data":{…},"errors":[…]} in out, once begun by `{"data":` */
void write_data_begin(struct writer *);
void write_data_end(struct writer *, bool data);
/* An answer without data: the errors so far. */
void write_refusal(struct writer *);

#endif
