/* clock.h - time, always in a type's unit: _ns, _us, _ms.
 *
 * clock_mono_ns is CLOCK_MONOTONIC: the same in every process of this machine
 * until it restarts, never steps. clock_real_us is UTC microseconds since 1970.
 * Durations in documents: a number and a unit.
 *
 * Process:  pure functions, any thread.
 */
#ifndef OPEN_BASE_CLOCK_H
#define OPEN_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_mono_ns(void);
int64_t clock_real_us(void);

/* "250ms" "5s" "2m" "1h" "1d", a positive or zero number before the unit,
 * fractions too ("1.5s", at most 9 digits, cut to whole nanoseconds), at most
 * 3650 days. False for anything else. */
bool duration_parse(const char *text, size_t len, int64_t *ns);
/* The one text of a duration (0..3650 days): in the largest unit in which it
 * is whole ("90s", "1500ms"), below a millisecond as a fraction of one. */
#define DURATION_TEXT 32
void duration_format(int64_t ns, char *text, size_t size);

/* RFC 3339 UTC with microseconds, "2026-11-23T15:00:33.123456Z" (27 bytes and
 * NUL). */
#define TIME_TEXT 28
void time_format(int64_t real_us, char text[TIME_TEXT]);
/* RFC 3339's or PostgreSQL's text of a time; false if it is no time between the
 * years 1 and 9999. */
bool time_parse(const char *text, size_t len, int64_t *real_us);

#endif
