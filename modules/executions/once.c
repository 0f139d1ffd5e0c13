/* once.c - the header, and what it compares. */
#include "executions/once.h"

#include <string.h>

static bool
is_key(const char *key)
{
	size_t len = strlen(key);

	for (const char *c = key; *c != '\0'; c++)
		if (*c < 0x20 || *c > 0x7e)
			return false;
	return len >= 1 && len <= IDEMPOTENCY_KEY_MAX;
}

bool
once_read(struct flow *f, struct once *o)
{
	const char *key = flow_header(f, "idempotency-key");

	o->key = NULL;
	if (key == NULL)
		return true;
	if (!is_key(key)) {
		flow_fail(f, 400, "invalid_idempotency_key",
		    "Idempotency-Key has 1 to %d printable ASCII characters.",
		    IDEMPOTENCY_KEY_MAX);
		return false;
	}
	o->key = mem_strdup(flow_mem(f), key);
	return true;
}

bool
once_hash(
    struct flow *f, struct once *o, const char *const *parts, size_t count)
{
	struct buf b;
	bool done;

	buf_create(&b, 0);
	for (size_t i = 0; i < count; i++) {
		buf_putc(&b, parts[i] != NULL ? '+' : '-');
		if (parts[i] != NULL)
			buf_puts(&b, parts[i]);
		buf_putc(&b, '\n'); /* canonical JSON has none */
	}
	done = !buf_failed(&b) && document_hash(b.data, b.len, o->hash) == 0;
	buf_free(&b);
	if (!done)
		flow_fail(f, 503, "out_of_memory", "Out of memory.");
	return done;
}

enum flow_next
once_reused(struct flow *f)
{
	return flow_fail(f, 422, "idempotency_key_reused",
	    "Another request was sent with this Idempotency-Key.");
}

void
once_replayed(struct flow *f)
{
	flow_answer_header(f, "idempotency-replayed", "true");
}
