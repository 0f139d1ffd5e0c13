/* json.c - reads JSON with yajl, which checks the grammar; the text is checked
 * to be UTF-8 before, and strings are taken from it raw, because yajl turns a
 * lone surrogate into '?' before anyone can see it. */
#include "dag/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "dag/tree.h"

#define TEXT_MAX (UINT32_MAX / 4)

struct reader {
	struct tree tree;
	yajl_handle yajl;
	const char *text;
	size_t len;
	bool replace;
	bool complete;	   /* in yajl_complete_parse: at the text's end */
	size_t token;	   /* where the last token began */
	size_t token_end;  /* and ended */
	size_t line_start; /* of the token */
	uint32_t line;
};

/* Places ------------------------------------------------------------------ */

static size_t
consumed(const struct reader *r)
{
	return r->complete ? r->len : yajl_get_bytes_consumed(r->yajl);
}

/* Moves to the token that ends where yajl is now: it begins after the last one
 * and white space, commas and colons. */
static struct place
next_token(struct reader *r)
{
	struct place at;
	size_t i = r->token_end;

	while (i < r->len && strchr(" \t\r\n,:", r->text[i]) != NULL &&
	       r->text[i] != '\0') {
		if (r->text[i] == '\n') {
			r->line++;
			r->line_start = i + 1;
		}
		i++;
	}
	r->token = i;
	r->token_end = consumed(r);
	if (r->token_end < i)
		r->token_end = i;
	at.line = r->line;
	at.column = (uint32_t)(i - r->line_start + 1);
	return at;
}

/* Strings ----------------------------------------------------------------- */

static int
hex4(const char *s, const char *end)
{
	int n = 0;

	if (end - s < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(s[i]);

		if (d < 0)
			return -1;
		n = n << 4 | d;
	}
	return n;
}

/* The character of a \u escape at s (behind the u); 0 if it is none that may
 * stand in a string. *used: bytes behind the u. */
static uint32_t
unicode_escape(const char *s, const char *end, size_t *used)
{
	int high = hex4(s, end), low;

	*used = 4;
	if (high < 0xd800 || high > 0xdfff)
		return high > 0 ? (uint32_t)high : 0;
	if (high > 0xdbff || end - s < 10 || s[4] != '\\' || s[5] != 'u')
		return 0;
	low = hex4(s + 6, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*used = 10;
	return 0x10000u + ((uint32_t)(high - 0xd800) << 10) +
	       (uint32_t)(low - 0xdc00);
}

/* One escape, s behind the backslash; yajl has checked its form. Returns bytes
 * read, or 0 for a character that must not be. */
static size_t
unescape(struct reader *r, const char *s, const char *end, char **out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *p = strchr(from, *s);
	uint32_t c;
	size_t used;

	if (*s != 'u') {
		*(*out)++ = p != NULL ? to[p - from] : *s;
		return 1;
	}
	c = unicode_escape(s + 1, end, &used);
	if (c == 0) {
		if (!r->replace)
			return 0;
		c = 0xfffd;
	}
	*out += utf8_encode(c, *out);
	return used + 1;
}

/* The bytes between the quotes of the current token, decoded, in mem. */
static const char *
take_string(struct reader *r, struct place at, size_t *len)
{
	const char *s = r->text + r->token + 1;
	const char *end = r->text + r->token_end - 1;
	char *copy, *out;

	if (r->token_end < r->token + 2)
		end = s;
	copy = out = mem_alloc(r->tree.mem, (size_t)(end - s) + 1);
	if (copy == NULL) {
		tree_fail_memory(&r->tree);
		return NULL;
	}
	while (s < end) {
		const char *b = memchr(s, '\\', (size_t)(end - s));
		size_t plain = (size_t)((b != NULL ? b : end) - s), used;

		memcpy(out, s, plain);
		out += plain;
		s += plain;
		if (b == NULL || s + 1 >= end)
			break;
		used = unescape(r, s + 1, end, &out);
		if (used == 0) {
			bool nul = hex4(s + 2, end) == 0;

			tree_fail(&r->tree, at,
			    nul ? "nul_byte" : "invalid_utf8",
			    nul ? "A string must not hold the character U+0000."
				: "A \\u escape stands for half a surrogate "
				  "pair, which is no character.");
			return NULL;
		}
		s += used + 1;
	}
	*out = '\0';
	*len = (size_t)(out - copy);
	return copy;
}

/* yajl's events ----------------------------------------------------------- */

static int
on_null(void *ctx)
{
	struct reader *r = ctx;

	return tree_literal(&r->tree, JSON_NULL, next_token(r));
}

static int
on_boolean(void *ctx, int b)
{
	struct reader *r = ctx;

	return tree_literal(
	    &r->tree, b ? JSON_TRUE : JSON_FALSE, next_token(r));
}

static bool
parse_integer(const char *s, size_t len, int64_t *out)
{
	size_t i = s[0] == '-';
	int64_t n = 0;

	for (; i < len; i++) {
		if (s[i] < '0' || s[i] > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_sub_overflow(n, s[i] - '0', &n))
			return false;
	}
	if (s[0] != '-' && n == INT64_MIN)
		return false;
	*out = s[0] == '-' ? n : -n;
	return true;
}

static int
on_number(void *ctx, const char *s, size_t len)
{
	struct reader *r = ctx;
	struct place at = next_token(r);
	int64_t integer;
	char *copy;
	double n;

	if (parse_integer(s, len, &integer))
		return tree_integer(&r->tree, integer, at);
	copy = mem_strndup(r->tree.mem, s, len);
	if (copy == NULL)
		return tree_fail_memory(&r->tree);
	n = strtod(copy, NULL);
	if (!isfinite(n))
		return tree_fail(&r->tree, at, "invalid_json",
		    "Invalid JSON: this number is too large.");
	return tree_number(&r->tree, n, copy, at);
}

static int
on_string(void *ctx, const unsigned char *s, size_t len)
{
	struct reader *r = ctx;
	struct place at = next_token(r);
	const char *copy = take_string(r, at, &len);

	(void)s;
	return copy != NULL && tree_string(&r->tree, copy, len, at);
}

static int
on_key(void *ctx, const unsigned char *s, size_t len)
{
	struct reader *r = ctx;
	struct place at = next_token(r);
	const char *copy = take_string(r, at, &len);

	(void)s;
	return copy != NULL && tree_key(&r->tree, copy, len, at);
}

static int
on_object(void *ctx)
{
	struct reader *r = ctx;

	return tree_start(&r->tree, JSON_OBJECT, next_token(r));
}

static int
on_array(void *ctx)
{
	struct reader *r = ctx;

	return tree_start(&r->tree, JSON_ARRAY, next_token(r));
}

static int
on_end(void *ctx)
{
	struct reader *r = ctx;

	next_token(r);
	return tree_end(&r->tree);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_end,
};

/* Parsing ----------------------------------------------------------------- */

/* Where the token began that yajl stopped at: the last one that begins before
 * what it has consumed. */
static size_t
error_offset(const struct reader *r)
{
	size_t end = consumed(r), i = r->token_end, at = i;

	while (i < r->len && (i < end || i == r->token_end)) {
		if (strchr(" \t\r\n", r->text[i]) != NULL) {
			i++;
			at = i;
			continue;
		}
		at = i;
		if (strchr(",:", r->text[i]) == NULL)
			break;
		i++;
	}
	return at < r->len ? at : r->len;
}

static int
syntax_error(struct reader *r)
{
	unsigned char *text = yajl_get_error(r->yajl, 0, NULL, 0);
	const char *why = text != NULL ? (char *)text : "";
	const char *colon = strstr(why, "error: ");
	struct place at = place_at(r->text, error_offset(r));
	char message[200];

	if (colon != NULL)
		why = colon + 7;
	snprintf(message, sizeof(message), "Invalid JSON: %.*s.",
	    (int)strcspn(why, "\n."), *why != '\0' ? why : "syntax error");
	if (strstr(why, "premature EOF") != NULL) {
		at = place_at(r->text, r->len);
		snprintf(message, sizeof(message),
		    "Invalid JSON: the text ends too early.");
	}
	tree_fail(&r->tree, at, "invalid_json", message);
	if (text != NULL)
		yajl_free_error(r->yajl, text);
	return -1;
}

static int
run(struct reader *r)
{
	yajl_status status;

	r->yajl = yajl_alloc(&callbacks, NULL, r);
	if (r->yajl == NULL)
		return tree_fail_memory(&r->tree), -1;
	yajl_config(r->yajl, yajl_dont_validate_strings, 1);
	status = yajl_parse(r->yajl, (const unsigned char *)r->text, r->len);
	if (status == yajl_status_ok) {
		r->complete = true;
		status = yajl_complete_parse(r->yajl);
	}
	if (status != yajl_status_ok && !r->tree.failed)
		syntax_error(r);
	yajl_free(r->yajl);
	return r->tree.failed ? -1 : 0;
}

/* Refuses, or replaces, what is no text. */
static int
check_text(struct reader *r)
{
	size_t valid = utf8_valid(r->text, r->len);
	const char *nul = memchr(r->text, '\0', valid);
	struct place at;

	if (nul == NULL && valid == r->len)
		return 0;
	if (r->replace) {
		r->text =
		    json_clean_text(r->tree.mem, r->text, r->len, &r->len);
		if (r->text == NULL)
			tree_fail_memory(&r->tree);
		return r->text == NULL ? -1 : 0;
	}
	at = place_at(r->text, nul != NULL ? (size_t)(nul - r->text) : valid);
	if (nul != NULL)
		tree_fail(
		    &r->tree, at, "nul_byte", "The text holds a NUL byte.");
	else
		tree_fail(&r->tree, at, "invalid_utf8",
		    "The text is not valid UTF-8.");
	return -1;
}

int
json_parse(struct mem *m, const char *text, size_t len,
    const struct json_options *options, const struct json **out, struct err *e)
{
	struct reader r = {.text = text, .len = len, .line = 1};
	int ret = -1;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		r.text += 3;
		r.len -= 3;
	}
	r.replace = options != NULL && options->replace_bad_text;
	tree_create(&r.tree, m, options, e);
	if (r.len > TEXT_MAX)
		err_set(e, "invalid_json", "The text is larger than 1 GiB.");
	else if (check_text(&r) == 0 && run(&r) == 0)
		ret = 0;
	if (ret == 0)
		*out = r.tree.root;
	tree_destroy(&r.tree);
	return ret;
}

char *
json_clean_text(struct mem *m, const char *text, size_t len, size_t *clean_len)
{
	size_t bad = 0, n = 0;
	char *copy;

	for (size_t i = 0; i < len;) {
		size_t w = utf8_width(text + i, len - i);

		bad += w == 0 || text[i] == '\0';
		i += w > 0 ? w : 1;
	}
	copy = mem_alloc(m, len + 2 * bad + 1);
	if (copy == NULL)
		return NULL;
	for (size_t i = 0; i < len;) {
		size_t w = utf8_width(text + i, len - i);
		bool good = w > 0 && text[i] != '\0';

		memcpy(
		    copy + n, good ? text + i : "\xef\xbf\xbd", good ? w : 3);
		n += good ? w : 3;
		i += w > 0 ? w : 1;
	}
	*clean_len = n;
	return copy;
}
