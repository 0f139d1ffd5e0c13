/* op_call.c - making, failing and ending a call. */
#include "exec/op_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define CALL_MEMORY (512u << 20) /* a runaway template, not a working set */
#define ERROR_BYTES 4096u
#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

struct op_call *
op_call_new(void)
{
	struct op_call *call = mem_heap(sizeof(*call));

	if (call == NULL)
		return NULL;
	memset(call, 0, sizeof(*call));
	mem_create(&call->mem, CALL_MEMORY);
	return call;
}

void
op_call_free(struct op_call *call)
{
	if (call == NULL)
		return;
	secret_set_unref(call->secrets);
	mem_destroy(&call->mem);
	free(call);
}

/* Bytes of the longest prefix that may stand in PostgreSQL's text and jsonb. */
static size_t
clean_prefix(const char *text, size_t len)
{
	const char *nul = memchr(text, 0, len);

	return utf8_valid(text, nul == NULL ? len : (size_t)(nul - text));
}

const char *
op_text(struct mem *m, const char *text, size_t len, size_t *out)
{
	size_t bad = 0, at = 0, n;
	char *copy;

	if (len == 0)
		return *out = 0, "";
	for (size_t i = clean_prefix(text, len); i < len;
	     i += 1 + clean_prefix(text + i + 1, len - i - 1))
		bad++;
	copy = mem_alloc(m, len + 2 * bad + 1);
	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		n = clean_prefix(text + i, len - i);
		memcpy(copy + at, text + i, n);
		at += n;
		i += n;
		if (i < len) {
			memcpy(copy + at, REPLACEMENT, 3);
			at += 3;
		}
	}
	*out = at;
	return copy;
}

void
op_call_fail(struct op_call *call, bool retryable, const char *code,
    const char *fmt, ...)
{
	char text[ERROR_BYTES];
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	call->outcome.state = OUTCOME_FAILED;
	call->outcome.retryable = retryable;
	call->outcome.result = NULL;
	call->outcome.result_len = 0;
	call->outcome.error_code = code;
	call->outcome.error = op_text(&call->mem, text, strlen(text), &len);
}

void
op_call_cancelled(struct op_call *call)
{
	call->outcome.state = OUTCOME_CANCELLED;
	call->outcome.retryable = false;
	call->outcome.result = NULL;
	call->outcome.result_len = 0;
	call->outcome.error_code = NULL;
	call->outcome.error = NULL;
}

void
op_call_result(struct op_call *call, const struct json *v, size_t limit)
{
	struct buf b;
	char *text;

	call->outcome.state = OUTCOME_SUCCESS;
	call->outcome.result = NULL;
	call->outcome.result_len = 0;
	if (v == NULL)
		return;
	buf_create(&b, limit);
	b.wipe = call->mem.guarded;
	json_write(&b, v);
	if (buf_failed(&b))
		op_call_fail(call, false, "result_too_large",
		    "The result has more than %zu bytes.", limit);
	else if ((text = mem_strndup(&call->mem, b.data, b.len)) == NULL)
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	else {
		call->outcome.result = text;
		call->outcome.result_len = b.len;
	}
	buf_free(&b);
}

const char *
op_param_text(struct op_call *call, const struct json *v)
{
	const char *text;
	struct buf b;

	if (v == NULL)
		return "null";
	if (v->type == JSON_STRING)
		return v->string;
	buf_create(&b, 0);
	json_write(&b, v);
	text = buf_failed(&b) ? NULL : mem_strndup(&call->mem, b.data, b.len);
	buf_free(&b);
	return text != NULL ? text : "";
}
