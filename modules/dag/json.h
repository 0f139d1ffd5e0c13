/* json.h - a JSON value as a tree, where each value knows its place in the
 * text it came from.
 *
 * Owner:    all nodes live in the struct mem passed in.
 * Process:  private; a finished tree is only read, by any thread.
 * Readers:  json_parse (yajl) and yaml_parse (yaml.h) build the same tree.
 * Text:     strings are valid UTF-8 without U+0000; a reader refuses anything
 *           else (or, where it is told to, replaces it by U+FFFD), because
 *           PostgreSQL's jsonb takes neither NUL nor lone surrogates.
 * Numbers:  keep their text when they came from JSON, so nothing is lost in a
 *           round trip; integers that fit int64 are in integer, everything
 *           else is in number, which is always finite.
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
	uint32_t line, column; /* 1-based, bytes; 0: made by the program */
	uint32_t count; /* array: items; object: members; string: bytes */
	union {
		int64_t integer;
		double number;
		const char *string;	     /* NUL-terminated */
		const struct json **items;   /* array */
		struct json_member *members; /* object, in the text's order */
	};
	const char *text; /* JSON_NUMBER: its text, or NULL */
};

struct json_member {
	const char *name;
	uint32_t name_len;
	uint32_t line, column; /* of the name */
	const struct json *value;
};

struct json_options {
	unsigned max_depth; /* of arrays and objects in each other; 0: 128 */
	/* Results of commands: replace invalid UTF-8, U+0000 and lone
	 * surrogates by U+FFFD. */
	bool replace_bad_text;
	/* The last one wins; otherwise a duplicate name is an error. */
	bool allow_duplicates;
};
#define JSON_MAX_DEPTH 128

/* The whole text must be one value. -1 and e with line, column ("invalid_json",
 * "invalid_utf8", "nul_byte", "too_deep", "duplicate_key", "out_of_memory").
 * options may be NULL. A byte order mark at the start is skipped. A number
 * beyond a double's range is invalid_json. */
int json_parse(struct mem *m, const char *text, size_t len,
    const struct json_options *options, const struct json **out, struct err *e);

/* A NUL-terminated copy in m with NULs and every byte that is not valid UTF-8
 * replaced by U+FFFD; NULL: out of memory. For what commands print. */
char *json_clean_text(
    struct mem *m, const char *text, size_t len, size_t *clean_len);

/* NULL: not an object or no such member. */
const struct json *json_get(const struct json *object, const char *name);
bool json_is_string(const struct json *v, const char *s);
/* Members in any order; 1 equals 1.0. */
bool json_equal(const struct json *a, const struct json *b);
/* The number's value as an integer, if it has one in int64 (also 1.0, 1e3). */
bool json_as_integer(const struct json *v, int64_t *out);

/* Building, in m; NULL when m failed. Strings are copied. */
struct json *json_null(struct mem *m);
struct json *json_bool(struct mem *m, bool b);
struct json *json_integer(struct mem *m, int64_t n);
struct json *json_number(struct mem *m, double n);
struct json *json_string(struct mem *m, const char *s, size_t len);
/* Items or members to be filled by the caller. */
struct json *json_array(struct mem *m, uint32_t count);
struct json *json_object(struct mem *m, uint32_t count);

/* Compact text. Canonical: members sorted by name bytes, a number that is a
 * whole int64 as its digits (1.0 and 1e0 give 1), any other in the shortest
 * form that reads back as the same double. */
void json_write(struct buf *b, const struct json *v);
void json_write_canonical(struct buf *b, const struct json *v);
/* With quotes and escapes. */
void json_write_string(struct buf *b, const char *s, size_t len);
/* As canonical form has it; null if it is not finite. */
void json_write_number(struct buf *b, double n);

#endif
