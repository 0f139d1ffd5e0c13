/* address.h - addresses of e-mail as they are compared and stored.
 *
 * Form:     the dot-atom of RFC 5322 3.4.1 at a host's name (RFC 1123), in
 *           ASCII, small letters: one person has one form. A domain in another
 *           script is written in its own ASCII form (xn--…, RFC 5891); a local
 *           part in another script (RFC 6531) is refused: a letter that only
 *           looks the same would be another person. Quoted local parts,
 *           comments and addresses in brackets are refused.
 * Process:  pure.
 */
#ifndef OPEN_WEB_ADDRESS_H
#define OPEN_WEB_ADDRESS_H

#include <stddef.h>

#include "base/err.h"

#define ADDRESS_MAX 254 /* bytes, RFC 5321 4.5.3.1.3 without the brackets */

/* 0, or -1 and e ("invalid_email"). */
int address_read(
    const char *text, size_t len, char out[ADDRESS_MAX + 1], struct err *e);

#endif
