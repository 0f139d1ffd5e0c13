/* yaml.c - libyaml's events become a tree; no event is kept. */
#include "dag/yaml.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/utf8.h"
#include "dag/tree.h"

#define TEXT_MAX   (UINT32_MAX / 4)
#define TAG_PREFIX "tag:yaml.org,2002:"

/* libyaml counts characters; we count bytes. The cursor walks with its marks,
 * which only move forward. */
struct cursor {
	const char *text;
	size_t len;
	bool ascii;
	size_t index; /* characters before offset */
	size_t offset;
	size_t line_start;
};

struct reader {
	struct tree tree;
	struct cursor cursor;
	yaml_parser_t parser;
	/* For each open container, whether the next scalar is a key. */
	bool in_object[JSON_MAX_DEPTH + 1];
	bool key_next[JSON_MAX_DEPTH + 1];
	bool done;
};

static bool
is_break(const char *s, size_t width)
{
	return *s == '\n' || *s == '\r' ||
	       (width == 2 && memcmp(s, "\xc2\x85", 2) == 0) ||
	       (width == 3 && (memcmp(s, "\xe2\x80\xa8", 3) == 0 ||
				  memcmp(s, "\xe2\x80\xa9", 3) == 0));
}

static void
cursor_move(struct cursor *c, size_t index)
{
	while (c->index < index && c->offset < c->len) {
		const char *s = c->text + c->offset;
		size_t w = utf8_width(s, c->len - c->offset);

		c->offset += w > 0 ? w : 1;
		c->index++;
		if (is_break(s, w))
			c->line_start = c->offset;
	}
}

static struct place
place_of(struct reader *r, const yaml_mark_t *mark)
{
	struct cursor *c = &r->cursor;
	struct place at;

	at.line = (uint32_t)mark->line + 1;
	at.column = (uint32_t)mark->column + 1;
	if (c->ascii)
		return at;
	cursor_move(c, mark->index);
	if (c->index == mark->index && c->offset >= c->line_start)
		at.column = (uint32_t)(c->offset - c->line_start) + 1;
	return at;
}

/* Events ------------------------------------------------------------------ */

enum tag {
	TAG_NONE,
	TAG_STRING,
	TAG_TYPED, /* !!int and so on: the value must resolve to it */
	TAG_COLLECTION,
	TAG_OTHER
};

static const struct tag_name {
	const char *name;
	enum tag tag;
	unsigned types; /* that the value may have */
} tag_names[] = {
    {"str", TAG_STRING, 1u << JSON_STRING},
    {"null", TAG_TYPED, 1u << JSON_NULL},
    {"bool", TAG_TYPED, 1u << JSON_TRUE | 1u << JSON_FALSE},
    {"int", TAG_TYPED, 1u << JSON_INTEGER},
    {"float", TAG_TYPED, 1u << JSON_INTEGER | 1u << JSON_NUMBER},
    {"map", TAG_COLLECTION, 1u << JSON_OBJECT},
    {"seq", TAG_COLLECTION, 1u << JSON_ARRAY},
};

static enum tag
find_tag(const yaml_char_t *tag, unsigned *types)
{
	const char *s = (const char *)tag;

	*types = ~0u;
	if (s == NULL)
		return TAG_NONE;
	if (strcmp(s, "!") == 0)
		return TAG_STRING;
	if (strncmp(s, TAG_PREFIX, strlen(TAG_PREFIX)) != 0)
		return TAG_OTHER;
	s += strlen(TAG_PREFIX);
	for (size_t i = 0; i < sizeof(tag_names) / sizeof(tag_names[0]); i++)
		if (strcmp(s, tag_names[i].name) == 0) {
			*types = tag_names[i].types;
			return tag_names[i].tag;
		}
	return TAG_OTHER;
}

static bool
bad_tag(struct reader *r, struct place at)
{
	return tree_fail(&r->tree, at, "tag_not_allowed",
	    "This tag is not supported or does not fit its value.");
}

static bool
bad_anchor(struct reader *r, struct place at)
{
	return tree_fail(&r->tree, at, "alias_not_allowed",
	    "Anchors and aliases are not supported; write the value out.");
}

/* Whether the value that starts here is a key of an object. */
static bool
take_key(struct reader *r)
{
	unsigned d = r->tree.depth;
	bool key = d > 0 && r->in_object[d] && r->key_next[d];

	if (d > 0)
		r->key_next[d] = !key;
	return key;
}

static bool
add_scalar(struct reader *r, const yaml_event_t *ev, unsigned types,
    bool resolve, struct place at)
{
	const char *s = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct json v = {.type = JSON_STRING};
	bool finite = true;

	if (resolve)
		yaml_resolve(s, len, &v, &finite);
	if ((types >> v.type & 1) == 0)
		return bad_tag(r, at);
	if (!finite)
		return tree_fail(&r->tree, at, "invalid_yaml",
		    "Invalid YAML: a number must be finite and in the range "
		    "of a double; quote it if it is text.");
	if (v.type == JSON_INTEGER)
		return tree_integer(&r->tree, v.integer, at);
	if (v.type == JSON_NUMBER)
		return tree_number(&r->tree, v.number, NULL, at);
	if (v.type != JSON_STRING)
		return tree_literal(&r->tree, v.type, at);
	return tree_string(&r->tree, mem_strndup(r->tree.mem, s, len), len, at);
}

static bool
on_scalar(struct reader *r, const yaml_event_t *ev)
{
	const char *s = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct place at = place_of(r, &ev->start_mark);
	unsigned types;
	enum tag tag = find_tag(ev->data.scalar.tag, &types);
	bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (ev->data.scalar.anchor != NULL)
		return bad_anchor(r, at);
	if (tag == TAG_OTHER || tag == TAG_COLLECTION)
		return bad_tag(r, at);
	if (memchr(s, '\0', len) != NULL)
		return tree_fail(&r->tree, at, "nul_byte",
		    "A string must not hold the character U+0000.");
	if (take_key(r))
		return tree_key(
		    &r->tree, mem_strndup(r->tree.mem, s, len), len, at);
	return add_scalar(
	    r, ev, types, tag == TAG_TYPED || (tag == TAG_NONE && plain), at);
}

static bool
on_start(struct reader *r, const yaml_event_t *ev, enum json_type type)
{
	struct place at = place_of(r, &ev->start_mark);
	bool object = type == JSON_OBJECT;
	unsigned types;
	enum tag tag = find_tag(
	    object ? ev->data.mapping_start.tag : ev->data.sequence_start.tag,
	    &types);

	if ((object ? ev->data.mapping_start.anchor
		    : ev->data.sequence_start.anchor) != NULL)
		return bad_anchor(r, at);
	if (tag != TAG_NONE && tag != TAG_COLLECTION)
		return bad_tag(r, at);
	if ((types >> type & 1) == 0)
		return bad_tag(r, at);
	if (take_key(r))
		return tree_fail(&r->tree, at, "invalid_yaml",
		    "Invalid YAML: a key must be a scalar.");
	if (!tree_start(&r->tree, type, at))
		return false;
	r->in_object[r->tree.depth] = object;
	r->key_next[r->tree.depth] = true;
	return true;
}

static bool
on_document(struct reader *r, const yaml_event_t *ev)
{
	if (r->tree.root != NULL)
		return tree_fail(&r->tree, place_of(r, &ev->start_mark),
		    "invalid_yaml",
		    "Invalid YAML: only one document may stand in the text.");
	return true;
}

static bool
on_event(struct reader *r, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(r, ev);
	case YAML_ALIAS_EVENT:
		return bad_anchor(r, place_of(r, &ev->start_mark));
	case YAML_SCALAR_EVENT:
		return on_scalar(r, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(r, ev, JSON_ARRAY);
	case YAML_MAPPING_START_EVENT:
		return on_start(r, ev, JSON_OBJECT);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return tree_end(&r->tree);
	case YAML_STREAM_END_EVENT:
		r->done = true;
		return true;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return true;
}

/* Parsing ----------------------------------------------------------------- */

static bool
syntax_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	char message[256];
	struct place at;

	if (p->error == YAML_MEMORY_ERROR)
		return tree_fail_memory(&r->tree);
	/* A reader's error has an offset in bytes and no mark. */
	if (p->error == YAML_READER_ERROR)
		at = place_at(r->cursor.text, p->problem_offset);
	else
		at = place_of(r, &p->problem_mark);
	snprintf(message, sizeof(message), "Invalid YAML: %s%s%s.",
	    p->problem != NULL ? p->problem : "syntax error",
	    p->context != NULL ? ", " : "",
	    p->context != NULL ? p->context : "");
	return tree_fail(&r->tree, at, "invalid_yaml", message);
}

static void
run(struct reader *r)
{
	yaml_event_t ev;

	while (!r->done && !r->tree.failed) {
		if (yaml_parser_parse(&r->parser, &ev) == 0) {
			syntax_error(r);
			return;
		}
		on_event(r, &ev);
		yaml_event_delete(&ev);
	}
}

static bool
check_text(struct reader *r)
{
	struct cursor *c = &r->cursor;
	size_t valid = utf8_valid(c->text, c->len);
	const char *nul = memchr(c->text, '\0', valid);
	size_t bad = nul != NULL ? (size_t)(nul - c->text) : valid;
	struct place at;

	c->ascii = true;
	for (size_t i = 0; i < valid && c->ascii; i++)
		c->ascii = (unsigned char)c->text[i] < 0x80;
	if (bad == c->len)
		return true;
	at = place_at(c->text, bad);
	if (nul != NULL)
		return tree_fail(
		    &r->tree, at, "nul_byte", "The text holds a NUL byte.");
	return tree_fail(
	    &r->tree, at, "invalid_utf8", "The text is not valid UTF-8.");
}

static void
parse(struct reader *r)
{
	struct place start = {1, 1};

	if (!check_text(r))
		return;
	if (yaml_parser_initialize(&r->parser) == 0) {
		tree_fail_memory(&r->tree);
		return;
	}
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &r->parser, (const unsigned char *)r->cursor.text, r->cursor.len);
	run(r);
	yaml_parser_delete(&r->parser);
	if (r->tree.root == NULL)
		tree_fail(&r->tree, start, "invalid_yaml",
		    "Invalid YAML: the text holds no document.");
}

int
yaml_parse(struct mem *m, const char *text, size_t len,
    const struct json_options *options, const struct json **out, struct err *e)
{
	struct reader r;
	bool failed;

	memset(&r, 0, sizeof(r));
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (len > TEXT_MAX)
		return err_set(e, "invalid_yaml", "The text is over 1 GiB.");
	r.cursor.text = text;
	r.cursor.len = len;
	tree_create(&r.tree, m, options, e);
	if (r.tree.max_depth > JSON_MAX_DEPTH)
		r.tree.max_depth = JSON_MAX_DEPTH;
	parse(&r);
	failed = r.tree.failed;
	if (!failed)
		*out = r.tree.root;
	tree_destroy(&r.tree);
	return failed ? -1 : 0;
}
