/* clock.h - time, always in a type's unit: _ns, _us, _ms.
 *
 * clock_mono_ns is CLOCK_MONOTONIC: the same in every process of this machine
 * until it restarts, never steps. clock_real_us is UTC microseconds since 1970.
 * Durations in documents: an integer and a unit.
 */
#ifndef OPEN_BASE_CLOCK_H
#define OPEN_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_mono_ns(void);
int64_t clock_real_us(void);

/* "250ms" "5s" "2m" "1h" "1d", a positive or zero integer before the unit
 * (fractions too: "1.5s"), at most 3650 days. False for anything else. */
bool duration_parse(const char *text, size_t len, int64_t *ns);
/* The shortest exact text of that form. */
void duration_format(int64_t ns, char *text, size_t size);

/* RFC 3339 UTC with microseconds, "2026-11-23T15:00:33.123456Z" (27 bytes and
 * NUL). */
#define TIME_TEXT 28
void time_format(int64_t real_us, char text[TIME_TEXT]);

#endif
