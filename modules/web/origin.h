/* origin.h - where a browser's request comes from: CSRF and CORS.
 *
 * Cookies:  a browser sends them whoever made it send the request, so a request
 *           that changes something must come from a page of this server or of
 *           an origin in the setting `origins` (OWASP, "Verifying origin with
 *           standard headers").
 * CORS:     pages of those origins may read answers (Fetch standard, 3.2);
 *           without the setting none may. "*": all may, but without cookies.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_ORIGIN_H
#define OPEN_WEB_ORIGIN_H

#include "web/flow.h"

/* Whether a request that is authenticated by cookie may be handled: one that
 * only reads (and opens no WebSocket), or comes from a page that may. */
bool origin_check(struct flow *);
/* Adds what the page that asks must be told. */
void origin_headers(struct flow *);
/* FLOW_NEXT, or the answer to a preflight. */
enum flow_next origin_preflight(struct flow *);

#endif
