/* password.h - passwords as they are stored: scrypt with its parameters.
 *
 * Form:     $scrypt$ln=15,r=8,p=3$SALT$HASH (16 and 32 bytes, base64 without
 *           padding), so that the cost can rise and old ones still verify
 *           until they are replaced at the next sign-in.
 * Process:  takes about 32 MiB and a fifth of a second: on an event loop's
 *           thread never; in a server by flow_hash (flow.h). Pure.
 * Common:   a password of nothing but well-known words (assets/passwords.txt),
 *           digits and signs, also with letters written as digits or signs, of
 *           fewer than 5 different characters, or of one row of characters
 *           that follow each other.
 */
#ifndef OPEN_WEB_PASSWORD_H
#define OPEN_WEB_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define PASSWORD_MIN  12   /* characters */
#define PASSWORD_MAX  1024 /* bytes */
#define PASSWORD_HASH 192  /* bytes that hold any stored form and its NUL */

/* Whether it may become somebody's password. It is taken as it is: no case, no
 * spaces, no Unicode forms are changed. 0, or -1 and e ("password_too_short",
 * "password_too_long", "password_too_common", "invalid_utf8"). */
int password_check(const char *password, size_t len, struct err *e);
/* -1: without memory or randomness. */
int password_hash(
    const char *password, size_t len, char out[PASSWORD_HASH], struct err *e);
/* stored NULL: there is none; takes the same time as a wrong password and is
 * false. False too for a stored form that can't be read. Takes the same time
 * wherever they differ. */
bool password_verify(const char *password, size_t len, const char *stored);
/* Whether it was stored at a lower cost than today's (or can't be read). */
bool password_is_weak(const char *stored);

#endif
