/* actor.h - who acts, as the database is told: the setting open.actor, from
 * which row-level security and the triggers of the audit log read.
 *
 * Format:   "ORGANIZATION USER ROLE CREDENTIAL ADDRESS", each possibly empty;
 *           open.actor_organization() and the others take it apart
 *           (migrations/0016_actor.sql).
 * Process:  pure.
 */
#ifndef OPEN_WEB_ACTOR_H
#define OPEN_WEB_ACTOR_H

#include "web/flow.h"

/* Three ids, the longest role, the longest address (IPv6 with a scope). */
#define ACTOR_TEXT    200
#define ACTOR_ADDRESS 64

/* actor NULL: nobody (a public route); address "": unknown. Returns out. */
const char *actor_text(
    const struct actor *, const char *address, char out[ACTOR_TEXT]);
/* Somebody of whom only the organization matters (executions of many are
 * started by one statement). Returns out. */
const char *actor_organization_text(
    const struct uuid *organization, char out[ACTOR_TEXT]);

#endif
