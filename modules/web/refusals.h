/* refusals.h - refused attempts on their way to the audit log: how often the same
 * was tried is counted, so that many attempts make few rows.
 *
 * Rows:     the first of its kind is due at once; what follows within a minute
 *           is one row more, with a count. Kinds beyond the places, and those of
 *           strangers beyond theirs, are summed up in one row a minute.
 * Owner:    the worker (audit.c). Fixed size, no allocation.
 * Process:  pure.
 */
#ifndef OPEN_WEB_REFUSALS_H
#define OPEN_WEB_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"

#define REFUSALS_MAX	   256
#define REFUSALS_STRANGERS 64 /* of them, without an organization */
#define REFUSALS_SPAN_NS   INT64_C(60000000000)

/* Ids that are not known are zero, texts "". All of it is the kind. */
struct refusal {
	struct uuid organization, user, credential, subject;
	char role[8], action[32], subject_type[32], outcome[48], address[64];
};

struct refusal_row {
	struct refusal what;
	int64_t at_us; /* of the first, UTC */
	uint64_t count;
};

struct refusals {
	struct refusal_row places[REFUSALS_MAX + 1]; /* the last: all others */
	bool used[REFUSALS_MAX + 1], told[REFUSALS_MAX + 1];
	int64_t until_ns[REFUSALS_MAX + 1];
	unsigned count, strangers;
};

/* Times: monotonic, and UTC in microseconds. */
void refusals_add(
    struct refusals *, const struct refusal *, int64_t now_ns, int64_t now_us);
/* Rows that are due, at most `most`; they count as told. How many. */
unsigned refusals_due(
    struct refusals *, int64_t now_ns, struct refusal_row *out, unsigned most);

#endif
