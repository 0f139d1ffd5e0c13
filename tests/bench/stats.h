/* stats.h - the few statistics that a benchmark prints.
 *
 * Owner:    the caller creates and frees. Process: private, one thread.
 * Fails:    out of memory ends the benchmark with a message.
 */
#ifndef OPEN_BENCH_STATS_H
#define OPEN_BENCH_STATS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct samples {
	double *values; /* any unit, the same for all */
	size_t count, capacity;
};

static inline double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static inline void
samples_add(struct samples *s, double value)
{
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 1024;
		s->values = realloc(s->values, s->capacity * sizeof(double));
		if (s->values == NULL) {
			fprintf(stderr, "bench: out of memory\n");
			exit(1);
		}
	}
	s->values[s->count++] = value;
}

static inline int
samples_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value that a share of the samples (0..1) does not exceed; 0 without
 * samples. Sorts them. */
static inline double
samples_quantile(struct samples *s, double share)
{
	size_t i;

	if (s->count == 0)
		return 0;
	qsort(s->values, s->count, sizeof(double), samples_order);
	i = (size_t)(share * (double)(s->count - 1) + 0.5);
	return s->values[i];
}

static inline void
samples_free(struct samples *s)
{
	free(s->values);
	*s = (struct samples){0};
}

#endif
