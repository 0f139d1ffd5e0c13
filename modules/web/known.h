/* known.h - what a server knows of credentials and of the settings of
 * organizations: one table in shared memory, so that a request is authenticated
 * without a question to the database.
 *
 * Owner:    made in the parent before the fork; known_create's memory is seen
 *           by all workers and never freed.
 * Readers:  lock-free, any process: a cell is a seqlock. A writer that is
 *           killed leaves at worst one cell in which nothing is found; a lock of
 *           the robust kind goes to the next, who mends it.
 * Bound:    KNOWN_BUCKETS * KNOWN_WAYS credentials, as many organizations as
 *           there are places; the one that was not used for longest goes, and
 *           is asked for again. Tokens that nobody holds are not remembered.
 * Truth:    what is found was told by the database less than `cache` ago, or
 *           it was told before a sign of life came that proves that all
 *           notifications until then have been heard (known_trust). Who asks
 *           takes known_epoch first; an answer that was overtaken by something
 *           to forget is not kept.
 * Knows:    neither Kore nor libpq. Times are clock_mono_ns.
 */
#ifndef OPEN_WEB_KNOWN_H
#define OPEN_WEB_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "web/credential.h"

#define KNOWN_BUCKETS	   8192
#define KNOWN_WAYS	   4
#define KNOWN_SETTINGS_MAX (64 * 1024) /* longer ones are not kept */

struct known;

/* A multiple of 8 bytes: it lies in shared memory as words. */
struct known_credential {
	uint8_t hash[CREDENTIAL_HASH];
	struct uuid id, organization, user;
	int64_t until_ns;   /* true until then without any sign of life */
	int64_t expires_ns; /* 0: never */
	uint32_t scopes;    /* enum credential_scope */
	uint8_t admin, session, zero[2];
};

struct known_settings {
	struct uuid organization;
	int64_t until_ns;
	uint64_t version; /* another one whenever they were told anew */
	uint64_t at;	  /* where the text is */
	uint32_t len, exceeded;
};

/* NULL: no memory. cache_ns: how long an answer is true by itself; 0: nothing
 * is ever kept. */
struct known *known_create(int64_t cache_ns);

uint64_t known_epoch(const struct known *);

/* --- credentials --- */

/* Also notes that it was used. */
bool known_find(struct known *, const uint8_t hash[CREDENTIAL_HASH],
    int64_t now_ns, struct known_credential *out);
/* used_ago_ns: how long ago its use was noted in the database; < 0: never.
 * until_ns is set from now_ns. */
void known_put(struct known *, uint64_t epoch, struct known_credential *,
    int64_t now_ns, int64_t used_ago_ns);
void known_forget(struct known *, const uint8_t hash[CREDENTIAL_HASH]);
void known_forget_user(struct known *, const struct uuid *);
void known_forget_all(struct known *); /* also settings */
/* A session that lives longer now. */
void known_extend(
    struct known *, const uint8_t hash[CREDENTIAL_HASH], int64_t expires_ns);
/* Credentials whose use should be noted in the database, at most once every
 * interval each, from a part of the table: *at goes on from call to call.
 * Returns how many are in out. */
size_t known_used(struct known *, uint32_t *at, int64_t now_ns,
    int64_t interval_ns, struct known_credential *out, size_t max);

/* --- settings of organizations --- */

bool known_settings_find(struct known *, const struct uuid *organization,
    int64_t now_ns, struct known_settings *out);
/* Copies the text, out has room for len bytes. False: it is gone. */
bool known_settings_text(
    struct known *, const struct known_settings *, char *out);
void known_settings_put(struct known *, uint64_t epoch,
    const struct uuid *organization, uint32_t exceeded, const char *text,
    size_t len, int64_t now_ns);
void known_settings_forget(struct known *, const struct uuid *organization);

/* --- signs of life --- */

/* All that was notified before sent_ns has been heard. */
void known_trust(struct known *, int64_t sent_ns);
/* Whether anything was looked for lately: else no sign of life is needed. */
bool known_active(const struct known *, int64_t now_ns);

#endif
