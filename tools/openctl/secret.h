/* secret.h - API tokens: `open_` and 32 random bytes in base64url.
 *
 * Only the SHA-256 of the whole text is stored; the token itself is shown once.
 */
#ifndef OPEN_OPENCTL_SECRET_H
#define OPEN_OPENCTL_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SECRET_PREFIX "open_"
#define SECRET_LEN    48 /* prefix and 43 characters */
#define SECRET_TEXT   (SECRET_LEN + 1)
#define SECRET_HASH   32

int secret_new(char text[SECRET_TEXT], struct err *e);
/* Whether a text has the form of a token. */
bool secret_is_well_formed(const char *text, size_t len);
void secret_hash(const char *text, size_t len, uint8_t hash[SECRET_HASH]);

#endif
