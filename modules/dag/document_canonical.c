/* document_canonical.c - writes a document's one form: keys sorted by bytes,
 * defaults left out. */
#include "dag/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

static const char *const trigger_names[] = {
    "all_success", "all_done", "any_success", "any_failed", "none_failed"};

/* ,"key": - the comma unless it is the object's first. */
static void
write_key(struct buf *out, const char *key)
{
	char last = out->len > 0 ? out->data[out->len - 1] : '\0';

	if (last != '{' && last != '[')
		buf_putc(out, ',');
	buf_putc(out, '"');
	buf_puts(out, key);
	buf_puts(out, "\":");
}

static void
write_string(struct buf *out, const char *s)
{
	json_write_string(out, s, strlen(s));
}

static void
write_duration(struct buf *out, const char *key, int64_t ns)
{
	char text[DURATION_TEXT];

	duration_format(ns, text, sizeof(text));
	write_key(out, key);
	write_string(out, text);
}

static void
write_dependencies(
    struct buf *out, const struct document *d, const struct document_node *n)
{
	write_key(out, "dependencies");
	buf_putc(out, '[');
	for (uint32_t i = 0; i < n->dependency_count; i++) {
		if (i > 0)
			buf_putc(out, ',');
		write_string(out, d->nodes[n->dependencies[i]].name);
	}
	buf_putc(out, ']');
}

static void
write_retry(struct buf *out, const struct retry *retry)
{
	int64_t max = RETRY_MAX_NS;

	if (max < retry->backoff_ns)
		max = retry->backoff_ns;
	write_key(out, "retry");
	buf_putc(out, '{');
	if (retry->backoff_ns != RETRY_BACKOFF_NS)
		write_duration(out, "backoff", retry->backoff_ns);
	if (retry->factor < RETRY_FACTOR || retry->factor > RETRY_FACTOR) {
		write_key(out, "factor");
		json_write_number(out, retry->factor);
	}
	if (retry->jitter > 0) {
		write_key(out, "jitter");
		json_write_number(out, retry->jitter);
	}
	write_key(out, "limit");
	buf_u64(out, retry->limit);
	if (retry->max_ns != max)
		write_duration(out, "max", retry->max_ns);
	if (retry->on_count > 0) {
		write_key(out, "on");
		buf_putc(out, '[');
		for (uint32_t i = 0; i < retry->on_count; i++) {
			if (i > 0)
				buf_putc(out, ',');
			write_string(out, retry->on[i]);
		}
		buf_putc(out, ']');
	}
	buf_putc(out, '}');
}

/* Parameters -------------------------------------------------------------- */

static bool
is_plain_duration(
    const struct op_schema *op, const struct json_member *m, int64_t *ns)
{
	const struct op_param *p = op_find_param(op, m->name);

	if (p == NULL || (p->types & PARAM_DURATION) == 0 ||
	    (p->types & (PARAM_STRING | PARAM_ANY | PARAM_LUA)) != 0)
		return false;
	return m->value->type == JSON_STRING &&
	       duration_parse(m->value->string, m->value->count, ns);
}

/* with, its durations in their one form, as a tree that shares the rest. */
static void
write_with(struct buf *out, const struct op_schema *op, const struct json *with)
{
	struct json *texts = mem_heap(with->count * sizeof(*texts));
	char(*durations)[DURATION_TEXT] =
	    mem_heap(with->count * sizeof(*durations));
	struct json_member *members = mem_heap(with->count * sizeof(*members));
	struct json copy = *with;
	int64_t ns;

	if (texts == NULL || durations == NULL || members == NULL)
		out->failed = true;
	for (uint32_t i = 0; i < with->count && !out->failed; i++) {
		members[i] = with->members[i];
		if (!is_plain_duration(op, &members[i], &ns))
			continue;
		duration_format(ns, durations[i], DURATION_TEXT);
		texts[i] = (struct json){.type = JSON_STRING,
		    .count = (uint32_t)strlen(durations[i]),
		    .string = durations[i]};
		members[i].value = &texts[i];
	}
	copy.members = members;
	write_key(out, "with");
	if (!out->failed)
		json_write_canonical(out, &copy);
	free(texts);
	free(durations);
	free(members);
}

/* The document ------------------------------------------------------------ */

static void
write_node(struct buf *out, const struct document *d,
    const struct document_node *n, const struct op_set *ops)
{
	const struct op_schema *op = ops->ops[n->op];

	buf_putc(out, '{');
	if (n->for_each != NULL && n->concurrency != CONCURRENCY_DEFAULT) {
		write_key(out, "concurrency");
		buf_u64(out, n->concurrency);
	}
	if (n->dependency_count > 0)
		write_dependencies(out, d, n);
	if (n->for_each != NULL) {
		write_key(out, "for_each");
		json_write_canonical(out, n->for_each);
	}
	write_key(out, "name");
	write_string(out, n->name);
	if (strcmp(op->name, "noop") != 0) {
		write_key(out, "op");
		write_string(out, op->name);
	}
	if (n->pool != NULL) {
		write_key(out, "pool");
		write_string(out, n->pool);
	}
	if (n->retry.limit > 0 || n->retry.on_count > 0)
		write_retry(out, &n->retry);
	if (n->timeout_ns > 0)
		write_duration(out, "timeout", n->timeout_ns);
	if (n->trigger != TRIGGER_ALL_SUCCESS) {
		write_key(out, "trigger");
		write_string(out, trigger_names[n->trigger]);
	}
	if (n->when != NULL) {
		write_key(out, "when");
		write_string(out, n->when);
	}
	if (n->with != NULL)
		write_with(out, op, n->with);
	buf_putc(out, '}');
}

void
document_canonical(
    const struct document *d, const struct op_set *ops, struct buf *out)
{
	buf_putc(out, '{');
	if (d->durability != DURABILITY_BATCH) {
		write_key(out, "durability");
		write_string(out, durability_names[d->durability]);
	}
	write_key(out, "nodes");
	buf_putc(out, '[');
	for (uint32_t i = 0; i < d->node_count && !out->failed; i++) {
		if (i > 0)
			buf_putc(out, ',');
		write_node(out, d, &d->nodes[i], ops);
	}
	buf_putc(out, ']');
	if (d->priority != 0) {
		write_key(out, "priority");
		json_write_number(out, d->priority);
	}
	if (d->timeout_ns > 0)
		write_duration(out, "timeout", d->timeout_ns);
	buf_putc(out, '}');
}
