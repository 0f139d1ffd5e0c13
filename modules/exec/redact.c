/* redact.c - looks for every form of every value in every reading of a text.
 *
 * A reading ("layer") is the text decoded in one way, with the place that each
 * of its bytes came from; needles are found in it by Knuth, Morris and Pratt,
 * so nothing is slow that a text was made to be slow for. What is found is
 * marked in the text itself; each run of marks becomes ***. */
#include "exec/redact.h"

#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "base/utf8.h"

#define STARS "***"

struct redaction {
	const struct secret_set *set;
	const char *text;
	size_t len;
	unsigned cut;
	uint8_t *marks; /* by byte of the text; NULL: nothing found yet */
	bool failed;	/* out of memory */
};

/* From byte `at` of a layer on, bytes stand at `from` and behind. */
struct turn {
	uint32_t at, from;
};

struct layer {
	char *text;
	size_t len;
	char *folded; /* the text in one alphabet of base64 */
	struct turn *turns;
	size_t turn_count;
};

/* --- marks --- */

static size_t
place(const struct layer *l, size_t at)
{
	size_t low = 0, high = l->turn_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (l->turns[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? at
			: l->turns[low - 1].from + at - l->turns[low - 1].at;
}

static void
mark(struct redaction *r, const struct layer *l, size_t from, size_t to)
{
	size_t start = place(l, from), end = place(l, to);

	/* left out of a layer, so not part of the match */
	while (l->turn_count > 0 && end > start + 1 &&
	       (r->text[end - 1] == '\n' || r->text[end - 1] == '\r'))
		end--;
	if (r->marks == NULL) {
		r->marks = mem_heap(r->len);
		r->failed = r->marks == NULL;
		if (r->failed)
			return;
		memset(r->marks, 0, r->len);
	}
	memset(r->marks + start, 1, end - start);
}

static char
fold(char c)
{
	return c == '-' ? '+' : c == '_' ? '/' : c;
}

static bool
is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* A character on either side may hold bits of the value, and there may be
 * padding. */
static void
widen(const struct layer *l, const struct needle *n, size_t *from, size_t *to)
{
	if (n->before && *from > 0 && is_base64(fold(l->text[*from - 1])))
		--*from;
	if (!n->after)
		return;
	if (*to < l->len && is_base64(fold(l->text[*to])))
		++*to;
	for (int i = 0; i < 2 && *to < l->len && l->text[*to] == '='; i++)
		++*to;
}

static void
mark_match(struct redaction *r, const struct layer *l, const struct needle *n,
    size_t from, size_t to)
{
	if (n->base64)
		widen(l, n, &from, &to);
	mark(r, l, from, to);
}

/* --- needles --- */

/* Matches from byte i on, where the first of them may begin. */
static void
find_from(struct redaction *r, const struct layer *l, const struct needle *n,
    const char *text, size_t i)
{
	size_t done = 0; /* marked so far */
	uint32_t k = 0;

	for (; i < l->len && !r->failed; i++) {
		while (k > 0 && n->text[k] != text[i])
			k = n->fail[k - 1];
		k += n->text[k] == text[i];
		if (k < n->len)
			continue;
		mark_match(r, l, n, i + 1 - k > done ? i + 1 - k : done, i + 1);
		done = i + 1;
		k = n->fail[k - 1];
	}
	if ((r->cut & REDACT_CUT_END) != 0 && k >= SECRET_REDACT_MIN)
		mark_match(r, l, n, l->len - k, l->len);
}

static void
find(struct redaction *r, const struct layer *l, const struct needle *n)
{
	const char *text = n->base64 ? l->folded : l->text;
	const char *first = memmem(text, l->len, n->text, n->len);

	if (first != NULL)
		find_from(r, l, n, text, (size_t)(first - text));
	else if ((r->cut & REDACT_CUT_END) != 0)
		find_from(
		    r, l, n, text, l->len < n->len ? 0 : l->len - n->len + 1);
}

/* The end of a needle at the start of a text that was cut there. */
static void
find_tail(struct redaction *r, const struct layer *l, const struct needle *n)
{
	const char *text = n->base64 ? l->folded : l->text;
	size_t k = n->len - 1 < l->len ? n->len - 1 : l->len;

	for (; k >= SECRET_REDACT_MIN; k--)
		if (memcmp(text, n->text + n->len - k, k) == 0) {
			mark_match(r, l, n, 0, k);
			return;
		}
}

static void
find_values(struct redaction *r, const struct layer *l)
{
	for (const struct secret_set *s = r->set; s != NULL; s = s->older)
		for (uint32_t i = 0; i < s->count; i++)
			for (uint32_t k = 0; k < s->values[i]->needle_count;
			     k++) {
				const struct needle *n =
				    &s->values[i]->needles[k];

				find(r, l, n);
				if ((r->cut & REDACT_CUT_START) != 0)
					find_tail(r, l, n);
			}
}

static void
find_all(struct redaction *r, struct layer *l)
{
	l->folded = mem_heap(l->len);
	if (l->folded == NULL) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < l->len; i++)
		l->folded[i] = fold(l->text[i]);
	find_values(r, l);
	guard_wipe(l->folded, l->len);
	free(l->folded);
}

/* --- layers --- */

static int
hex(const char *s, unsigned digits, uint32_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < digits; i++) {
		char c = s[i];
		unsigned v = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
			     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
						    : 16;

		if (v > 15)
			return -1;
		*out = *out << 4 | v;
	}
	return 0;
}

/* A decoder reads at s (end behind it), puts up to 4 bytes; how many it read,
 * 0: the byte stands for itself. */
typedef size_t (*decoder)(
    const char *s, const char *end, char out[4], size_t *put);

static size_t
percent(const char *s, const char *end, char out[4], size_t *put)
{
	uint32_t c;

	if (s[0] != '%' || end - s < 3 || hex(s + 1, 2, &c) != 0)
		return 0;
	out[0] = (char)c;
	*put = 1;
	return 3;
}

static size_t
form(const char *s, const char *end, char out[4], size_t *put)
{
	if (s[0] != '+')
		return percent(s, end, out, put);
	out[0] = ' ';
	*put = 1;
	return 1;
}

static size_t
line_end(const char *s, const char *end, char out[4], size_t *put)
{
	(void)end;
	(void)out;
	*put = 0;
	return s[0] == '\n' || s[0] == '\r' ? 1 : 0;
}

/* \uXXXX, two of them where the first is half of a character. */
static size_t
unicode(const char *s, const char *end, char out[4], size_t *put)
{
	uint32_t c, low;
	size_t used = 6;

	if (end - s < 6 || hex(s + 2, 4, &c) != 0)
		return 0;
	if (c >= 0xd800 && c < 0xdc00 && end - s >= 12 && s[6] == '\\' &&
	    s[7] == 'u' && hex(s + 8, 4, &low) == 0 && low >= 0xdc00 &&
	    low < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		used = 12;
	}
	if (c >= 0xd800 && c < 0xe000)
		return 0;
	*put = utf8_encode(c, out);
	return used;
}

static size_t
escape(const char *s, const char *end, char out[4], size_t *put)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (s[0] != '\\' || end - s < 2)
		return 0;
	if (s[1] == 'u')
		return unicode(s, end, out, put);
	at = s[1] != '\0' ? strchr(from, s[1]) : NULL;
	if (at == NULL)
		return 0;
	out[0] = to[at - from];
	*put = 1;
	return 2;
}

/* The first of the hints, or end. */
static const char *
next_hint(const char *s, const char *end, const char *hints)
{
	const char *a = memchr(s, hints[0], (size_t)(end - s));
	const char *b = NULL;

	if (hints[1] != '\0')
		b = memchr(s, hints[1], (size_t)((a != NULL ? a : end) - s));
	return b != NULL ? b : a != NULL ? a : end;
}

static size_t
count_hints(const struct redaction *r, const char *hints)
{
	size_t count = 0;

	for (size_t i = 0; i < r->len; i++)
		count += r->text[i] == hints[0] ||
			 (hints[1] != '\0' && r->text[i] == hints[1]);
	return count;
}

static void
turn_add(struct layer *l, const struct redaction *r, const char *s)
{
	l->turns[l->turn_count++] =
	    (struct turn){(uint32_t)l->len, (uint32_t)(s - r->text)};
}

static void
decode_all(const struct redaction *r, struct layer *l, const char *hints,
    decoder decode)
{
	const char *end = r->text + r->len, *s = r->text;

	while (s < end) {
		const char *hint = next_hint(s, end, hints);
		size_t put = 1, used;

		memcpy(l->text + l->len, s, (size_t)(hint - s));
		l->len += (size_t)(hint - s);
		s = hint;
		if (s == end)
			return;
		used = decode(s, end, l->text + l->len, &put);
		if (used == 0) {
			l->text[l->len++] = *s++;
			continue;
		}
		turn_add(l, r, s);
		l->len += put;
		s += used;
		turn_add(l, r, s);
	}
}

/* decode is asked at the hints (one or two characters). */
static void
find_decoded(struct redaction *r, const char *hints, decoder decode)
{
	size_t count = count_hints(r, hints);
	struct layer l = {.len = 0};

	if (count == 0 || r->failed)
		return;
	l.text = mem_heap(r->len + 4);
	l.turns = mem_heap(2 * count * sizeof(*l.turns));
	if (l.text != NULL && l.turns != NULL) {
		decode_all(r, &l, hints, decode);
		find_all(r, &l);
		guard_wipe(l.text, r->len + 4);
	} else {
		r->failed = true;
	}
	free(l.text);
	free(l.turns);
}

static void
find_everywhere(struct redaction *r)
{
	struct layer plain = {
	    .text = (char *)(uintptr_t)r->text, .len = r->len};

	find_all(r, &plain);
	find_decoded(r, "%", percent);
	if (!r->failed && memchr(r->text, '+', r->len) != NULL)
		find_decoded(r, "+%", form);
	find_decoded(r, "\\", escape);
	find_decoded(r, "\n\r", line_end);
}

/* --- the text --- */

/* With stars for each run of marks. */
static char *
rewrite(const struct redaction *r, struct mem *m, size_t *out_len)
{
	size_t stars = 0, at = 0;
	char *out;

	for (size_t i = 0; i < r->len; i++)
		stars += r->marks[i] && (i == 0 || !r->marks[i - 1]);
	out = mem_alloc(m, r->len + stars * (sizeof(STARS) - 1) + 1);
	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < r->len; i++) {
		if (!r->marks[i]) {
			out[at++] = r->text[i];
		} else if (i == 0 || !r->marks[i - 1]) {
			memcpy(out + at, STARS, sizeof(STARS) - 1);
			at += sizeof(STARS) - 1;
		}
	}
	*out_len = at;
	return out;
}

static bool
has_needles(const struct secret_set *s)
{
	for (; s != NULL; s = s->older)
		for (uint32_t i = 0; i < s->count; i++)
			if (s->values[i]->needle_count > 0)
				return true;
	return false;
}

enum redact_result
redact_text(const struct secret_set *set, struct mem *m, const char *text,
    size_t len, unsigned cut, const char **out, size_t *out_len)
{
	struct redaction r = {.set = set, .text = text, .len = len, .cut = cut};
	enum redact_result result = REDACT_CLEAN;

	if (len < SECRET_REDACT_MIN || !has_needles(set))
		return REDACT_CLEAN;
	if (len > UINT32_MAX - 8)
		return REDACT_MEMORY;
	find_everywhere(&r);
	if (r.failed) {
		result = REDACT_MEMORY;
	} else if (r.marks != NULL) {
		*out = rewrite(&r, m, out_len);
		result = *out != NULL ? REDACT_DONE : REDACT_MEMORY;
	}
	free(r.marks);
	return result;
}

/* Whatever a string of the text holds stands as it is, or escaped once. */
enum redact_result
redact_probe(const struct secret_set *set, const char *text, size_t len)
{
	struct redaction r = {.set = set, .text = text, .len = len};
	struct layer l = {.len = 0};
	struct redaction inner = {.set = set};
	size_t count;
	bool found;

	if (len < SECRET_REDACT_MIN || !has_needles(set))
		return REDACT_CLEAN;
	if (len > UINT32_MAX - 8)
		return REDACT_MEMORY;
	find_everywhere(&r);
	count = count_hints(&r, "\\");
	if (r.marks == NULL && count > 0) {
		l.text = mem_heap(len + 4);
		l.turns = mem_heap(2 * count * sizeof(*l.turns));
		r.failed = r.failed || l.text == NULL || l.turns == NULL;
	}
	if (!r.failed && l.text != NULL) {
		decode_all(&r, &l, "\\", escape);
		inner.text = l.text;
		inner.len = l.len;
		find_everywhere(&inner);
		guard_wipe(l.text, len + 4);
	}
	free(l.text);
	free(l.turns);
	found = r.marks != NULL || inner.marks != NULL;
	free(r.marks);
	free(inner.marks);
	if (r.failed || inner.failed)
		return REDACT_MEMORY;
	return found ? REDACT_DONE : REDACT_CLEAN;
}
