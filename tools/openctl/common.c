/* common.c - what commands share: telling faults, connecting, printing rows. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dag/json.h"
#include "openctl_sql.h"
#include "openctl.h"

static void
tell(const char *fmt, va_list ap)
{
	fflush(stdout);
	fputs("openctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

enum ctl_exit
ctl_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(fmt, ap);
	va_end(ap);
	return CTL_FAILED;
}

enum ctl_exit
ctl_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(fmt, ap);
	va_end(ap);
	fputs("openctl COMMAND --help tells how.\n", stderr);
	return CTL_USAGE;
}

bool
ctl_connect(struct ctl *ctl, enum db_role role)
{
	struct err e = {0};

	ctl->db = db_open(&ctl->config, role, &e);
	if (ctl->db != NULL)
		return true;
	ctl_fail("no database: %s", e.message);
	if (ctl->config.database_url[0] == '\0')
		fputs("The private database runs while ./build.sh run does, or "
		      "after ./build.sh database start.\n",
		    stderr);
	return false;
}

bool
ctl_query(struct ctl *ctl, const struct sql *sql)
{
	struct err e = {0};

	if (db_query(ctl->db, sql, &e) == 0)
		return true;
	ctl_fail("%s", e.message);
	return false;
}

const char *
ctl_organization(struct ctl *ctl)
{
	const char *slug = args_get(&ctl->args, "org");

	db_text(ctl->db, slug);
	if (!ctl_query(ctl, &SQL_ORGANIZATION_BY_SLUG))
		return NULL;
	if (db_count(ctl->db) == 1)
		return mem_strdup(&ctl->mem, db_get(ctl->db, 0, 0));
	ctl_fail("there is no organization '%s'", slug);
	return NULL;
}

static void
print_json(struct ctl *ctl)
{
	struct buf b;
	int row, column;
	const char *value;

	buf_create(&b, 0);
	buf_putc(&b, '[');
	for (row = 0; row < db_count(ctl->db); row++) {
		buf_puts(&b, row == 0 ? "\n {" : ",\n {");
		for (column = 0; column < db_columns(ctl->db); column++) {
			buf_puts(&b, column == 0 ? "" : ", ");
			value = db_column(ctl->db, column);
			json_write_string(&b, value, strlen(value));
			buf_puts(&b, ": ");
			value = db_get(ctl->db, row, column);
			if (db_is_null(ctl->db, row, column))
				buf_puts(&b, "null");
			else if (db_is_json(ctl->db, column))
				buf_puts(&b, value);
			else
				json_write_string(&b, value, strlen(value));
		}
		buf_putc(&b, '}');
	}
	puts(buf_failed(&b) ? "[" : b.data);
	puts("]");
	buf_free(&b);
}

/* Columns a terminal shows for UTF-8 text: one a character. */
static size_t
width_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void
print_cell(const char *text, size_t width, bool last)
{
	fputs(text, stdout);
	if (last)
		putchar('\n');
	else
		printf("%*s", (int)(width - width_of(text) + 2), "");
}

static void
print_table(struct ctl *ctl, const char *const *headings)
{
	size_t width[SQL_PARAMS_FEW], w;
	int row, column, columns = db_columns(ctl->db);

	for (column = 0; column < columns; column++) {
		width[column] = width_of(headings[column]);
		for (row = 0; row < db_count(ctl->db); row++) {
			w = width_of(db_get(ctl->db, row, column));
			if (w > width[column])
				width[column] = w;
		}
	}
	for (column = 0; column < columns; column++)
		print_cell(
		    headings[column], width[column], column == columns - 1);
	for (row = 0; row < db_count(ctl->db); row++)
		for (column = 0; column < columns; column++)
			print_cell(db_get(ctl->db, row, column), width[column],
			    column == columns - 1);
}

void
ctl_print_rows(struct ctl *ctl, const char *const *headings)
{
	if (ctl->json)
		print_json(ctl);
	else
		print_table(ctl, headings);
}

char *
ctl_read_stdin(struct ctl *ctl, size_t limit, size_t *len)
{
	char *text = mem_alloc(&ctl->mem, limit + 2);

	if (text == NULL) {
		ctl_fail("out of memory");
		return NULL;
	}
	*len = fread(text, 1, limit + 1, stdin);
	if (ferror(stdin)) {
		ctl_fail("standard input can't be read");
		return NULL;
	}
	if (*len > limit) {
		ctl_fail("standard input is longer than %zu bytes", limit);
		return NULL;
	}
	text[*len] = '\0';
	return text;
}
