/* mail_template.h - the texts of mails: a subject and a body with named
 * placeholders.
 *
 * Format:   first line "Subject: TEXT", an empty line, the body; UTF-8.
 *           "{{name}}" (a-z, 0-9, _) stands for a value. There is no way to
 *           write "{{" itself.
 * Values:   come from strangers: a control character or line break becomes a
 *           space, bytes that are not UTF-8 a "?", and what is beyond
 *           MAIL_VALUE_MAX bytes is left out. So a value stays in its line.
 * Pure:     no files, no Kore; a test may make every allocation fail.
 */
#ifndef OPEN_WEB_MAIL_TEMPLATE_H
#define OPEN_WEB_MAIL_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#define MAIL_VALUE_MAX	 512
#define MAIL_SUBJECT_MAX 200 /* bytes, rendered */

struct mail_template {
	const char *subject, *body; /* NUL-terminated */
};

struct mail_value {
	const char *name, *value;
};

/* Copies into m. -1 and e ("invalid_template" with a line, "out_of_memory"). */
int mail_template_parse(struct mem *m, const char *text, size_t len,
    struct mail_template *, struct err *e);

/* Appends text with its placeholders filled. -1 and e: there is no value for
 * one ("missing_value"), or "out_of_memory". */
int mail_template_render(const char *text, const struct mail_value *values,
    size_t count, struct buf *out, struct err *e);

#endif
