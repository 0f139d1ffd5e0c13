/* known_layout.h - the shared memory of known.c and known_settings.c.
 */
#ifndef OPEN_WEB_KNOWN_LAYOUT_H
#define OPEN_WEB_KNOWN_LAYOUT_H

#include <pthread.h>

#include "base/seqlock.h"
#include "web/known.h"

#define CREDENTIAL_WORDS    (sizeof(struct known_credential) / 8)
#define SETTINGS_WORDS	    (sizeof(struct known_settings) / 8)
#define SETTINGS_BUCKETS    1024
#define SETTINGS_WAYS	    4
#define SETTINGS_RING	    (4u << 20)
#define SETTINGS_RING_WORDS (SETTINGS_RING / 8)

_Static_assert(sizeof(struct known_credential) % 8 == 0, "words");
_Static_assert(sizeof(struct known_settings) % 8 == 0, "words");

struct credential_cell {
	_Atomic uint32_t count;
	_Atomic int64_t used_ns;  /* last looked for */
	_Atomic int64_t noted_ns; /* last noted in the database */
	_Atomic uint64_t words[CREDENTIAL_WORDS];
};

struct settings_cell {
	_Atomic uint32_t count;
	_Atomic int64_t used_ns;
	_Atomic uint64_t words[SETTINGS_WORDS];
};

struct known {
	pthread_mutex_t lock; /* of who writes; robust */
	int64_t cache_ns;
	_Atomic uint64_t epoch; /* counts what was forgotten */
	_Atomic int64_t trusted_ns, active_ns;
	_Atomic uint64_t version; /* of settings */
	/* Texts, one behind the other, round and round: what lies further
	 * behind the head than the ring is long has been written over. */
	_Atomic uint64_t head;
	struct settings_cell settings[SETTINGS_BUCKETS][SETTINGS_WAYS];
	_Atomic uint64_t ring[SETTINGS_RING_WORDS];
	struct credential_cell cells[KNOWN_BUCKETS][KNOWN_WAYS];
};

/* Whoever gets the lock from one that died mends what that one left. */
void known_lock(struct known *);
void known_unlock(struct known *);
bool known_is_true(const struct known *, int64_t until_ns, int64_t now_ns);

#endif
