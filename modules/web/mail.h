/* mail.h - sends what waits in open.outbox.
 *
 * Write:    a statement that needs a mail calls open.send_mail(recipient,
 *           template, data) in its own transaction. Templates: assets/mail,
 *           listed in mail.c; data are the texts of their placeholders.
 *           Always known: recipient, public_url, time, token.
 * Token:    made here for each attempt (credential.h; the kind is the
 *           template's), put into the mail as {{token}}; only its SHA-256
 *           reaches the database, by open.mail_token, in the transaction that
 *           takes the mail. So none is ever stored.
 * Servers:  each sends; a row is one server's (for update skip locked, then a
 *           lease). At least once: a mail whose end was not heard, or whose
 *           server died, is sent again, with the same Message-ID.
 * Process:  the first worker's event loop, and the thread of mail_smtp.h.
 */
#ifndef OPEN_WEB_MAIL_H
#define OPEN_WEB_MAIL_H

#include "base/err.h"

/* In the parent: reads the templates, checks the settings. -1 and e. */
int mail_create(struct err *e);
/* In a worker, before database_start; -1: no eventfd. */
int mail_init(void);
void mail_start(void);
void mail_stop(void);

#endif
