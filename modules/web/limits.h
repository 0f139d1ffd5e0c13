/* limits.h - what organizations may use: see exec/tenants.h for what it means.
 */
#ifndef OPEN_WEB_LIMITS_H
#define OPEN_WEB_LIMITS_H

#include "exec/tenants.h"
#include "web/flow.h"

#define LIMIT_MAX 1000000000

/* An organization's settings max_executions, max_nodes and pools; what is none
 * of those or no number from 1 on is left out. exceeded: enum tenant_quota. */
void limits_read(
    const struct json *settings, unsigned exceeded, struct tenant_limits *out);
/* Before a start: the executor knows the limits of the actor's organization
 * from now on. Which quotas it has used up. */
unsigned limits_tell(const struct actor *);
/* Settings that were just read: they hold from now on, whatever was known. */
void limits_learn(const struct uuid *organization, const struct json *settings);
/* Each worker, after its connections were asked for. */
void limits_start(void);

/* session.c: what it keeps of the organization is asked for again. */
void session_forget(const struct uuid *organization);

#endif
