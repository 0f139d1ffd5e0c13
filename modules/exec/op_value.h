/* op_value.h - bytes from outside as a JSON value: what a command printed, what
 * a server answered. */
#ifndef OPEN_EXEC_OP_VALUE_H
#define OPEN_EXEC_OP_VALUE_H

#include "dag/json.h"

/* The JSON value that all of the bytes are, where PostgreSQL's jsonb can hold
 * it; else NULL. Bad text in it becomes U+FFFD. */
const struct json *op_value_json(struct mem *m, const char *data, size_t len);
/* The bytes as a text, bad ones as U+FFFD; NULL: m is full. */
const struct json *op_value_text(struct mem *m, const char *data, size_t len);

#endif
