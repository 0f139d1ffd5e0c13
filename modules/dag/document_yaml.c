/* document_yaml.c - writes YAML for people: block style, plain words where they
 * stay strings in YAML 1.1 and 1.2, literal blocks for scripts; deep down and
 * for whatever is odd, double quotes with JSON's escapes, which are YAML's too.
 */
#include "dag/document.h"

#include <string.h>

#include "base/utf8.h"
#include "dag/yaml.h"

#define BLOCK_DEPTH_MAX 8   /* deeper values stand on one line */
#define FLOW_WIDTH	72  /* a list of words up to it stands on one line */
#define SIMPLE_KEY_MAX	800 /* YAML's limit for keys without "? " is 1024 */

static void write_value(struct buf *out, const struct json *v, unsigned depth);

/* Scalars ----------------------------------------------------------------- */

/* Must be escaped: what a YAML reader refuses, takes for a line break or eats.
 */
static bool
is_printable(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	return c != 0x2028 && c != 0x2029 && c != 0xfeff && c != 0xfffe &&
	       c != 0xffff;
}

static void
write_escaped(struct buf *out, uint32_t c)
{
	static const char from[] = "\b\t\n\f\r\"\\", to[] = "btnfr\"\\";
	const char *p = c < 0x80 && c > 0 ? strchr(from, (int)c) : NULL;

	if (p == NULL) {
		buf_printf(out, "\\u%04x", c);
		return;
	}
	buf_putc(out, '\\');
	buf_putc(out, to[p - from]);
}

static void
write_quoted(struct buf *out, const char *s, size_t len)
{
	size_t w;

	buf_putc(out, '"');
	for (size_t i = 0; i < len; i += w) {
		uint32_t c = utf8_decode(s + i, &w);

		if (c == '"' || c == '\\' || !is_printable(c))
			write_escaped(out, c);
		else
			buf_put(out, s + i, w);
	}
	buf_putc(out, '"');
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Words that are no strings in YAML 1.1, whose readers are many. */
static bool
is_yaml_word(const char *s, size_t len)
{
	static const char *const words[] = {
	    "y", "n", "yes", "no", "on", "off", "true", "false", "null"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == len &&
		    strncasecmp(s, words[i], len) == 0)
			return true;
	return false;
}

/* Letters, digits and what can't mean anything to YAML between them. */
static bool
is_plain(const char *s, size_t len)
{
	if (len == 0 || len > 200 || !is_letter(s[0]) || s[len - 1] == ' ' ||
	    is_yaml_word(s, len))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_letter(s[i]) && (s[i] < '0' || s[i] > '9') &&
		    strchr(" -./()+", s[i]) == NULL)
			return false;
	return true;
}

static void
write_string(struct buf *out, const char *s, size_t len)
{
	if (is_plain(s, len))
		buf_put(out, s, len);
	else
		write_quoted(out, s, len);
}

/* Lines of text that a literal block gives back as they are: no odd
 * characters, no blank or empty line at the start (it would count as
 * indentation). */
static bool
is_block_text(const char *s, size_t len)
{
	size_t w;

	if (len < 2 || memchr(s, '\n', len - 1) == NULL || s[0] == ' ' ||
	    s[0] == '\t' || s[0] == '\n')
		return false;
	for (size_t i = 0; i < len; i += w) {
		uint32_t c = utf8_decode(s + i, &w);

		if (!is_printable(c) && c != '\n' && c != '\t')
			return false;
	}
	return true;
}

static void
write_indent(struct buf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		buf_puts(out, "  ");
}

/* "|" keeps one line break at the end, "|-" none, "|+" all. */
static void
write_block_text(struct buf *out, const char *s, size_t len, unsigned depth)
{
	const char *end = s + len;
	bool last = end[-1] == '\n', more = last && end[-2] == '\n';

	buf_puts(out, more ? "|+" : last ? "|" : "|-");
	while (s < end) {
		const char *line = memchr(s, '\n', (size_t)(end - s));
		size_t n = (size_t)((line != NULL ? line : end) - s);

		buf_putc(out, '\n');
		if (n > 0)
			write_indent(out, depth);
		buf_put(out, s, n);
		s += n + 1;
	}
}

/* Flow -------------------------------------------------------------------- */

static void
write_key(struct buf *out, const char *s, size_t len)
{
	size_t start = out->len;

	write_string(out, s, len);
	if (buf_failed(out) || out->len - start < SIMPLE_KEY_MAX)
		return;
	/* too long to be a simple key: written again behind "? " */
	out->len = start;
	buf_puts(out, "? ");
	write_quoted(out, s, len);
	buf_putc(out, ' ');
}

static void
write_flow(struct buf *out, const struct json *v)
{
	if (v->type == JSON_STRING) {
		write_quoted(out, v->string, v->count);
	} else if (v->type == JSON_ARRAY) {
		buf_putc(out, '[');
		for (uint32_t i = 0; i < v->count && !buf_failed(out); i++) {
			buf_puts(out, i > 0 ? ", " : "");
			write_flow(out, v->items[i]);
		}
		buf_putc(out, ']');
	} else if (v->type == JSON_OBJECT) {
		buf_putc(out, '{');
		for (uint32_t i = 0; i < v->count && !buf_failed(out); i++) {
			buf_puts(out, i > 0 ? ", " : "");
			write_key(
			    out, v->members[i].name, v->members[i].name_len);
			buf_puts(out, ": ");
			write_flow(out, v->members[i].value);
		}
		buf_putc(out, '}');
	} else {
		json_write_canonical(out, v);
	}
}

static bool
is_short_list(const struct json *v)
{
	size_t width = 0;

	for (uint32_t i = 0; i < v->count; i++) {
		const struct json *item = v->items[i];

		if (item->type == JSON_ARRAY || item->type == JSON_OBJECT)
			return false;
		width += item->type == JSON_STRING ? item->count + 2 : 6;
		if (width > FLOW_WIDTH)
			return false;
	}
	return true;
}

static void
write_short_list(struct buf *out, const struct json *v)
{
	buf_putc(out, '[');
	for (uint32_t i = 0; i < v->count; i++) {
		const struct json *item = v->items[i];

		buf_puts(out, i > 0 ? ", " : "");
		if (item->type == JSON_STRING)
			write_string(out, item->string, item->count);
		else
			write_flow(out, item);
	}
	buf_putc(out, ']');
}

/* Blocks ------------------------------------------------------------------ */

static bool
is_block(const struct json *v, unsigned depth)
{
	if (v->count == 0 || depth > BLOCK_DEPTH_MAX)
		return false;
	return v->type == JSON_OBJECT ||
	       (v->type == JSON_ARRAY && !is_short_list(v));
}

/* "key: value"; the line is indented already. */
static void
write_member(struct buf *out, const char *name, size_t len,
    const struct json *v, unsigned depth)
{
	size_t start = out->len;

	write_key(out, name, len);
	/* an explicit key's value stands on a line of its own */
	if (!buf_failed(out) && out->data[start] == '?') {
		buf_putc(out, '\n');
		write_indent(out, depth);
	}
	buf_putc(out, ':');
	if (is_block(v, depth + 1)) {
		buf_putc(out, '\n');
		write_indent(out, depth + 1);
	} else {
		buf_putc(out, ' ');
	}
	write_value(out, v, depth + 1);
}

static void
write_block(struct buf *out, const struct json *v, unsigned depth)
{
	for (uint32_t i = 0; i < v->count && !buf_failed(out); i++) {
		if (i > 0) {
			buf_putc(out, '\n');
			write_indent(out, depth);
		}
		if (v->type == JSON_OBJECT) {
			write_member(out, v->members[i].name,
			    v->members[i].name_len, v->members[i].value, depth);
		} else {
			buf_puts(out, "- ");
			write_value(out, v->items[i], depth + 1);
		}
	}
}

/* depth: the indentation of the lines that follow the first. */
static void
write_value(struct buf *out, const struct json *v, unsigned depth)
{
	if (is_block(v, depth))
		write_block(out, v, depth);
	else if (v->type == JSON_STRING && depth <= BLOCK_DEPTH_MAX &&
		 is_block_text(v->string, v->count))
		write_block_text(out, v->string, v->count, depth);
	else if (v->type == JSON_STRING)
		write_string(out, v->string, v->count);
	else if (v->type == JSON_ARRAY && is_short_list(v))
		write_short_list(out, v);
	else
		write_flow(out, v);
}

/* The document ------------------------------------------------------------ */

static const char *const node_keys[] = {"name", "dependencies", "trigger",
    "when", "for_each", "concurrency", "op", "with", "pool", "retry",
    "timeout"};

static void
write_node(struct buf *out, const struct json *node)
{
	bool first = true;

	for (size_t i = 0; i < sizeof(node_keys) / sizeof(node_keys[0]); i++) {
		const struct json *v = json_get(node, node_keys[i]);

		if (v == NULL)
			continue;
		buf_puts(out, first ? "  - " : "    ");
		first = false;
		write_member(out, node_keys[i], strlen(node_keys[i]), v, 2);
		buf_putc(out, '\n');
	}
}

static void
write_line(struct buf *out, const char *key, const struct json *v)
{
	write_member(out, key, strlen(key), v, 0);
	buf_putc(out, '\n');
}

void
document_to_yaml(const char *name, const char *description,
    const struct json *definition, struct buf *out)
{
	const struct json *timeout = json_get(definition, "timeout");
	const struct json *durability = json_get(definition, "durability");
	const struct json *priority = json_get(definition, "priority");
	const struct json *nodes = json_get(definition, "nodes");
	struct json text = {.type = JSON_STRING};

	if (name != NULL) {
		text.string = name;
		text.count = (uint32_t)strlen(name);
		write_line(out, "name", &text);
	}
	if (description != NULL && description[0] != '\0') {
		text.string = description;
		text.count = (uint32_t)strlen(description);
		write_line(out, "description", &text);
	}
	if (timeout != NULL)
		write_line(out, "timeout", timeout);
	if (durability != NULL)
		write_line(out, "durability", durability);
	if (priority != NULL)
		write_line(out, "priority", priority);
	buf_puts(out, "nodes:\n");
	for (uint32_t i = 0; nodes != NULL && i < nodes->count; i++) {
		write_node(out, nodes->items[i]);
		if (buf_failed(out))
			return;
	}
}
