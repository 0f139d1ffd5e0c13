/* err.h - one expected failure: what, where, and what to do.
 *
 * Owner:    the caller; a struct err is passed in, on the stack or in a
 *           request.
 * Process:  private.
 * Text:     code is a literal, snake_case and part of the API
 *           ("dag_not_found"); message is a sentence for people, never with a
 *           secret, SQL or a machine's path in it. It is cut at a character's
 *           end.
 */
#ifndef OPEN_BASE_ERR_H
#define OPEN_BASE_ERR_H

#include <stddef.h>
#include <stdint.h>

#define ERR_MESSAGE_MAX 512
#define ERR_POINTER_MAX 256

struct err {
	const char *code; /* NULL: no error */
	uint32_t line;	  /* 1-based; 0: no place in a text */
	uint32_t column;  /* 1-based, in bytes */
	/* JSON pointer (RFC 6901) to the culprit; "": the whole or none. */
	char pointer[ERR_POINTER_MAX];
	char message[ERR_MESSAGE_MAX];
};

void err_clear(struct err *e);

/* Fills e with a code and a message and no place; whoever knows the place sets
 * it afterwards. NULL allowed: nothing happens. Returns -1, so that
 * `return err_set(…)` reads well. */
int err_set(struct err *e, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, for a failed allocation; code "out_of_memory". */
int err_memory(struct err *e);

#endif
