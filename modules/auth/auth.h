/* auth.h - what the files of this module share.
 */
#ifndef OPEN_AUTH_H
#define OPEN_AUTH_H

#include "web/flow.h"
#include "web/resource_body.h"

/* A person's name, up to 200 characters; NULL is one too. False: it has
 * answered 422. */
bool auth_name_is_valid(struct flow *, const char *name);
/* What violated constraints of an organization's name and settings mean. */
void auth_organization_constraints(struct flow *);
/* A PATCH or POST body of a resource (id NULL: POST) with the first checks of
 * resource_flow.h; false: it has answered. */
bool auth_body(struct flow *, const struct resource *, const struct uuid *id,
    struct resource_body *);
/* "user" or "admin", or what is absent; false: it has answered 422. */
bool auth_role(struct flow *, const struct resource_body *, const char **role);
/* Path segment 3 as an id; false: it has answered 404. */
bool auth_id(struct flow *, const struct resource *, struct uuid *);

#endif
