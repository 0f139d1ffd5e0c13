/* json.h - a JSON value as a tree, where each value knows its place in the text
 * it came from.
 *
 * Owner:    all nodes live in the struct mem passed in.
 * Readers:  json_parse (yajl), yaml_parse (yaml.h) build the same tree.
 * Text:     strings are valid UTF-8 without U+0000; a reader refuses anything
 * else (or, where it is told to, replaces it by U+FFFD), because PostgreSQL's
 * jsonb takes neither NUL nor lone surrogates. Numbers:  keep their text when
 * they came from text, so nothing is lost in a round trip; integers that fit
 *           int64 are also in integer, everything else in number.
 */
#ifndef OPEN_DAG_JSON_H
#define OPEN_DAG_JSON_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_INTEGER,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json {
	enum json_type type;
	uint32_t line, column; /* 1-based; 0: made by the program */
	uint32_t count; /* array: items; object: members; string: bytes */
	union {
		int64_t integer;
		double number;
		const char *string;	   /* NUL-terminated */
		const struct json **items; /* array */
		struct json_member
		    *members; /* object, in the order of the text */
	};
	const char *text; /* numbers: their text, or NULL */
};

struct json_member {
	const char *name;
	uint32_t name_len;
	uint32_t line, column; /* of the name */
	const struct json *value;
};

struct json_options {
	unsigned max_depth;    /* 0: 128 */
	bool replace_bad_text; /* results of commands: replace invalid UTF-8,
				  U+0000 and lone surrogates by U+FFFD */
	bool allow_duplicates; /* last one wins; otherwise a duplicate name is
				  an error */
};

/* The whole text must be one value. -1 and e with line, column ("invalid_json",
 * "invalid_utf8", "nul_byte", "too_deep", "duplicate_key", "out_of_memory").
 * options may be NULL. */
int json_parse(struct mem *m, const char *text, size_t len,
    const struct json_options *options, const struct json **out, struct err *e);

const struct json *json_get(const struct json *object,
    const char *name); /* NULL: not an object or no such member */
bool json_is_string(const struct json *v, const char *s);
bool json_equal(const struct json *a,
    const struct json *b); /* members in any order; 1 equals 1.0 */

/* Building, in m; NULL when m failed. */
struct json *json_null(struct mem *m);
struct json *json_bool(struct mem *m, bool b);
struct json *json_integer(struct mem *m, int64_t n);
struct json *json_number(struct mem *m, double n);
struct json *json_string(struct mem *m, const char *s, size_t len);
struct json *json_array(
    struct mem *m, uint32_t count); /* items to be filled by the caller */
struct json *json_object(
    struct mem *m, uint32_t count); /* members to be filled by the caller */

/* Compact text. canonical: members sorted by name bytes, numbers in one form
 * (RFC 8785's for integers that fit, otherwise shortest round trip). */
void json_write(struct buf *b, const struct json *v);
void json_write_canonical(struct buf *b, const struct json *v);
void json_write_string(
    struct buf *b, const char *s, size_t len); /* with quotes and escapes */

#endif
