/* mail_text.h - what a mail of the outbox says: its template (assets/mail),
 * filled, as a message.
 *
 * Owner:    the parent reads the templates once, before the fork; workers only
 *           read them.
 * Data:     a JSON object of texts. Always known besides: recipient,
 *           public_url, token, time; data can't replace them.
 */
#ifndef OPEN_WEB_MAIL_TEXT_H
#define OPEN_WEB_MAIL_TEXT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "web/config.h"

/* In the parent: reads the templates, checks mail_from and public_url. -1 and
 * e, whose message names file or setting. The settings stay the caller's. */
int mail_text_create(const struct config *, struct err *e);

/* The token that a template shows, in the order of open.mail_token. */
enum mail_token {
	MAIL_TOKEN_RESET,
	MAIL_TOKEN_CONFIRM,
	MAIL_TOKEN_INVITATION,
	MAIL_TOKENS,
	MAIL_TOKEN_NONE = MAIL_TOKENS
};
/* MAIL_TOKEN_NONE also for a template that there is not. */
enum mail_token mail_text_token(const char *template);

struct mail_text {
	struct uuid id; /* of the mail */
	const char *recipient, *template, *time;
	const char *token; /* NULL: none */
	const char *data;  /* JSON */
	size_t data_len;
};

/* The message, in out; m holds what is needed meanwhile. -1 and e: there is no
 * such template, the address is none, a value is missing, or out of memory. */
int mail_text_render(
    const struct mail_text *, struct mem *m, struct buf *out, struct err *e);

#endif
