/* session.h - sessions of people, for the steps that sign them in and out.
 *
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_SESSION_H
#define OPEN_WEB_SESSION_H

#include "web/credential.h"
#include "web/flow.h"

/* A step's last word: makes a token and asks for a session of that user, acting
 * in that organization, from the request's address and user agent. The caller
 * has verified both. token: in flow_state, for the answer only. The next step
 * finds one row: the session's id, when it ends (as PostgreSQL prints it). */
enum flow_next session_create(struct flow *, const struct uuid *user,
    const struct uuid *organization, char token[CREDENTIAL_TEXT]);
/* Before the answer: the browser keeps the token as its cookie; NULL: it
 * forgets the one that it has. */
void session_cookie(struct flow *, const char *token);
/* Revoking needs no call: sessions and API tokens that are changed in the
 * database are forgotten by every worker of every server. */

#endif
