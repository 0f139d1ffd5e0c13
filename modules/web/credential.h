/* credential.h - tokens that people and programs show: how they are made, what
 * they look like, what of them is kept.
 *
 * Format:   "open_", a letter for its kind, "_", 43 random characters of base62
 *           (256 bits), 6 of a CRC-32C of all before them. So a scanner finds a
 *           leaked one, and one that was made up or cut off is refused without
 *           a question to the database.
 * Kept:     the SHA-256 of the whole text, and the first characters to know an
 *           API token by; never the token.
 * Process:  pure, any thread. Knows neither Kore nor libpq: openctl links it.
 */
#ifndef OPEN_WEB_CREDENTIAL_H
#define OPEN_WEB_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum credential_kind {
	CREDENTIAL_SESSION = 's',
	CREDENTIAL_TOKEN = 't',
	CREDENTIAL_INVITATION = 'i',
	CREDENTIAL_RESET = 'r',
	CREDENTIAL_CONFIRM = 'c'
};

#define CREDENTIAL_LEN	   56
#define CREDENTIAL_TEXT	   (CREDENTIAL_LEN + 1)
#define CREDENTIAL_HASH	   32
#define CREDENTIAL_PREFIX  11 /* of an API token, shown in lists */
#define CREDENTIAL_OLD_LEN 48 /* "open_" and 43 characters, until 0017 */

/* What an API token may be used for; a session may do all that its user may. */
enum credential_scope {
	SCOPE_READ = 1,
	SCOPE_EXECUTE = 2,
	SCOPE_WRITE = 4,
	SCOPE_ADMIN = 8,
	SCOPE_ALL = 15
};

/* 0, or -1 and e ("internal"). */
int credential_new(
    enum credential_kind, char text[CREDENTIAL_TEXT], struct err *e);
/* Whether a text (not NUL-terminated) has the form of a credential of one of
 * the kinds (letters; "t" also fits API tokens of the old form). */
bool credential_is_formed(const char *text, size_t len, const char *kinds);
void credential_hash(
    const char *text, size_t len, uint8_t hash[CREDENTIAL_HASH]);

/* 0: no scope of that name. */
unsigned scope_named(const char *name, size_t len);
/* The names of all scopes, in the order of their bits, then NULL. */
extern const char *const scope_names[];
/* The names of those that are set, in out; how many there are. */
size_t scopes_list(unsigned scopes, const char *out[4]);

#endif
