/* graphql_ws.h - GraphQL over WebSocket: the protocol graphql-transport-ws
 * (github.com/enisdenjo/graphql-ws, PROTOCOL.md).
 *
 * Credentials: the headers Authorization or Cookie (from our own pages) of the
 *           handshake, or `Authorization` in the payload of connection_init;
 *           they are checked all along, see live_client.h.
 * Closes:   4400 4401 4403 4406 4408 4409 4429 as the protocol says; 4403 also
 *           when credentials stop counting; 1013 when the client is too slow
 *           (websocket.h) or has too many operations; 1001 at the end of the
 *           server.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_GRAPHQL_WS_H
#define OPEN_WEB_GRAPHQL_WS_H

#include "web/flow.h"

/* The last step of a request that websocket_wanted: takes its connection. */
enum flow_next graphql_ws_accept(struct flow *);

void graphql_ws_start(void); /* once per worker */
/* An orderly end of the worker: all clients are told to come again. */
void graphql_ws_stop(void);

#endif
