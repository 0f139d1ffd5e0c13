/* secret_box.h - secrets at rest: AES-256-GCM under a ring of keys.
 *
 * Keys:     the first of the ring is the newest and seals; all of them open. A
 *           key is known by its id, a part of its hash. From the setting
 *           secret_key (OPEN_SECRET_KEY), then the lines of secret_key_file:
 *           base64 (44 characters) or hexadecimal (64), the newest first,
 *           comments behind #.
 * Bound:    organization and name are authenticated with the value: a row
 *           copied to another place does not open.
 * Sealed:   a format byte, 12 random bytes, the ciphertext, 16 bytes of tag.
 * File:     made at the first run, mode 0600; refused when others may read it.
 *           It is read whenever a ring is needed, so keys added later are
 *           found, and none stays in memory: wipe the ring after use.
 * Knows:    neither Kore nor libpq: openctl links it. Any thread.
 */
#ifndef OPEN_WEB_SECRET_BOX_H
#define OPEN_WEB_SECRET_BOX_H

#include <sys/types.h>

#include "base/err.h"
#include "base/uuid.h"
#include "web/config.h"

#define SECRET_KEY_SIZE 32
#define SECRET_KEY_ID	16 /* hexadecimal digits */
#define SECRET_KEYS_MAX 64
#define SECRET_OVERHEAD 29 /* sealed bytes beside the value's */

struct secret_key {
	uint8_t bytes[SECRET_KEY_SIZE];
	char id[SECRET_KEY_ID + 1];
};
struct secret_ring {
	unsigned count;
	struct secret_key keys[SECRET_KEYS_MAX]; /* the newest first */
};

/* -1 and e: "secret_key_missing", "secret_key_invalid". */
int secret_ring_load(
    const struct config *, struct secret_ring *, struct err *e);
void secret_ring_wipe(struct secret_ring *);

/* Makes the file with one key, unless it is there or secret_key is set. As
 * root it becomes owner's (and group's) where they are not -1. */
int secret_ring_create(
    const struct config *, uid_t owner, gid_t group, struct err *e);
/* Puts a new key in front of the file's; the file is replaced as a whole. */
int secret_ring_add(const struct config *, struct err *e);

/* sealed: len + SECRET_OVERHEAD bytes. -1 and e: "internal". */
int secret_seal(const struct secret_ring *, const struct uuid *organization,
    const char *name, const char *value, size_t len, uint8_t *sealed,
    struct err *e);
/* value: len - SECRET_OVERHEAD bytes, *value_len of them are used. -1 and e:
 * "secret_key_missing" (no key of this id), "secret_corrupted". */
int secret_open(const struct secret_ring *, const struct uuid *organization,
    const char *name, const char *key_id, const uint8_t *sealed, size_t len,
    char *value, size_t *value_len, struct err *e);

#endif
