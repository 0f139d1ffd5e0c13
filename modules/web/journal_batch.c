/* journal_batch.c - a batch in PostgreSQL's binary format. */

#include <stdlib.h>
#include <string.h>

#include "web/binary.h"
#include "web/journal_batch.h"

enum column {
	COLUMN_ENTRIES,
	COLUMN_IDS,
	COLUMN_STATUSES,
	COLUMN_STARTED,
	COLUMN_COMPLETED,
	COLUMN_RESULTS,
	COLUMN_ERRORS,
	COLUMN_SUCCEEDED,
	COLUMN_FAILED,
	COLUMN_CPU,
	COLUMN_BYTES,
	COLUMN_ORGANIZATIONS
};

static const uint32_t column_oids[JOURNAL_PARAMS] = {
    [COLUMN_IDS] = OID_UUID,
    [COLUMN_STATUSES] = OID_TEXT,
    [COLUMN_STARTED] = OID_TIMESTAMPTZ,
    [COLUMN_COMPLETED] = OID_TIMESTAMPTZ,
    [COLUMN_RESULTS] = OID_TEXT,
    [COLUMN_ERRORS] = OID_TEXT,
    [COLUMN_SUCCEEDED] = OID_INT4,
    [COLUMN_FAILED] = OID_INT4,
    [COLUMN_CPU] = OID_INT8,
    [COLUMN_BYTES] = OID_INT8,
    [COLUMN_ORGANIZATIONS] = OID_UUID,
};

void
journal_batch_create(struct journal_batch *b)
{
	size_t i;

	for (i = 0; i < JOURNAL_PARAMS; i++)
		buf_create(&b->columns[i], 0);
	mem_create(&b->mem, 0);
}

void
journal_batch_free(struct journal_batch *b)
{
	size_t i;

	for (i = 0; i < JOURNAL_PARAMS; i++)
		buf_free(&b->columns[i]);
	mem_destroy(&b->mem);
}

/* --- rows of the history -------------------------------------------------- */

/* What an array of an entry says of one node. */
enum part {
	PART_NODES,
	PART_STATES,
	PART_ATTEMPTS,
	PART_STARTED,
	PART_COMPLETED,
	PART_RESULTS,
	PART_ERRORS,
	PART_LOGS,
	PART_ELEMENTS,
	PART_COUNT
};

static const struct {
	uint32_t array, element;
} parts[PART_COUNT] = {
    [PART_NODES] = {OID_INT4_ARRAY, OID_INT4},
    [PART_STATES] = {OID_CHAR_ARRAY, OID_CHAR},
    [PART_ATTEMPTS] = {OID_INT2_ARRAY, OID_INT2},
    [PART_STARTED] = {OID_INT8_ARRAY, OID_INT8},
    [PART_COMPLETED] = {OID_INT8_ARRAY, OID_INT8},
    [PART_RESULTS] = {OID_TEXT_ARRAY, OID_TEXT},
    [PART_ERRORS] = {OID_TEXT_ARRAY, OID_TEXT},
    [PART_LOGS] = {OID_TEXT_ARRAY, OID_TEXT},
    [PART_ELEMENTS] = {OID_INT4_ARRAY, OID_INT4},
};

static void
part_put(struct buf *b, enum part part, const struct journal_node *n)
{
	switch (part) {
	case PART_NODES:
		binary_int4(b, (int32_t)n->node);
		return;
	case PART_STATES:
		binary_char(b, (char)n->kind);
		return;
	case PART_ATTEMPTS:
		binary_int2(b, (int16_t)n->attempts);
		return;
	case PART_STARTED:
		binary_int8(b, n->started_us);
		return;
	case PART_COMPLETED:
		binary_int8(b, n->completed_us);
		return;
	case PART_RESULTS:
		binary_text(b, n->result, n->result_len);
		return;
	case PART_ERRORS:
		binary_text(b, n->error, n->error_len);
		return;
	case PART_LOGS:
		binary_text(b, n->log, n->log_len);
		return;
	case PART_ELEMENTS:
		if (n->element == ELEMENT_NONE)
			binary_null(b);
		else
			binary_int4(b, (int32_t)n->element);
		return;
	case PART_COUNT:
		break;
	}
	abort();
}

/* Parts that would say nothing are null. */
static unsigned
parts_used(const struct journal_node *nodes, uint32_t count, bool bare)
{
	unsigned used = 1u << PART_NODES | 1u << PART_STATES |
			1u << PART_STARTED | 1u << PART_COMPLETED;
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (nodes[i].attempts != 1)
			used |= 1u << PART_ATTEMPTS;
		if (nodes[i].element != ELEMENT_NONE)
			used |= 1u << PART_ELEMENTS;
		if (!bare && nodes[i].result != NULL)
			used |= 1u << PART_RESULTS;
		if (!bare && nodes[i].error != NULL)
			used |= 1u << PART_ERRORS;
		if (!bare && nodes[i].log != NULL)
			used |= 1u << PART_LOGS;
	}
	return used;
}

static void
entry_fields(struct buf *b, const struct journal_entry *e)
{
	int32_t first = (int32_t)e->first;

	binary_composite(b, 4 + PART_COUNT);
	binary_field(b, OID_UUID);
	binary_uuid(b, &e->execution);
	binary_field(b, OID_INT4);
	binary_int4(b, first);
	binary_field(b, OID_UUID);
	binary_uuid(b, &e->organization);
	binary_field(b, OID_TIMESTAMPTZ);
	binary_time(b, e->base_us);
}

/* -1: out of memory. */
static int
entry_put(
    struct buf *b, struct exec *x, const struct journal_entry *e, bool bare)
{
	struct journal_node *nodes;
	size_t whole, array;
	unsigned used, p;
	uint32_t i;

	if ((nodes = calloc(e->count, sizeof(*nodes))) == NULL)
		return -1;
	for (i = 0; i < e->count; i++)
		journal_node(x, e, i, &nodes[i]);
	used = parts_used(nodes, e->count, bare);
	whole = binary_begin(b);
	entry_fields(b, e);
	for (p = 0; p < PART_COUNT; p++) {
		binary_field(b, parts[p].array);
		if ((used & 1u << p) == 0) {
			binary_null(b);
			continue;
		}
		array = binary_begin(b);
		binary_array(b, parts[p].element, e->count);
		for (i = 0; i < e->count; i++)
			part_put(b, (enum part)p, &nodes[i]);
		binary_end(b, array);
	}
	binary_end(b, whole);
	free(nodes);
	return buf_failed(b) ? -1 : 0;
}

/* --- states of executions ------------------------------------------------- */

static const char *const status_names[] = {
    [RUN_PENDING] = "pending",
    [RUN_RUNNING] = "running",
    [RUN_SUCCESS] = "success",
    [RUN_FAILED] = "failed",
    [RUN_CANCELLED] = "cancelled",
};

static void
status_put(struct buf *c, const struct journal_entry *e, bool bare)
{
	const char *status = status_names[e->status];

	binary_uuid(&c[COLUMN_IDS], &e->execution);
	binary_text(&c[COLUMN_STATUSES], status, strlen(status));
	binary_time(&c[COLUMN_STARTED], e->started_us);
	binary_time(&c[COLUMN_COMPLETED], e->completed_us);
	binary_text(&c[COLUMN_RESULTS], bare ? NULL : e->result, e->result_len);
	binary_text(&c[COLUMN_ERRORS], e->error, e->error_len);
	binary_int4(&c[COLUMN_SUCCEEDED], (int32_t)e->succeeded_nodes);
	binary_int4(&c[COLUMN_FAILED], (int32_t)e->failed_nodes);
	binary_int8(&c[COLUMN_CPU], e->cpu_us);
	binary_int8(&c[COLUMN_BYTES], (int64_t)e->stored_bytes);
	binary_uuid(&c[COLUMN_ORGANIZATIONS], &e->organization);
}

/* --- a batch -------------------------------------------------------------- */

/* The headers name how many elements follow, and empty arrays have another, so
 * they are counted first. */
static void
headers_put(struct journal_batch *b, const struct journal_entry *entries,
    size_t n, unsigned entry_oid)
{
	uint32_t histories = 0, statuses = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		histories += entries[i].count > 0;
		statuses += entries[i].status_changed;
	}
	for (i = 0; i < JOURNAL_PARAMS; i++)
		buf_reset(&b->columns[i]);
	binary_array(&b->columns[COLUMN_ENTRIES], entry_oid, histories);
	for (i = COLUMN_IDS; i < JOURNAL_PARAMS; i++)
		binary_array(&b->columns[i], column_oids[i], statuses);
	b->statuses = statuses;
}

/* About how many bytes an entry takes, from below. */
static size_t
entry_weight(struct exec *x, const struct journal_entry *e)
{
	struct journal_node n;
	size_t weight = 256 + e->result_len + e->error_len;
	uint32_t i;

	for (i = 0; i < e->count; i++) {
		journal_node(x, e, i, &n);
		weight += 64 + n.result_len + n.error_len + n.log_len;
	}
	return weight;
}

static size_t
how_many(struct exec *x, const struct journal_entry *entries, size_t n,
    size_t max_bytes)
{
	size_t i, weight = 0;

	for (i = 0; i < n; i++) {
		weight += entry_weight(x, &entries[i]);
		if (weight > max_bytes && i > 0)
			break;
	}
	return i;
}

size_t
journal_batch_encode(struct journal_batch *b, struct exec *x,
    const struct journal_entry *entries, size_t n, unsigned entry_oid,
    size_t max_bytes, bool bare)
{
	size_t i;

	n = how_many(x, entries, n, max_bytes);
	headers_put(b, entries, n, entry_oid);
	b->nodes = 0;
	for (i = 0; i < n; i++) {
		b->nodes += entries[i].count - entries[i].events;
		if (entries[i].count > 0 &&
		    entry_put(
			&b->columns[COLUMN_ENTRIES], x, &entries[i], bare) != 0)
			return 0;
		if (entries[i].status_changed)
			status_put(b->columns, &entries[i], bare);
	}
	memset(&b->params, 0, sizeof(b->params));
	mem_reset(&b->mem);
	b->params.mem = &b->mem;
	for (i = 0; i < (b->statuses > 0 ? JOURNAL_PARAMS : 1); i++) {
		if (buf_failed(&b->columns[i]))
			return 0;
		sql_bytes(&b->params, b->columns[i].data, b->columns[i].len);
	}
	return n;
}
