/* receive.h - what Kore 4.1.0 reads of a request's header, set right before
 * Kore sees it; see receive.c. */
#ifndef OPEN_WEB_RECEIVE_H
#define OPEN_WEB_RECEIVE_H

#include "web/kore_api.h"

/* A bit of struct connection's flags that Kore doesn't use: the connection ends
 * with the next answer. (CONN_CLOSE_EMPTY would end it before.) */
#define CONNECTION_ENDS 0x8000

/* Answers a request of the connection. */
void receive_answer(
    struct http_request *, int status, const void *body, size_t len);

#endif
