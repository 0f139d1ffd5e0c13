/* secret_value.h - a secret's value in this process, and what must never be
 * seen of it elsewhere.
 *
 * Owner:    counted references; the count and everything else belong to the
 *           arena's thread once the value is in its store (secrets.h). A
 *           value never changes, so compute threads may read it while their
 *           call holds it.
 * Memory:   of guard.h: locked where possible, in no core dump, wiped at the
 *           end. Never in shared memory.
 */
#ifndef OPEN_EXEC_SECRET_VALUE_H
#define OPEN_EXEC_SECRET_VALUE_H

#include "base/uuid.h"
#include "dag/secret.h"

enum secret_state {
	SECRET_KNOWN,
	SECRET_ABSENT,
	SECRET_UNREADABLE /* it is there, but its key is not */
};

/* A text to look for: the value itself or a form that an encoding gives it. */
struct needle {
	const char *text;
	const uint32_t *fail; /* KMP: the longest border of each prefix */
	uint32_t len;
	bool base64;	    /* - and _ count as + and / */
	bool before, after; /* the character there holds bits of it, too */
};

/* The value, itself as JSON writes it (if it is JSON), and as base64 of each
 * alignment. */
#define NEEDLES_MAX 5
/* Shorter values are not redacted: they would be found everywhere. */
#define SECRET_REDACT_MIN 4

struct secret_value {
	uint32_t refs;
	enum secret_state state;
	struct uuid organization;
	char name[SECRET_NAME_MAX + 1];
	const char *text; /* SECRET_KNOWN */
	uint32_t len;
	uint32_t needle_count;
	struct needle needles[NEEDLES_MAX];
	size_t mapped;
};

/* One reference, the caller's; NULL: out of memory. text is copied. */
struct secret_value *secret_value_new(const struct uuid *organization,
    const char *name, enum secret_state, const char *text, size_t len);
struct secret_value *secret_value_ref(struct secret_value *);
void secret_value_unref(struct secret_value *); /* NULL allowed */
bool secret_value_equal(
    const struct secret_value *, const struct secret_value *);

/* What a run's plan names, as it was at one moment. */
struct secret_set {
	uint32_t refs;
	uint32_t count;
	struct secret_set *older; /* what the run had before; a reference */
	struct secret_value *values[];
};
struct secret_set *secret_set_ref(struct secret_set *); /* NULL allowed */
void secret_set_unref(struct secret_set *);		/* NULL allowed */
/* NULL: the plan does not name it. */
const struct secret_value *secret_set_find(
    const struct secret_set *, const char *name, size_t len);

#endif
