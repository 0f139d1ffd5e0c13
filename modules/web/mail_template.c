/* mail_template.c - reads and fills the texts of mails. */

#include <string.h>

#include "base/utf8.h"
#include "web/mail_template.h"

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_"

static const char prefix[] = "Subject: ";

/* The placeholder at s ("{{name}}"): its whole length, and its name; 0: it is
 * none. */
static size_t
placeholder(const char *s, const char **name, size_t *len)
{
	*name = s + 2;
	*len = strspn(*name, NAME_LETTERS);
	if (*len == 0 || strncmp(*name + *len, "}}", 2) != 0)
		return 0;
	return *len + 4;
}

static uint32_t
line_of(const char *text, const char *at)
{
	uint32_t line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

static int
fault(struct err *e, uint32_t line, const char *message)
{
	err_set(e, "invalid_template", "%s", message);
	if (e != NULL)
		e->line = line;
	return -1;
}

int
mail_template_parse(struct mem *m, const char *text, size_t len,
    struct mail_template *out, struct err *e)
{
	const char *name, *at;
	char *copy, *end;
	size_t n;

	if ((copy = mem_strndup(m, text, len)) == NULL)
		return err_memory(e);
	if (utf8_valid(copy, len) != len || strlen(copy) != len)
		return fault(e, 1, "is not UTF-8");
	end = strchr(copy, '\n');
	if (strncmp(copy, prefix, sizeof(prefix) - 1) != 0 || end == NULL ||
	    end - copy <= (long)sizeof(prefix) - 1)
		return fault(e, 1, "must begin with \"Subject: TEXT\"");
	if (end[1] != '\n' || end[2] == '\0')
		return fault(e, 2, "an empty line and a body must follow");
	for (at = copy; (at = strstr(at, "{{")) != NULL; at += n)
		if ((n = placeholder(at, &name, &n)) == 0)
			return fault(e, line_of(copy, at),
			    "{{ must begin a placeholder like {{name}}");
	*end = '\0';
	out->subject = copy + sizeof(prefix) - 1;
	out->body = end + 2;
	return 0;
}

/* --- filling -------------------------------------------------------------- */

static void
put_value(struct buf *out, const char *s)
{
	size_t left = strlen(s), width;

	if (left > MAIL_VALUE_MAX)
		left = MAIL_VALUE_MAX;
	for (; left > 0; s += width, left -= width) {
		if ((width = utf8_width(s, left)) == 0) {
			/* also a character that the limit cuts */
			buf_putc(out, '?');
			width = 1;
		} else if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			buf_putc(out, ' ');
		} else if (width == 2 && (unsigned char)s[0] == 0xc2 &&
			   (unsigned char)s[1] < 0xa0) {
			buf_putc(out, ' '); /* C1, among them U+0085 */
		} else if (width == 3 && memcmp(s, "\xe2\x80", 2) == 0 &&
			   ((unsigned char)s[2] & 0xfe) == 0xa8) {
			buf_putc(out, ' '); /* U+2028, U+2029 */
		} else {
			buf_put(out, s, width);
		}
	}
}

static const char *
find(
    const struct mail_value *values, size_t count, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strlen(values[i].name) == len &&
		    memcmp(values[i].name, name, len) == 0)
			return values[i].value;
	return NULL;
}

int
mail_template_render(const char *text, const struct mail_value *values,
    size_t count, struct buf *out, struct err *e)
{
	const char *at, *name, *value;
	size_t len, whole;

	while ((at = strstr(text, "{{")) != NULL) {
		buf_put(out, text, (size_t)(at - text));
		if ((whole = placeholder(at, &name, &len)) == 0)
			return err_set(
			    e, "missing_value", "a broken placeholder");
		if ((value = find(values, count, name, len)) == NULL)
			return err_set(e, "missing_value",
			    "there is no value for {{%.*s}}", (int)len, name);
		put_value(out, value);
		text = at + whole;
	}
	buf_puts(out, text);
	return buf_failed(out) ? err_memory(e) : 0;
}
