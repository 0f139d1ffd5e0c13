/* host_params.h - what a document may say about ops wait_for and dag, and what
 * a call of them means.
 *
 * Process:  pure functions, any thread.
 */
#ifndef OPEN_EXEC_HOST_PARAMS_H
#define OPEN_EXEC_HOST_PARAMS_H

#include "dag/json.h"
#include "exec/host.h"

#define DAG_NAME_MAX 200 /* characters */

struct host_params {
	enum host_kind kind;
	const char *name;   /* of the signal or DAG; NULL: only a time */
	int64_t until_us;   /* UTC; INT64_MAX: none */
	int64_t timeout_ns; /* from the node's first start; INT64_MAX: none */
	const struct json *fallback; /* instead of a signal, or NULL */
	const struct json *context;  /* an object, or NULL */
};

/* params as a document has them, where texts may hold templates, or evaluated.
 * 0, or -1 and e with a pointer relative to params. */
int wait_for_read(const struct json *params, bool templates,
    struct host_params *out, struct err *e);
int child_read(const struct json *params, bool templates,
    struct host_params *out, struct err *e);

#endif
