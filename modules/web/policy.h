/* policy.h - who may do what: one table, for every API.
 *
 * Actions:  each method of a route names one (route.h), GraphQL's mutations
 *           run those routes. flow.c asks policy_refusal before the first step;
 *           what depends on a row (its creator) is in the statements, as
 *           open.actor_may (migrations).
 * Reading:  a compiled SELECT takes its rows' and its fields' conditions from
 *           policy_rows and policy_field: the same that REST's statements have.
 * Walls:    row-level security holds below all this.
 * Process:  constant; pure.
 */
#ifndef OPEN_WEB_POLICY_H
#define OPEN_WEB_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "web/credential.h"

enum policy_who {
	WHO_ANYONE,    /* without credentials */
	WHO_SIGNED_IN, /* whoever holds a credential */
	WHO_MEMBER,    /* of the organization that the credential acts in */
	WHO_CREATOR,   /* members; the statement asks open.actor_may */
	WHO_ADMIN      /* admins of the organization */
};

/* The names are those of the audit log: "dag.update". */
enum policy_action {
	POLICY_NONE, /* of a method that names no action: refused */
	POLICY_PUBLIC,
	POLICY_UNKNOWN, /* a path or method that there is not */
	POLICY_OP_READ,
	POLICY_DAG_READ,
	POLICY_DAG_CREATE,
	POLICY_DAG_UPDATE,
	POLICY_DAG_ACTIVATE,
	POLICY_DAG_ARCHIVE,
	POLICY_DAG_DELETE,
	POLICY_EXECUTION_READ,
	POLICY_EXECUTION_START,
	POLICY_EXECUTION_CANCEL,
	POLICY_EXECUTION_PAUSE,
	POLICY_EXECUTION_RESUME,
	POLICY_EXECUTION_RERUN,
	POLICY_EXECUTION_SIGNAL,
	POLICY_SECRET_READ,
	POLICY_SECRET_CREATE,
	POLICY_SECRET_UPDATE,
	POLICY_SECRET_DELETE,
	POLICY_OPERATION_READ,
	POLICY_OPERATION_CREATE,
	POLICY_OPERATION_DELETE,
	POLICY_ORGANIZATION_READ,
	POLICY_ORGANIZATION_UPDATE,
	POLICY_USER_READ,
	POLICY_USER_UPDATE,
	POLICY_USER_REMOVE,
	POLICY_PROFILE_READ,
	POLICY_PROFILE_UPDATE,
	POLICY_PASSWORD_CHANGE,
	POLICY_INVITATION_READ,
	POLICY_INVITATION_CREATE,
	POLICY_INVITATION_DELETE,
	POLICY_SESSION_CREATE,
	POLICY_SESSION_SWITCH,
	POLICY_SIGN_OUT,
	POLICY_SESSION_READ,
	POLICY_SESSION_DELETE,
	POLICY_TOKEN_READ,
	POLICY_TOKEN_CREATE,
	POLICY_TOKEN_DELETE,
	POLICY_REGISTER,
	POLICY_CONFIRM,
	POLICY_PASSWORD_RESET,
	POLICY_AUDIT_READ,
	POLICY_GRAPHQL,
	POLICY_COUNT
};

struct policy {
	const char *name; /* "dag.update" */
	enum policy_who who;
	unsigned scope; /* one enum credential_scope; 0: any credential */
	const char *description;
};

/* Of every action but POLICY_NONE; NULL: there is no such. */
const struct policy *policy_get(enum policy_action);

/* Whether somebody may try: what is wrong, as code of a 403, or NULL. */
enum policy_verdict {
	POLICY_ALLOWED,
	POLICY_SCOPE, /* the credential's scopes don't reach */
	POLICY_ROLE   /* only for admins */
};
enum policy_verdict policy_judge(
    const struct policy *, bool admin, unsigned scopes);

/* --- what may be read ------------------------------------------------------ */

/* The condition under which a row of a resource's table exists for the actor
 * (SQL; open.actor_*() tell who acts), with the table's alias put in; false:
 * the type is not known, which means that nothing of it may be shown. */
bool policy_rows(struct buf *, const char *type, const char *alias);
/* The same for a field: appends the condition and returns true where not
 * everybody who sees the row sees the field; it reads as null where the condition
 * does not hold. Who filters, sorts, groups or counts by the field must do so by
 * `case when CONDITION then FIELD end`, or it could be learned. Names as REST's
 * (snake_case). */
bool policy_field(
    struct buf *, const char *type, const char *field, const char *alias);

#endif
