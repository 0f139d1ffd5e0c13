/* resource.c - writes rows as JSON:API resource objects.
 */
#include "web/resource.h"

#include <assert.h>
#include <string.h>

#include "dag/json.h"

struct fieldset
resource_fieldset(const struct resource *r, enum resource_mode mode)
{
	struct fieldset set = {0, 0};

	for (unsigned i = 0; r->fields[i].name != NULL; i++)
		if (!(r->fields[i].flags & FIELD_WRITE_ONLY) &&
		    (mode == RESOURCE_ONE ||
			!(r->fields[i].flags & FIELD_LONG)))
			set.fields |= UINT64_C(1) << i;
	for (unsigned i = 0; r->relations[i].name != NULL; i++)
		set.relations |= UINT64_C(1) << i;
	return set;
}

void
resource_long_params(struct sql_params *params, const struct resource *r,
    const struct fieldset *set)
{
	for (unsigned i = 0; r->fields[i].name != NULL; i++)
		if (r->fields[i].flags & FIELD_LONG)
			sql_bool(params, set->fields >> i & 1);
}

void
resource_row(const struct sql_rows *rows, int row, const struct resource *r,
    struct cell *cells)
{
	for (int i = 0; i < r->column_count; i++) {
		bool null = sql_is_null(rows, row, i);

		cells[i].text = null ? NULL : sql_get(rows, row, i);
		cells[i].len = null ? 0 : sql_get_len(rows, row, i);
	}
}

/* "2026-11-23 15:00:33.1+00" becomes "2026-11-23T15:00:33.1Z". */
static void
write_time(struct buf *b, const struct cell *cell)
{
	size_t len = cell->len;
	bool utc = len > 3 && memcmp(cell->text + len - 3, "+00", 3) == 0;
	char sign = len > 3 ? cell->text[len - 3] : 0;

	if (len < 19 || cell->text[10] != ' ') {
		json_write_string(b, cell->text, len);
		return;
	}
	buf_putc(b, '"');
	buf_put(b, cell->text, 10);
	buf_putc(b, 'T');
	buf_put(b, cell->text + 11, (utc ? len - 3 : len) - 11);
	if (utc)
		buf_putc(b, 'Z');
	else if (sign == '+' || sign == '-')
		buf_puts(b, ":00");
	buf_putc(b, '"');
}

static void
write_value(struct buf *b, const struct field *field, const struct cell *cell)
{
	if (cell->text == NULL) {
		buf_put(b, "null", 4);
		return;
	}
	switch (field->type) {
	case FIELD_TEXT:
		json_write_string(b, cell->text, cell->len);
		break;
	case FIELD_ENUM:
	case FIELD_UUID:
		buf_putc(b, '"');
		buf_put(b, cell->text, cell->len);
		buf_putc(b, '"');
		break;
	case FIELD_INTEGER:
	case FIELD_NUMBER:
	case FIELD_JSON:
	case FIELD_VALUE:
	case FIELD_LIST:
		buf_put(b, cell->text, cell->len);
		break;
	case FIELD_BOOLEAN:
		buf_puts(b, cell->text[0] == 't' ? "true" : "false");
		break;
	case FIELD_TIME:
		write_time(b, cell);
		break;
	}
}

static void
write_key(struct buf *b, const char *name, char *before)
{
	buf_putc(b, *before);
	*before = ',';
	buf_putc(b, '"');
	buf_puts(b, name);
	buf_put(b, "\":", 2);
}

static void
write_attributes(struct buf *b, const struct resource *r, uint64_t set,
    const struct cell *cells)
{
	char before = '{';

	if (set == 0)
		return;
	buf_puts(b, ",\"attributes\":");
	for (unsigned i = 0; r->fields[i].name != NULL; i++) {
		if (!(set >> i & 1))
			continue;
		write_key(b, r->fields[i].name, &before);
		write_value(b, &r->fields[i], &cells[r->fields[i].column]);
	}
	buf_putc(b, '}');
}

static void
write_identifier(struct buf *b, const char *type, const char *id, size_t id_len)
{
	buf_puts(b, "{\"type\":\"");
	buf_puts(b, type);
	buf_puts(b, "\",\"id\":\"");
	buf_put(b, id, id_len);
	buf_puts(b, "\"}");
}

static void
write_linkage(struct buf *b, const struct linkage *link)
{
	buf_puts(b, ",\"data\":[");
	for (size_t i = 0; i < link->count; i++) {
		if (i > 0)
			buf_putc(b, ',');
		write_identifier(
		    b, link->relation->type, link->ids + 36 * i, 36);
	}
	buf_putc(b, ']');
}

static void
write_to_many(struct buf *b, const struct relation *relation,
    const struct cell *cells, const struct linkage *links)
{
	const char *hole = strstr(relation->path, "%s");

	buf_puts(b, "{\"links\":{\"related\":\"");
	buf_put(b, relation->path, (size_t)(hole - relation->path));
	buf_put(b, cells[0].text, cells[0].len);
	buf_puts(b, hole + 2);
	buf_puts(b, "\"}");
	for (; links != NULL && links->relation != NULL; links++)
		if (links->relation == relation)
			write_linkage(b, links);
	buf_putc(b, '}');
}

static void
write_relation(struct buf *b, const struct relation *relation,
    const struct cell *cells, const struct linkage *links)
{
	const struct cell *end;

	if (relation->column < 0) {
		write_to_many(b, relation, cells, links);
		return;
	}
	end = &cells[relation->column];
	if (end->text == NULL) {
		buf_puts(b, "{\"data\":null}");
		return;
	}
	buf_puts(b, "{\"data\":");
	write_identifier(b, relation->type, end->text, end->len);
	buf_putc(b, '}');
}

static void
write_relations(struct buf *b, const struct resource *r, uint64_t set,
    const struct cell *cells, const struct linkage *links)
{
	char before = '{';

	if (set == 0)
		return;
	buf_puts(b, ",\"relationships\":");
	for (unsigned i = 0; r->relations[i].name != NULL; i++) {
		if (!(set >> i & 1))
			continue;
		write_key(b, r->relations[i].name, &before);
		write_relation(b, &r->relations[i], cells, links);
	}
	buf_putc(b, '}');
}

void
resource_write(struct buf *b, const struct resource *r,
    const struct fieldset *set, const struct cell *cells,
    const struct linkage *links)
{
	assert(cells[0].text != NULL);
	buf_puts(b, "{\"type\":\"");
	buf_puts(b, r->type);
	buf_puts(b, "\",\"id\":\"");
	buf_put(b, cells[0].text, cells[0].len);
	buf_putc(b, '"');
	write_attributes(b, r, set->fields, cells);
	write_relations(b, r, set->relations, cells, links);
	if (r->operations & RESOURCE_GET) {
		buf_puts(b, ",\"links\":{\"self\":\"");
		buf_puts(b, r->path);
		buf_putc(b, '/');
		buf_put(b, cells[0].text, cells[0].len);
		buf_puts(b, "\"}");
	}
	buf_putc(b, '}');
}
