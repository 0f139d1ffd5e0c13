/* module.c - what the accounts' routes share; each file says its own.
 *
 *   sign_in.c        /api/v1/auth/sign-in  switch
 *   sign_out.c       /api/v1/auth/sign-out  sign-out-everywhere
 *   password.c       /api/v1/auth/password
 *   register.c       /api/v1/auth/register  confirm
 *   tokens.c         /api/v1/tokens  tokens/ID
 *   sessions.c       /api/v1/sessions  sessions/ID
 *   members.c        /api/v1/users  users/ID  users/me
 *   invitations.c    /api/v1/invitations  invitations/ID  invitations/accept
 *   organizations.c  /api/v1/organizations  organizations/ID
 */
#include <string.h>

#include "auth/auth.h"
#include "web/forms.h"
#include "web/resource_flow.h"

#define NAME_MAX 200

bool
auth_name_is_valid(struct flow *f, const char *name)
{
	size_t characters = 0;

	for (; name != NULL && *name != '\0'; name++)
		characters += ((unsigned char)*name & 0xc0) != 0x80;
	if (characters <= NAME_MAX)
		return true;
	flow_fail_at(f, 422, "invalid_name", "/data/attributes/name", NULL,
	    "A name has at most %d characters.", NAME_MAX);
	return false;
}

void
auth_organization_constraints(struct flow *f)
{
	flow_constraint(f, "organizations_name_key", 409, "name_taken",
	    "There is an organization of this name already.");
	flow_constraint(f, "organizations_name_check", 422, "invalid_name",
	    "A name has 1 to 200 characters.");
}

bool
auth_body(struct flow *f, const struct resource *r, const struct uuid *id,
    struct resource_body *body)
{
	const struct json *root;
	struct faults faults;

	if (!resource_check(f, r) || (root = flow_json(f)) == NULL)
		return false;
	faults_create(&faults, flow_mem(f), 10);
	if (resource_body_read(root, r, id, &faults, body) == 0)
		return true;
	flow_fail_faults(f, body->status, &faults, "");
	return false;
}

bool
auth_role(struct flow *f, const struct resource_body *body, const char **role)
{
	*role = form_text(body, "role", NULL);
	if (*role == NULL || strcmp(*role, "user") == 0 ||
	    strcmp(*role, "admin") == 0)
		return true;
	flow_fail_at(f, 422, "invalid_value", "/data/attributes/role", NULL,
	    "A role is user or admin.");
	return false;
}

bool
auth_id(struct flow *f, const struct resource *r, struct uuid *id)
{
	if (flow_segment_uuid(f, 3, id))
		return true;
	flow_fail(
	    f, 404, r->not_found, "There is no such resource: %s.", r->type);
	return false;
}
