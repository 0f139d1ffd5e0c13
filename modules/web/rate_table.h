/* rate_table.h - how often somebody may do something: a table of buckets in
 * shared memory, filled by strangers.
 *
 * Algorithm: GCRA (ITU-T I.371, A.2) - one time per key says when all that was
 *           taken will have been earned; one compare-and-swap takes.
 * Owner:    made in the parent before the fork, seen by all workers, never
 *           freed; lock-free, and sound whenever a process dies.
 * Bound:    RATE_CELLS keys. Keys are hashed with a secret of this start, so
 *           nobody can aim at a bucket. Where one is full, the key that is
 *           nearest to having earned all back is given up: it begins anew.
 *           Two workers that see a new key at once may each let it begin.
 * Knows:    neither Kore nor libpq. Times are clock_mono_ns.
 */
#ifndef OPEN_WEB_RATE_TABLE_H
#define OPEN_WEB_RATE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define RATE_CELLS 65536

struct rate_table;

/* So many in a period, at once or spread; a setting "30/1m". */
struct rate_limit {
	int64_t count, period_ns; /* count 0: no limit */
};

/* NULL: no memory, or no random bytes. */
struct rate_table *rate_table_create(void);

/* Takes one of kind's key. 0, or how long until one can be taken (then none
 * was). burst: of the limit's count only so many at once. */
int64_t rate_take(struct rate_table *, unsigned kind, const void *key,
    size_t len, struct rate_limit, int64_t burst, int64_t now_ns);
/* How long until one could be taken: 0: now. */
int64_t rate_wait(struct rate_table *, unsigned kind, const void *key,
    size_t len, struct rate_limit, int64_t now_ns);
/* Gives one back. */
void rate_give(struct rate_table *, unsigned kind, const void *key, size_t len,
    struct rate_limit);
/* Gives all back. */
void rate_forget(
    struct rate_table *, unsigned kind, const void *key, size_t len);

#endif
