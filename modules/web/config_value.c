/* config_value.c - sizes, durations, counts and choices as text. */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/config_value.h"

/* Largest first, so that a size is printed in the largest that fits. */
static const struct unit {
	const char *name;
	int64_t factor;
} units[] = {{"GiB", GIB}, {"MiB", MIB}, {"KiB", KIB}, {"B", 1}, {"", 1}};
#define UNIT_TOTAL (sizeof(units) / sizeof(units[0]))

/* "4MiB" "64KiB" "1GiB" "4096" */
static bool
bytes_parse(const char *text, int64_t *out)
{
	char *end;
	long long n;
	size_t i;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	n = strtoll(text, &end, 10);
	for (i = 0; errno == 0 && i < UNIT_TOTAL; i++)
		if (strcmp(end, units[i].name) == 0)
			return !__builtin_mul_overflow(
			    (int64_t)n, units[i].factor, out);
	return false;
}

static void
bytes_format(int64_t n, struct buf *out)
{
	const struct unit *u = units;

	while (u->name[0] != '\0' &&
	       (n == 0 || n % u->factor != 0 || u->factor == 1))
		u++;
	buf_printf(out, "%lld%s", (long long)(n / u->factor), u->name);
}

bool
count_parse(const char *text, int64_t *out)
{
	char *end;
	long long n;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	n = strtoll(text, &end, 10);
	*out = n;
	return errno == 0 && *end == '\0';
}

int64_t
rate_count(int64_t n)
{
	return n >> 32;
}

int64_t
rate_period_ms(int64_t n)
{
	return n & UINT32_MAX;
}

/* "30/1m", or "off" */
static bool
rate_parse(const char *text, int64_t *out)
{
	size_t digits = strspn(text, "0123456789");
	int64_t count, ns;
	char number[8];

	*out = 0;
	if (strcmp(text, "off") == 0)
		return true;
	if (digits == 0 || digits >= sizeof(number) || text[digits] != '/')
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (!count_parse(number, &count) || count < 1 ||
	    !duration_parse(
		text + digits + 1, strlen(text + digits + 1), &ns) ||
	    ns < MS || ns > 30 * 86400 * S || ns % MS != 0)
		return false;
	*out = count << 32 | ns / MS;
	return true;
}

static void
rate_format(int64_t n, struct buf *out)
{
	char text[DURATION_TEXT];

	duration_format(rate_period_ms(n) * MS, text, sizeof(text));
	if (n == 0)
		buf_puts(out, "off");
	else
		buf_printf(out, "%lld/%s", (long long)rate_count(n), text);
}

/* The n-th word of choices; its length, 0: there is none. */
static size_t
choice_word(const char *choices, int64_t n, const char **word)
{
	size_t len;

	for (;; n--) {
		len = strcspn(choices, " ");
		*word = choices;
		if (n == 0 || len == 0)
			return len;
		choices += len;
		choices += strspn(choices, " ");
	}
}

static bool
choice_parse(const char *choices, const char *text, int64_t *out)
{
	const char *word;
	size_t len;
	int64_t i;

	for (i = 0; (len = choice_word(choices, i, &word)) != 0; i++) {
		if (strlen(text) == len && memcmp(text, word, len) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

void
number_format(const struct key *key, int64_t n, struct buf *out)
{
	const char *word;
	size_t len;
	char text[64];

	switch (key->type) {
	case KEY_BYTES:
		bytes_format(n, out);
		return;
	case KEY_DURATION:
		duration_format(n, text, sizeof(text));
		buf_puts(out, text);
		return;
	case KEY_RATE:
		rate_format(n, out);
		return;
	case KEY_CHOICE:
		len = choice_word(key->choices, n, &word);
		buf_put(out, word, len);
		return;
	case KEY_COUNT:
	case KEY_STRING:
	case KEY_LISTEN:
		break;
	}
	buf_printf(out, "%lld", (long long)n);
}

void
expectation(const struct key *key, char *text, size_t size)
{
	static const char rate[] = "so many in a time like 30/1m, at most "
				   "9999999 and 30d, or off";
	static const char *const kinds[] = {
	    [KEY_STRING] = "text",
	    [KEY_COUNT] = "an integer",
	    [KEY_BYTES] = "a size like 64KiB or 4MiB",
	    [KEY_DURATION] = "a duration like 250ms or 5s",
	    [KEY_RATE] = rate,
	    [KEY_CHOICE] = "one of",
	    [KEY_LISTEN] = "ADDRESS:PORT",
	};
	struct buf b;

	buf_create(&b, 0);
	buf_puts(&b, kinds[key->type]);
	if (key->type == KEY_CHOICE) {
		buf_printf(&b, " %s", key->choices);
	} else if (key->type == KEY_STRING) {
		buf_printf(&b, " of %lld to %lld bytes", (long long)key->min,
		    (long long)key->max);
	} else if (key->type != KEY_LISTEN && key->type != KEY_RATE) {
		buf_puts(&b, " from ");
		number_format(key, key->min, &b);
		buf_puts(&b, " to ");
		number_format(key, key->max, &b);
	}
	snprintf(text, size, "%s", buf_failed(&b) ? "?" : b.data);
	buf_free(&b);
}

bool
number_parse(const struct key *key, const char *text, int64_t *n)
{
	switch (key->type) {
	case KEY_COUNT:
		return count_parse(text, n);
	case KEY_BYTES:
		return bytes_parse(text, n);
	case KEY_DURATION:
		return duration_parse(text, strlen(text), n);
	case KEY_RATE:
		return rate_parse(text, n);
	case KEY_CHOICE:
		return choice_parse(key->choices, text, n);
	case KEY_STRING:
	case KEY_LISTEN:
		break;
	}
	return false;
}
