/* tls.h - TLS on the server's own listener, switched on by the settings
 * tls_certificate and tls_key.
 *
 * Kore:     4.1.0 has a key manager, a process that signs for the workers; with
 *           OpenSSL 3 its replacement of a key's methods has no effect and every
 *           handshake fails. So the parent reads certificate and key, before
 *           the workers give up its user, and they inherit the context.
 * Renewal:  a new certificate is read at the next start.
 */
#ifndef OPEN_WEB_TLS_H
#define OPEN_WEB_TLS_H

#include "base/err.h"
#include "web/config.h"

/* The parent, before the fork. 0 (also where it is not switched on) or -1 and e
 * ("invalid_value", "internal"). */
int tls_create(const struct config *, struct err *e);
/* Each worker, before it accepts. */
void tls_start(void);

#endif
