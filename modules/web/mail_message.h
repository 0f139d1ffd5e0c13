/* mail_message.h - a mail as it goes over the wire (RFC 5322, MIME).
 *
 * Headers:  From, To, Subject (RFC 2047 where it is not ASCII), Date,
 *           Message-ID, MIME-Version, Content-Type, Content-Transfer-Encoding
 *           (quoted-printable, RFC 2045), Auto-Submitted (RFC 3834).
 * Injection: addresses are checked, the subject's control characters were
 *           spaces before, and the body is encoded: no value begins a line of
 *           the headers.
 * Pure:     a test may make every allocation fail.
 */
#ifndef OPEN_WEB_MAIL_MESSAGE_H
#define OPEN_WEB_MAIL_MESSAGE_H

#include <stdbool.h>

#include "base/buf.h"

#define MAIL_ADDRESS_MAX 254

/* Whether it may stand between < and > of a mail: LOCAL@DOMAIN, printable
 * ASCII without spaces, quotes, commas, angle brackets and the like. */
bool mail_address_valid(const char *address);

/* "Name <local@domain>" or a bare address: copies the address to out
 * (MAIL_ADDRESS_MAX + 1 bytes). False: neither, or the name is not plain
 * text. */
bool mail_from_parse(const char *from, char *out);

struct mail_message {
	const char *from;      /* as mail_from_parse takes it */
	const char *recipient; /* mail_address_valid */
	const char *subject, *body;
	const char *id; /* left side of the Message-ID */
	int64_t at_us;	/* when it is sent: microseconds since 1970 */
};

/* The whole message, CRLF at the end of each line. Fails as buf does. */
void mail_message_write(const struct mail_message *, struct buf *out);

#endif
