/* url.h - path segments and query parameters, percent-decoded. Pure: knows
 * neither Kore nor flows.
 *
 * Text:     decoded text is valid UTF-8 without NUL; anything else is refused.
 */
#ifndef OPEN_WEB_URL_H
#define OPEN_WEB_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

/* NULL: a bad escape, a NUL or invalid UTF-8 (or out of memory). plus: '+' is
 * a space, as in query strings. */
char *url_decode(struct mem *, const char *text, size_t len, bool plus);

/* Calls each(ctx, name, value) for each name=value of a query string, in order;
 * a name without '=' has the value "". False: a bad escape. */
bool url_query(struct mem *, const char *query,
    void (*each)(void *ctx, const char *name, const char *value), void *ctx);

#endif
