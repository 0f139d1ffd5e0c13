/* write.c - rows into JSON, in one pass. */
#include "graphql/write.h"

#include <stdio.h>
#include <string.h>

#include "dag/json.h"
#include "graphql/cursor.h"
#include "graphql/params.h"

#define ERRORS_MAX	 100
#define ANSWER_BYTES_MAX (64u * 1024 * 1024)

/* The columns of a row. */
struct row {
	struct wire *cells;
};

static bool write_fields(struct writer *, const struct plan_out *,
    const struct row *, const struct write_path *);

void
write_begin(struct writer *w, struct mem *m, const struct json *variables)
{
	memset(w, 0, sizeof(*w));
	w->mem = m;
	w->variables = variables;
	buf_create(&w->out, ANSWER_BYTES_MAX);
	buf_create(&w->errors, 1024 * 1024);
}

/* --- errors --------------------------------------------------------------- */

static void
put_path(struct buf *b, const struct write_path *path)
{
	if (path->up != NULL) {
		put_path(b, path->up);
		buf_putc(b, ',');
	}
	if (path->name != NULL)
		json_write_string(b, path->name->s, path->name->len);
	else
		buf_u64(b, path->index);
}

/* "message":…,"locations":[…] */
static bool
error_begin(struct writer *w, const char *message,
    const struct gql_place *places, uint32_t count)
{
	struct buf *b = &w->errors;

	if (w->error_count++ >= ERRORS_MAX)
		return false;
	buf_puts(b, w->error_count > 1 ? ",{\"message\":" : "{\"message\":");
	json_write_string(b, message, strlen(message));
	for (uint32_t i = 0; i < count; i++)
		buf_printf(b, "%s{\"line\":%u,\"column\":%u}%s",
		    i == 0 ? ",\"locations\":[" : ",", places[i].line,
		    places[i].column, i == count - 1 ? "]" : "");
	return true;
}

static void
error_end(struct writer *w, const char *code, const char *pointer)
{
	w->syntax = w->syntax || strcmp(code, "graphql_syntax") == 0;
	if (strcmp(code, "try_again") == 0)
		w->fault = 503;
	else if (strcmp(code, "internal") == 0 ||
		 strcmp(code, "out_of_memory") == 0)
		w->fault = 500;
	buf_puts(&w->errors, ",\"extensions\":{\"code\":");
	json_write_string(&w->errors, code, strlen(code));
	if (pointer != NULL) {
		buf_puts(&w->errors, ",\"argument\":");
		json_write_string(&w->errors, pointer, strlen(pointer));
	}
	buf_puts(&w->errors, "}}");
}

void
write_error(struct writer *w, struct gql_place at,
    const struct write_path *path, const char *code, const char *message)
{
	write_argument_error(w, at, path, code, message, NULL);
}

void
write_argument_error(struct writer *w, struct gql_place at,
    const struct write_path *path, const char *code, const char *message,
    const char *pointer)
{
	if (!error_begin(w, message, &at, at.line != 0))
		return;
	if (path != NULL) {
		buf_puts(&w->errors, ",\"path\":[");
		put_path(&w->errors, path);
		buf_putc(&w->errors, ']');
	}
	error_end(w, code, pointer);
}

void
write_fault(struct writer *w, const struct gql_fault *fault)
{
	if (error_begin(w, fault->message, fault->places, fault->place_count))
		error_end(w, fault->code, NULL);
}

static bool
null_error(
    struct writer *w, const struct plan_out *out, const struct write_path *path)
{
	char message[GQL_MESSAGE_MAX];

	snprintf(message, sizeof(message),
	    "The field %s.%s has no value, but must have one.", out->type,
	    out->field);
	write_error(w, out->at, path, "internal", message);
	return false;
}

static bool
broken(
    struct writer *w, const struct plan_out *out, const struct write_path *path)
{
	write_error(w, out->at, path, "internal",
	    "The database answered something else than was asked.");
	return false;
}

/* --- rows within a row ---------------------------------------------------- */

struct arrays {
	struct wire_list *lists;
	struct wire *cells;
	unsigned count, left;
};

static bool
open_lists(struct arrays *a, const struct wire *columns)
{
	for (unsigned i = 0; i < a->count; i++) {
		if (!wire_array(&columns[i], &a->lists[i]) ||
		    (i > 0 && a->lists[i].left != a->lists[0].left))
			return false;
	}
	a->left = a->count > 0 ? a->lists[0].left : 0;
	return true;
}

static bool
open_arrays(struct writer *w, struct arrays *a, const struct plan_rows *rows,
    const struct row *row)
{
	struct wire_list record;
	struct wire *columns;

	a->count = rows->count;
	a->lists = mem_array(w->mem, rows->count, sizeof(*a->lists));
	a->cells = mem_array(w->mem, rows->count, sizeof(*a->cells));
	if (a->lists == NULL || a->cells == NULL)
		return false;
	if (!rows->record)
		return open_lists(a, row->cells + rows->first);
	columns = a->cells;
	if (!wire_record(&row->cells[rows->first], &record) ||
	    record.left != rows->count)
		return false;
	for (unsigned i = 0; i < rows->count; i++)
		if (!wire_record_next(&record, &columns[i]))
			return false;
	return open_lists(a, columns);
}

static bool
next_row(struct arrays *a)
{
	for (unsigned i = 0; i < a->count; i++)
		if (!wire_array_next(&a->lists[i], &a->cells[i]))
			return false;
	a->left--;
	return true;
}

/* --- lists ---------------------------------------------------------------- */

static void
unwrite(struct writer *w, size_t len)
{
	if (!buf_failed(&w->out))
		w->out.len = len;
}

/* {…}, or nothing and false. */
static bool
write_object(struct writer *w, const struct plan_out *children,
    const struct row *row, const struct write_path *path)
{
	size_t start = w->out.len;

	if (write_fields(w, children, row, path))
		return true;
	unwrite(w, start);
	return false;
}

static bool
write_list(struct writer *w, const struct plan_out *out, const struct row *row,
    const struct write_path *path)
{
	struct arrays a;
	struct row item;
	struct write_path at = {.up = path};

	if (!open_arrays(w, &a, out->rows, row))
		return broken(w, out, path);
	item.cells = a.cells;
	buf_putc(&w->out, '[');
	for (; a.left > 0; at.index++) {
		if (at.index > 0)
			buf_putc(&w->out, ',');
		if (!next_row(&a))
			return broken(w, out, path);
		if (!write_object(w, out->children, &item, &at))
			return false;
	}
	buf_putc(&w->out, ']');
	return true;
}

/* --- connections ---------------------------------------------------------- */

/* Of a connection: its rows, passed once for each field that shows them. */
struct page {
	const struct plan_rows *rows;
	const struct row *row;
	unsigned shown; /* rows that belong to the page */
	bool more;
	const char *first, *last; /* cursors; NULL: none */
};

static bool
page_open(struct writer *w, struct page *p, const struct plan_out *out,
    const struct row *row)
{
	struct arrays a;
	int64_t size =
	    params_page_size(w->mem, out->rows->page, w->variables, NULL);

	memset(p, 0, sizeof(*p));
	p->rows = out->rows;
	p->row = row;
	if (!open_arrays(w, &a, p->rows, row))
		return false;
	p->more = a.left > size;
	p->shown = p->more ? (unsigned)size : a.left;
	if (p->shown == 0 || p->rows->page->keys[0].column < 0)
		return true;
	for (unsigned i = 0; i < p->shown; i++) {
		if (!next_row(&a))
			return false;
		if (i == 0)
			p->first = cursor_make(w->mem, p->rows->page, a.cells);
	}
	p->last = cursor_make(w->mem, p->rows->page, a.cells);
	return p->first != NULL && p->last != NULL;
}

static void
write_text(struct writer *w, const char *text)
{
	if (text == NULL)
		buf_puts(&w->out, "null");
	else
		json_write_string(&w->out, text, strlen(text));
}

static void
write_key(struct writer *w, const struct plan_out *out)
{
	char last = w->out.len > 0 ? w->out.data[w->out.len - 1] : '{';

	if (last != '{')
		buf_putc(&w->out, ',');
	buf_put(&w->out, out->key, out->key_len);
}

static void
write_page_info(
    struct writer *w, const struct plan_out *out, const struct page *p)
{
	buf_putc(&w->out, '{');
	for (out = out->children; out != NULL; out = out->next) {
		write_key(w, out);
		if (out->kind == OUT_HAS_NEXT)
			buf_puts(&w->out, p->more ? "true" : "false");
		else if (out->kind == OUT_HAS_PREVIOUS)
			buf_puts(&w->out,
			    p->rows->page->after_given ? "true" : "false");
		else
			write_text(w, out->kind == OUT_TYPENAME ? out->text
				      : out->kind == OUT_START_CURSOR
					  ? p->first
					  : p->last);
	}
	buf_putc(&w->out, '}');
}

static bool
write_edge(struct writer *w, const struct plan_out *out, const struct row *row,
    const struct page *p, const struct write_path *path)
{
	buf_putc(&w->out, '{');
	for (out = out->children; out != NULL; out = out->next) {
		struct write_path at = {.up = path, .name = &out->response};

		write_key(w, out);
		if (out->kind == OUT_NODE) {
			if (!write_object(w, out->children, row, &at))
				return false;
		} else {
			write_text(w, out->kind == OUT_TYPENAME
					  ? out->text
					  : cursor_make(w->mem, p->rows->page,
						row->cells));
		}
	}
	buf_putc(&w->out, '}');
	return true;
}

static bool
write_page(struct writer *w, const struct plan_out *out, const struct page *p,
    const struct write_path *path)
{
	struct arrays a;
	struct row item;
	struct write_path at = {.up = path};

	if (!open_arrays(w, &a, p->rows, p->row))
		return broken(w, out, path);
	item.cells = a.cells;
	buf_putc(&w->out, '[');
	for (; at.index < p->shown; at.index++) {
		if (at.index > 0)
			buf_putc(&w->out, ',');
		if (!next_row(&a))
			return broken(w, out, path);
		if (!(out->kind == OUT_EDGES
			    ? write_edge(w, out, &item, p, &at)
			    : write_object(w, out->children, &item, &at)))
			return false;
	}
	buf_putc(&w->out, ']');
	return true;
}

static bool
write_connection(struct writer *w, const struct plan_out *out,
    const struct row *row, const struct write_path *path)
{
	struct page p;

	if (!page_open(w, &p, out, row))
		return broken(w, out, path);
	buf_putc(&w->out, '{');
	for (const struct plan_out *o = out->children; o != NULL; o = o->next) {
		struct write_path at = {.up = path, .name = &o->response};

		write_key(w, o);
		if (o->kind == OUT_PAGE_INFO)
			write_page_info(w, o, &p);
		else if (o->kind == OUT_TYPENAME)
			write_text(w, o->text);
		else if (o->kind == OUT_TOTAL)
			wire_json(
			    &w->out, GRAPH_INT, &row->cells[p.rows->total]);
		else if (!write_page(w, o, &p, &at))
			return false;
	}
	buf_putc(&w->out, '}');
	return true;
}

/* --- fields --------------------------------------------------------------- */

/* The value, or nothing and false. */
static bool
write_value(struct writer *w, const struct plan_out *out, const struct row *row,
    const struct write_path *path)
{
	const struct wire *cell =
	    out->column >= 0 ? &row->cells[out->column] : NULL;

	if (cell != NULL && cell->len < 0)
		return out->not_null ? null_error(w, out, path) : false;
	switch (out->kind) {
	case OUT_SCALAR:
		return wire_json(&w->out, out->scalar, cell) ||
		       broken(w, out, path);
	case OUT_TYPENAME:
		write_text(w, out->text);
		return true;
	case OUT_ONE:
		return write_object(w, out->children, row, path);
	case OUT_LIST:
		return write_list(w, out, row, path);
	case OUT_CONNECTION:
		return write_connection(w, out, row, path);
	case OUT_EDGES:
	case OUT_NODES:
	case OUT_PAGE_INFO:
	case OUT_TOTAL:
	case OUT_NODE:
	case OUT_CURSOR:
	case OUT_HAS_NEXT:
	case OUT_HAS_PREVIOUS:
	case OUT_START_CURSOR:
	case OUT_END_CURSOR:
		break;
	}
	return broken(w, out, path);
}

static bool
write_fields(struct writer *w, const struct plan_out *out,
    const struct row *row, const struct write_path *path)
{
	buf_putc(&w->out, '{');
	for (; out != NULL; out = out->next) {
		struct write_path at = {.up = path, .name = &out->response};
		size_t start;

		write_key(w, out);
		start = w->out.len;
		if (write_value(w, out, row, &at))
			continue;
		if (out->not_null)
			return false;
		unwrite(w, start);
		buf_put(&w->out, "null", 4);
	}
	buf_putc(&w->out, '}');
	return true;
}

/* --- root fields ---------------------------------------------------------- */

static void
read_row(const struct write_rows *rows, unsigned i, unsigned columns,
    struct row *row)
{
	for (unsigned c = 0; c < columns; c++)
		rows->cell(rows->arg, i, c, &row->cells[c]);
}

static bool
write_root_value(struct writer *w, const struct plan_root *root,
    const struct write_rows *rows, struct row *row,
    const struct write_path *path)
{
	struct write_path at = {.up = path};

	switch (root->kind) {
	case ROOT_ONE:
		if (rows->count == 0)
			return root->not_null ? null_error(w, &root->out, path)
					      : false;
		read_row(rows, 0, root->column_count, row);
		return write_object(w, root->out.children, row, path);
	case ROOT_LIST:
		buf_putc(&w->out, '[');
		for (; at.index < rows->count; at.index++) {
			if (at.index > 0)
				buf_putc(&w->out, ',');
			read_row(rows, at.index, root->column_count, row);
			if (!write_object(w, root->out.children, row, &at))
				return false;
		}
		buf_putc(&w->out, ']');
		return true;
	case ROOT_CONNECTION:
		if (rows->count == 0)
			return broken(w, &root->out, path);
		read_row(rows, 0, root->column_count, row);
		return write_connection(w, &root->out, row, path);
	case ROOT_TYPENAME:
		write_text(w, "Query");
		return true;
	case ROOT_INTROSPECTION:
	case ROOT_DONE:
		break;
	}
	return false;
}

bool
write_root(struct writer *w, const struct plan_root *root,
    const struct write_rows *rows)
{
	struct write_path path = {.name = &root->response};
	struct row row;
	size_t start;

	row.cells =
	    mem_array(w->mem, root->column_count + 1, sizeof(*row.cells));
	if (row.cells == NULL)
		return false;
	write_key(w, &root->out);
	start = w->out.len;
	if (write_root_value(w, root, rows, &row, &path))
		return true;
	unwrite(w, start);
	buf_put(&w->out, "null", 4);
	return !root->not_null;
}

bool
write_root_null(struct writer *w, const struct plan_root *root)
{
	write_key(w, &root->out);
	buf_put(&w->out, "null", 4);
	return !root->not_null;
}

void
write_root_json(struct writer *w, const struct plan_root *root,
    const char *json, size_t len)
{
	write_key(w, &root->out);
	buf_put(&w->out, json, len);
}

void
write_part(struct writer *w, const char *part, size_t len, const char *errors,
    size_t errors_len, unsigned error_count)
{
	if (w->out.len > 0 && w->out.data[w->out.len - 1] != '{')
		buf_putc(&w->out, ',');
	buf_put(&w->out, part, len);
	if (error_count == 0)
		return;
	if (w->error_count > 0)
		buf_putc(&w->errors, ',');
	buf_put(&w->errors, errors, errors_len);
	w->error_count += error_count;
}

/* --- the answer ----------------------------------------------------------- */

void
write_data_begin(struct writer *w)
{
	buf_puts(&w->out, "{\"data\":{");
}

static void
put_errors(struct writer *w)
{
	buf_puts(&w->out, "\"errors\":[");
	buf_put(&w->out, w->errors.data, w->errors.len);
	buf_putc(&w->out, ']');
	buf_free(&w->errors);
}

void
write_data_end(struct writer *w, bool data)
{
	if (data) {
		buf_putc(&w->out, '}');
	} else {
		unwrite(w, 0);
		buf_puts(&w->out, "{\"data\":null");
	}
	if (w->error_count > 0) {
		buf_putc(&w->out, ',');
		put_errors(w);
	}
	if (w->extensions != NULL) {
		buf_puts(&w->out, ",\"extensions\":");
		buf_put(&w->out, w->extensions, w->extensions_len);
	}
	buf_putc(&w->out, '}');
	buf_free(&w->errors);
}

void
write_refusal(struct writer *w)
{
	unwrite(w, 0);
	buf_putc(&w->out, '{');
	put_errors(w);
	buf_putc(&w->out, '}');
}
