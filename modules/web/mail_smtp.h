/* mail_smtp.h - hands messages to an SMTP server, on threads of its own.
 *
 * Owner:    the worker that sends (mail.c). A struct smtp_mail is the caller's
 *           and a thread's from smtp_send until smtp_take gives it back.
 * Threads:  one for each mail at once, made when they are needed first; they
 *           sleep while there is nothing to send.
 * Fails:    every mail comes back with an outcome, at most twice
 *           settings.timeout_ns later. A mail whose end was not heard may have been sent.
 * Secrets:  no error text holds an address, a password or what the mail says.
 */
#ifndef OPEN_WEB_MAIL_SMTP_H
#define OPEN_WEB_MAIL_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SMTP_AT_ONCE 4

enum smtp_tls {
	SMTP_TLS_OFF, /* plain, whatever the server offers */
	SMTP_TLS_TRY,
	SMTP_TLS_REQUIRED
};

/* Texts stay the caller's, who keeps them until smtp_stop. */
struct smtp_settings {
	const char *url; /* smtp://[USER[:PASSWORD]@]HOST[:PORT], smtps:// */
	const char *password; /* "": that of the URL */
	const char *ca_file;  /* PEM; "": the system's */
	const char *from;     /* an address */
	enum smtp_tls tls;    /* of smtp://: by STARTTLS */
	int64_t timeout_ns; /* of one mail, from name look-up to the last 250 */
};

enum smtp_outcome {
	SMTP_SENT,
	SMTP_AGAIN,  /* may work another time */
	SMTP_REFUSED /* the server refuses this mail for good (5xx) */
};

struct smtp_mail {
	/* The caller's. */
	const char *recipient;
	const char *text; /* the message; not NUL-terminated */
	size_t len;
	unsigned index;

	/* After smtp_take. */
	enum smtp_outcome outcome;
	char error[200]; /* printable ASCII; "" if sent */

	/* mail_smtp.c's. */
	size_t at;
	char detail[256];
	struct smtp_mail *next;
};

/* Whether the URL is one we understand. -1 and e ("invalid_url"); its message
 * never shows the URL. */
int smtp_url_check(const char *url, struct err *e);

/* Once per worker. done is called by threads when smtp_take has something.
 * -1 and e. */
int smtp_start(const struct smtp_settings *, void (*done)(void), struct err *e);
/* Takes count (at most SMTP_AT_ONCE) mails; all of the last call must have come
 * back. False: there is no thread, the mails stay the caller's. */
bool smtp_send(struct smtp_mail *mails, unsigned count);
struct smtp_mail *smtp_take(void); /* the next that is done; NULL: none */
/* Ends the threads; what it was sending is broken off. */
void smtp_stop(void);

#endif
