/* live_client.h - whoever holds a connection on which answers follow: its
 * credentials, and that they still count.
 *
 * Checked:  when it begins, when any credential, user or membership changes
 *           (NOTIFY open_tokens), when its own expires, and now and then.
 * Owner:    graphql_ws.c, graphql_sse.c; embedded in theirs.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_LIVE_CLIENT_H
#define OPEN_WEB_LIVE_CLIENT_H

#include "web/call.h"

struct live_client {
	struct call_origin origin; /* texts are its own */
	char *texts;
	struct call *check; /* under way */
	bool again;	    /* something changed meanwhile */
	bool listed;
	int64_t checked_ns;
	/* It counts, or it does not (then the client ends, and must call
	 * live_client_end). NULL body: the server can't tell now. */
	void (*checked)(struct live_client *, bool counts);
	struct live_client *next, **at;
};

/* From the headers of a request; of the cookie only what may be used. False:
 * out of memory. */
bool live_client_begin(struct live_client *, struct flow *,
    void (*checked)(struct live_client *, bool counts));
/* Another value of the header Authorization. False: out of memory. */
bool live_client_authorize(struct live_client *, const char *value, size_t len);
/* Asks who it is; `checked` follows. False: out of memory. */
bool live_client_check(struct live_client *);
void live_client_end(struct live_client *);

void live_client_start(void); /* once per worker, before database_start */

#endif
