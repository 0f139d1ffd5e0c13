/* sql_answer.c - rows of a database as the result of a node. What a server says
 * of its types is not believed: what is no number or no JSON becomes text. */
#include <string.h>

#include "exec/op_value.h"
#include "exec/sql_answer.h"

/* Object ids of PostgreSQL's built-in types (pg_type.dat). */
enum {
	TYPE_BOOL = 16,
	TYPE_INT8 = 20,
	TYPE_INT2 = 21,
	TYPE_INT4 = 23,
	TYPE_OID = 26,
	TYPE_JSON = 114,
	TYPE_FLOAT4 = 700,
	TYPE_FLOAT8 = 701,
	TYPE_NUMERIC = 1700,
	TYPE_JSONB = 3802
};

#define NULL_VALUE UINT32_MAX

/* --- on the arena's thread ------------------------------------------------ */

bool
sql_answer_columns(struct sql_answer *a, struct mem *m, const PGresult *res)
{
	int n = PQnfields(res);

	a->names = mem_array(m, (size_t)n + 1, sizeof(*a->names));
	a->types = mem_array(m, (size_t)n + 1, sizeof(*a->types));
	if (a->names == NULL || a->types == NULL)
		return false;
	for (int i = 0; i < n; i++) {
		const char *name = PQfname(res, i);
		size_t len;

		a->names[i] = op_text(m, name, strlen(name), &len);
		a->types[i] = PQftype(res, i);
		if (a->names[i] == NULL)
			return false;
	}
	a->columns = n;
	return true;
}

int
sql_answer_row(struct sql_answer *a, const PGresult *res, size_t max)
{
	for (int i = 0; i < a->columns; i++) {
		uint32_t len = (uint32_t)PQgetlength(res, 0, i);

		if (PQgetisnull(res, 0, i)) {
			len = NULL_VALUE;
			buf_put(&a->rows, &len, sizeof(len));
			continue;
		}
		buf_put(&a->rows, &len, sizeof(len));
		buf_put(&a->rows, PQgetvalue(res, 0, i), len);
	}
	a->count++;
	return buf_failed(&a->rows) || a->rows.len > max ? -1 : 0;
}

void
sql_answer_end(struct sql_answer *a, struct mem *m, const PGresult *res)
{
	const char *status = PQcmdStatus((PGresult *)(uintptr_t)res);
	const char *tuples = PQcmdTuples((PGresult *)(uintptr_t)res);
	size_t len = strcspn(status, "0123456789"), out;
	int64_t n = 0;

	while (len > 0 && status[len - 1] == ' ')
		len--;
	a->command = op_text(m, status, len, &out);
	a->affected = *tuples == '\0' ? -1 : 0;
	for (; *tuples >= '0' && *tuples <= '9' && n < INT64_MAX / 20; tuples++)
		n = n * 10 + (*tuples - '0');
	if (a->affected == 0)
		a->affected = n;
}

/* --- on a compute thread -------------------------------------------------- */

/* JSON's grammar of a number. */
static bool
is_number(const char *s, size_t len)
{
	const char *end = s + len, *digits;

	s += s < end && *s == '-';
	digits = s;
	while (s < end && *s >= '0' && *s <= '9')
		s++;
	if (s == digits || (*digits == '0' && s - digits > 1))
		return false;
	if (s < end && *s == '.') {
		digits = ++s;
		while (s < end && *s >= '0' && *s <= '9')
			s++;
		if (s == digits)
			return false;
	}
	if (s < end && (*s == 'e' || *s == 'E')) {
		s++;
		s += s < end && (*s == '-' || *s == '+');
		digits = s;
		while (s < end && *s >= '0' && *s <= '9')
			s++;
		if (s == digits || s - digits > 3)
			return false;
	}
	return s == end;
}

/* Longer ones would not survive a reading as a double. */
static bool
is_plain_number(Oid type, const char *s, size_t len)
{
	switch (type) {
	case TYPE_INT2:
	case TYPE_INT4:
	case TYPE_INT8:
	case TYPE_OID:
	case TYPE_FLOAT4:
	case TYPE_FLOAT8:
		return len <= 32 && is_number(s, len);
	case TYPE_NUMERIC:
		return len <= 300 && is_number(s, len);
	default:
		return false;
	}
}

static bool
put_text(struct buf *b, struct mem *m, const char *s, size_t len)
{
	size_t clean_len;
	const char *clean = op_text(m, s, len, &clean_len);

	if (clean != NULL)
		json_write_string(b, clean, clean_len);
	return clean != NULL;
}

static bool
put_value(struct buf *b, struct mem *m, Oid type, const char *s, size_t len)
{
	const struct json *v = NULL;

	if (is_plain_number(type, s, len)) {
		buf_put(b, s, len);
		return true;
	}
	if (type == TYPE_BOOL && len == 1 && (*s == 't' || *s == 'f')) {
		buf_puts(b, *s == 't' ? "true" : "false");
		return true;
	}
	if (type == TYPE_JSON || type == TYPE_JSONB)
		v = op_value_json(m, s, len);
	if (v == NULL)
		return put_text(b, m, s, len);
	json_write(b, v);
	return true;
}

static const char *
put_row(struct buf *b, struct mem *m, const struct sql_answer *a, const char *s)
{
	buf_putc(b, '{');
	for (int i = 0; i < a->columns; i++) {
		uint32_t len;

		memcpy(&len, s, sizeof(len));
		s += sizeof(len);
		if (i > 0)
			buf_putc(b, ',');
		json_write_string(b, a->names[i], strlen(a->names[i]));
		buf_putc(b, ':');
		if (len == NULL_VALUE) {
			buf_puts(b, "null");
			continue;
		}
		if (!put_value(b, m, a->types[i], s, len))
			return NULL;
		s += len;
	}
	buf_putc(b, '}');
	return s;
}

static const char *
duplicate(const struct sql_answer *a)
{
	for (int i = 0; i < a->columns; i++)
		for (int k = 0; k < i; k++)
			if (strcmp(a->names[i], a->names[k]) == 0)
				return a->names[i];
	return NULL;
}

static bool
put_result(struct buf *b, struct mem *m, const struct sql_answer *a)
{
	const char *at = a->rows.data;

	buf_puts(b, "{\"command\":");
	json_write_string(b, a->command, strlen(a->command));
	buf_printf(b, ",\"count\":%lld,\"rows\":[",
	    (long long)(a->affected >= 0 ? a->affected : a->count));
	for (uint32_t i = 0; i < a->count && !buf_failed(b); i++) {
		if (i > 0)
			buf_putc(b, ',');
		if ((at = put_row(b, m, a, at)) == NULL)
			return false;
	}
	buf_puts(b, "]}");
	return true;
}

static void
fill(struct op_call *call, const struct sql_answer *a)
{
	const char *twice = duplicate(a);
	struct buf b;

	if (twice != NULL) {
		op_call_fail(call, false, "duplicate_column",
		    "Two columns are called \"%.100s\": name one with `as`.",
		    twice);
		return;
	}
	buf_create(&b, a->limit);
	b.wipe = call->mem.guarded;
	if (!put_result(&b, &call->mem, a)) {
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	} else if (buf_failed(&b)) {
		op_call_fail(call, false, "result_too_large",
		    "The rows have more than %zu bytes.", a->limit);
	} else {
		call->outcome.state = OUTCOME_SUCCESS;
		call->outcome.result = mem_strndup(&call->mem, b.data, b.len);
		call->outcome.result_len = b.len;
		if (call->outcome.result == NULL)
			op_call_fail(
			    call, true, "out_of_memory", "Out of memory.");
	}
	buf_free(&b);
}

void
sql_answer_result(struct op_call *call)
{
	struct sql_answer *a = call->rest;

	call->rest = NULL;
	if (atomic_load(&call->stop))
		op_call_cancelled(call);
	else if (a->command == NULL)
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	else
		fill(call, a);
	buf_free(&a->rows);
}
