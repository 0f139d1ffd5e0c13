/* sql.c - parameters and rows of a statement; how they travel is database.c's.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "web/sql.h"

/* --- statements that outlive their module --------------------------------- */

#define KEPT_SLOTS 1024

static const struct sql *kept[KEPT_SLOTS];
static unsigned kept_count;

static const struct sql *
sql_copy(struct mem *m, const struct sql *sql)
{
	struct sql *copy = mem_alloc(m, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	copy->name = mem_strdup(m, sql->name);
	copy->key = mem_strdup(m, sql->key);
	copy->text = mem_strdup(m, sql->text);
	copy->params = sql->params;
	return mem_failed(m) ? NULL : copy;
}

/* For ever: there are as many as statements, and some more with each version of
 * a module that is loaded. */
const struct sql *
sql_keep(struct mem *m, const struct sql *sql)
{
	static struct mem forever;
	unsigned i;

	if (sql->key[0] == '\0' || kept_count > KEPT_SLOTS / 2)
		return sql_copy(m, sql);
	i = (unsigned)strtoul(sql->key + 9, NULL, 16) % KEPT_SLOTS;
	for (; kept[i] != NULL; i = (i + 1) % KEPT_SLOTS)
		if (strcmp(kept[i]->key, sql->key) == 0)
			return kept[i];
	if (kept_count == 0)
		mem_create(&forever, 0);
	if ((kept[i] = sql_copy(&forever, sql)) == NULL)
		return sql_copy(m, sql);
	kept_count++;
	return kept[i];
}

/* --- parameters: sticky, mem tells ---------------------------------------- */

static bool
grow(struct sql_params *p)
{
	size_t room = (size_t)p->room * 2, count = (size_t)p->count;
	const char **values = mem_array(p->mem, room, sizeof(*values));
	int *numbers = mem_array(p->mem, room * 2, sizeof(*numbers));

	if (values == NULL || numbers == NULL)
		return false;
	memcpy(values, p->values, count * sizeof(*values));
	memcpy(numbers, p->lengths, count * sizeof(*numbers));
	memcpy(numbers + room, p->formats, count * sizeof(*numbers));
	p->values = values;
	p->lengths = numbers;
	p->formats = numbers + room;
	p->room = (int)room;
	return true;
}

static void
put(struct sql_params *p, const char *value, size_t len, int format)
{
	if (p->count == 0) {
		p->values = p->few_values;
		p->lengths = p->few_lengths;
		p->formats = p->few_formats;
		p->room = SQL_PARAMS_FEW;
	}
	if (p->count == SQL_PARAMS_MAX || len > INT32_MAX) {
		p->mem->failed = true;
		return;
	}
	if (p->count == p->room && !grow(p))
		return;
	p->values[p->count] = value;
	p->lengths[p->count] = (int)len;
	p->formats[p->count++] = format;
}

void
sql_text(struct sql_params *p, const char *s)
{
	put(p, s, 0, 0);
}

void
sql_null(struct sql_params *p)
{
	put(p, NULL, 0, 0);
}

void
sql_uuid(struct sql_params *p, const struct uuid *id)
{
	char *text;

	if (id == NULL) {
		sql_null(p);
		return;
	}
	if ((text = mem_alloc(p->mem, UUID_TEXT)) != NULL)
		uuid_format(id, text);
	put(p, text, 0, 0);
}

void
sql_int(struct sql_params *p, int64_t n)
{
	put(p, mem_printf(p->mem, "%lld", (long long)n), 0, 0);
}

void
sql_bool(struct sql_params *p, bool b)
{
	put(p, b ? "t" : "f", 0, 0);
}

void
sql_bytes(struct sql_params *p, const void *data, size_t len)
{
	put(p, data, len, 1);
}

/* array := '{' [ '"' escaped '"' { ',' … } ] '}' */
void
sql_text_array(struct sql_params *p, const char *const *items, size_t count)
{
	size_t i, size = 3;
	const char *s;
	char *text, *t;

	for (i = 0; i < count; i++)
		size += strlen(items[i]) * 2 + 3;
	if ((text = t = mem_alloc(p->mem, size)) == NULL) {
		sql_null(p);
		return;
	}
	*t++ = '{';
	for (i = 0; i < count; i++) {
		if (i > 0)
			*t++ = ',';
		*t++ = '"';
		for (s = items[i]; *s != '\0'; s++) {
			if (*s == '"' || *s == '\\')
				*t++ = '\\';
			*t++ = *s;
		}
		*t++ = '"';
	}
	*t = '}';
	put(p, text, 0, 0);
}

/* --- rows: a PGresult by another name ------------------------------------- */

static const PGresult *
result(const struct sql_rows *rows)
{
	return (const PGresult *)(const void *)rows;
}

int
sql_count(const struct sql_rows *rows)
{
	return rows == NULL ? 0 : PQntuples(result(rows));
}

bool
sql_is_null(const struct sql_rows *rows, int row, int column)
{
	return PQgetisnull(result(rows), row, column);
}

const char *
sql_get(const struct sql_rows *rows, int row, int column)
{
	return PQgetvalue(result(rows), row, column);
}

size_t
sql_get_len(const struct sql_rows *rows, int row, int column)
{
	return (size_t)PQgetlength(result(rows), row, column);
}

int64_t
sql_get_int(const struct sql_rows *rows, int row, int column)
{
	return strtoll(sql_get(rows, row, column), NULL, 10);
}

bool
sql_get_bool(const struct sql_rows *rows, int row, int column)
{
	return sql_get(rows, row, column)[0] == 't';
}

bool
sql_get_uuid(const struct sql_rows *rows, int row, int column, struct uuid *out)
{
	return uuid_parse(
	    sql_get(rows, row, column), sql_get_len(rows, row, column), out);
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* bytea_output is hex in our sessions: \x0123… */
const void *
sql_get_bytes(const struct sql_rows *rows, int row, int column, struct mem *m,
    size_t *len)
{
	const char *text = sql_get(rows, row, column);
	size_t i, n = sql_get_len(rows, row, column);
	uint8_t *bytes;
	int high, low;

	*len = 0;
	if (sql_is_null(rows, row, column) || n < 2 || text[0] != '\\' ||
	    text[1] != 'x' || n % 2 != 0)
		return NULL;
	n = n / 2 - 1;
	if ((bytes = mem_alloc(m, n + 1)) == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		high = hex(text[2 + i * 2]);
		low = hex(text[3 + i * 2]);
		if (high < 0 || low < 0)
			return NULL;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	*len = n;
	return bytes;
}
