/* http_answer.h - an answer's bytes become a node's result.
 *
 * Owner:    the call's memory, but for body, which is malloc'd; hangs at
 *           call->rest from the end of the transfer until http_answer_result.
 */
#ifndef OPEN_EXEC_HTTP_ANSWER_H
#define OPEN_EXEC_HTTP_ANSWER_H

#include <stdatomic.h>

#include "exec/op_call.h"

#define HTTP_HEAD_LINES 256 /* status line and headers, at most */

struct http_answer {
	long status;
	const char *head;
	char *body; /* NULL: none */
	size_t head_len, body_len;
	size_t limit;	      /* bytes of the result */
	_Atomic size_t *held; /* what bodies take together: less afterwards */
};

/* Any thread. Fills the outcome from call->rest, which is gone then. */
void http_answer_result(struct op_call *);

#endif
