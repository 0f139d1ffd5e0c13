/* clock.c - clocks, durations, times as text. */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND	     INT64_C(1000000000)
#define DURATION_MAX (3650 * 86400 * SECOND)

static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {{"d", 86400 * SECOND}, {"h", 3600 * SECOND}, {"m", 60 * SECOND},
    {"s", SECOND}, {"ms", SECOND / 1000}};
#define UNITS (sizeof(units) / sizeof(units[0]))

int64_t
clock_mono_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

int64_t
clock_real_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static const struct unit *
find_unit(const char *text, size_t len)
{
	for (size_t i = 0; i < UNITS; i++)
		if (strlen(units[i].name) == len &&
		    memcmp(units[i].name, text, len) == 0)
			return &units[i];
	return NULL;
}

/* Digits at text[*at]; false if there is none or too many. */
static bool
read_digits(const char *text, size_t len, size_t *at, unsigned max,
    int64_t *value, unsigned *count)
{
	size_t start = *at;

	*value = 0;
	while (*at < len && text[*at] >= '0' && text[*at] <= '9') {
		if (*at - start >= max)
			return false;
		*value = *value * 10 + (text[(*at)++] - '0');
	}
	*count = (unsigned)(*at - start);
	return *count > 0;
}

bool
duration_parse(const char *text, size_t len, int64_t *ns)
{
	int64_t whole, fraction = 0, scale = 1;
	const struct unit *unit;
	unsigned digits;
	size_t at = 0;

	if (!read_digits(text, len, &at, 15, &whole, &digits))
		return false;
	if (at < len && text[at] == '.') {
		at++;
		if (!read_digits(text, len, &at, 9, &fraction, &digits))
			return false;
		while (digits-- > 0)
			scale *= 10;
	}
	unit = find_unit(text + at, len - at);
	if (unit == NULL || whole > DURATION_MAX / unit->ns)
		return false;
	/* unit < 2^47 and fraction < 2^30: the product needs more than 64 bits
	 */
	*ns =
	    whole * unit->ns + (int64_t)((__int128)fraction * unit->ns / scale);
	return *ns <= DURATION_MAX;
}

void
duration_format(int64_t ns, char *text, size_t size)
{
	size_t n;

	if (ns <= 0) {
		snprintf(text, size, "0s");
		return;
	}
	for (size_t i = 0; i < UNITS; i++) {
		if (ns % units[i].ns == 0) {
			snprintf(text, size, "%" PRId64 "%s", ns / units[i].ns,
			    units[i].name);
			return;
		}
	}
	n = (size_t)snprintf(
	    text, size, "%" PRId64 ".%06" PRId64, ns / 1000000, ns % 1000000);
	if (n >= size)
		return;
	while (text[n - 1] == '0')
		n--;
	snprintf(text + n, size - n, "ms");
}

void
time_format(int64_t real_us, char text[TIME_TEXT])
{
	int64_t us = real_us % 1000000, sec = real_us / 1000000;
	time_t t;
	struct tm tm;

	if (us < 0) {
		us += 1000000;
		sec--;
	}
	t = (time_t)sec;
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900 ||
	    tm.tm_year > 8099) {
		snprintf(text, TIME_TEXT, "0000-00-00T00:00:00.000000Z");
		return;
	}
	snprintf(text, TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
	    (unsigned)(tm.tm_year + 1900) % 10000,
	    (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100,
	    (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
	    (unsigned)tm.tm_sec % 100, (unsigned)us % 1000000);
}
