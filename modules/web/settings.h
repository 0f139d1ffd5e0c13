/* settings.h - settings of organizations as a tree, read once per worker and
 * version, shared by all requests that act in one.
 *
 * Owner:    the worker's table and each request that got one hold it together;
 *           settings_release gives it back, the last one frees it. Read only,
 *           so a helper thread of such a request may look at it.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_SETTINGS_H
#define OPEN_WEB_SETTINGS_H

#include "dag/json.h"
#include "web/known.h"

struct settings;

/* From what is known; NULL: the text is not there any more, or no memory. */
struct settings *settings_get(struct known *, const struct known_settings *);
/* From a text that is not kept; NULL: no JSON, or no memory. */
struct settings *settings_read(const char *text, size_t len);
const struct json *settings_json(const struct settings *);
void settings_release(struct settings *); /* may be NULL */

#endif
