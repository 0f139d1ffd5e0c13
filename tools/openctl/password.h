/* password.h - passwords as they are stored: scrypt with its parameters.
 *
 * Form:     $scrypt$ln=15,r=8,p=3$SALT$HASH (16 and 32 bytes, base64 without
 *           padding), so that the cost can rise and old ones still verify.
 * Process:  takes about 32 MiB and a tenth of a second: never on an event loop.
 */
#ifndef OPEN_OPENCTL_PASSWORD_H
#define OPEN_OPENCTL_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define PASSWORD_MIN  12   /* characters */
#define PASSWORD_MAX  1024 /* bytes */
#define PASSWORD_HASH 192  /* bytes that hold any stored form and its NUL */

/* -1 and e ("password_too_short", "password_too_long", "invalid_utf8"). */
int password_check(const char *password, size_t len, struct err *e);
/* -1: without memory or randomness. */
int password_hash(
    const char *password, size_t len, char out[PASSWORD_HASH], struct err *e);
/* False too for a stored form that can't be read. Takes the same time wherever
 * they differ. */
bool password_verify(const char *password, size_t len, const char *stored);

#endif
