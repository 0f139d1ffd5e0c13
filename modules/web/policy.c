/* policy.c - the tables of policy.h.
 */
#include "web/policy.h"

#include <string.h>

static const struct policy policies[POLICY_COUNT] = {
    [POLICY_PUBLIC] = {"public", WHO_ANYONE, 0,
	"Health, metrics and the description of the API."},
    [POLICY_UNKNOWN] = {"unknown", WHO_SIGNED_IN, 0,
	"A path or method that does not exist."},
    [POLICY_OP_READ] = {"op.read", WHO_SIGNED_IN, SCOPE_READ,
	"See what ops the server knows."},
    [POLICY_DAG_READ] = {"dag.read", WHO_MEMBER, SCOPE_READ,
	"See the organization's DAGs and their versions."},
    [POLICY_DAG_CREATE] = {"dag.create", WHO_MEMBER, SCOPE_WRITE,
	"Create a DAG."},
    [POLICY_DAG_UPDATE] = {"dag.update", WHO_CREATOR, SCOPE_WRITE,
	"Change a DAG's name, description or definition."},
    [POLICY_DAG_ACTIVATE] = {"dag.activate", WHO_CREATOR, SCOPE_WRITE,
	"Make a version the one that executions run."},
    [POLICY_DAG_ARCHIVE] = {"dag.archive", WHO_CREATOR, SCOPE_WRITE,
	"Put a DAG aside."},
    [POLICY_DAG_DELETE] = {"dag.delete", WHO_CREATOR, SCOPE_WRITE,
	"Delete a DAG."},
    [POLICY_EXECUTION_READ] = {"execution.read", WHO_MEMBER, SCOPE_READ,
	"See the organization's executions, their nodes and signals."},
    [POLICY_EXECUTION_START] = {"execution.start", WHO_MEMBER, SCOPE_EXECUTE,
	"Start an active DAG."},
    [POLICY_EXECUTION_CANCEL] = {"execution.cancel", WHO_CREATOR, SCOPE_EXECUTE,
	"Cancel an execution."},
    [POLICY_EXECUTION_PAUSE] = {"execution.pause", WHO_CREATOR, SCOPE_EXECUTE,
	"Pause an execution."},
    [POLICY_EXECUTION_RESUME] = {"execution.resume", WHO_CREATOR, SCOPE_EXECUTE,
	"Let a paused execution go on."},
    [POLICY_EXECUTION_RERUN] = {"execution.rerun", WHO_CREATOR, SCOPE_EXECUTE,
	"Run an ended execution again."},
    [POLICY_EXECUTION_SIGNAL] = {"execution.signal", WHO_CREATOR, SCOPE_EXECUTE,
	"Send a signal to an execution."},
    [POLICY_SECRET_READ] = {"secret.read", WHO_ADMIN, SCOPE_ADMIN,
	"See the names of secrets; nobody sees values."},
    [POLICY_SECRET_CREATE] = {"secret.create", WHO_ADMIN, SCOPE_ADMIN,
	"Create a secret."},
    [POLICY_SECRET_UPDATE] = {"secret.update", WHO_ADMIN, SCOPE_ADMIN,
	"Replace a secret's value."},
    [POLICY_SECRET_DELETE] = {"secret.delete", WHO_ADMIN, SCOPE_ADMIN,
	"Delete a secret."},
    [POLICY_OPERATION_READ] = {"operation.read", WHO_MEMBER, SCOPE_READ,
	"See the registered operations of GraphQL."},
    [POLICY_OPERATION_CREATE] = {"operation.create", WHO_ADMIN, SCOPE_ADMIN,
	"Register an operation of GraphQL."},
    [POLICY_OPERATION_DELETE] = {"operation.delete", WHO_ADMIN, SCOPE_ADMIN,
	"Remove a registered operation of GraphQL."},
    [POLICY_ORGANIZATION_READ] = {"organization.read", WHO_MEMBER, SCOPE_READ,
	"See the organization, its settings, quotas and usage."},
    [POLICY_ORGANIZATION_UPDATE] = {"organization.update", WHO_ADMIN,
	SCOPE_ADMIN, "Change the organization's name and settings."},
    [POLICY_USER_READ] = {"user.read", WHO_MEMBER, SCOPE_READ,
	"See who belongs to the organization; addresses only for admins."},
    [POLICY_USER_UPDATE] = {"user.update", WHO_ADMIN, SCOPE_ADMIN,
	"Change a member's role."},
    [POLICY_USER_REMOVE] = {"user.delete", WHO_ADMIN, SCOPE_ADMIN,
	"Remove a member from the organization."},
    [POLICY_PROFILE_READ] = {"profile.read", WHO_SIGNED_IN, SCOPE_READ,
	"See oneself."},
    [POLICY_PROFILE_UPDATE] = {"profile.update", WHO_SIGNED_IN, SCOPE_ADMIN,
	"Change one's own profile."},
    [POLICY_PASSWORD_CHANGE] = {"password.change", WHO_SIGNED_IN, SCOPE_ADMIN,
	"Change one's own password."},
    [POLICY_INVITATION_READ] = {"invitation.read", WHO_ADMIN, SCOPE_ADMIN,
	"See who was invited."},
    [POLICY_INVITATION_CREATE] = {"invitation.create", WHO_ADMIN, SCOPE_ADMIN,
	"Invite somebody into the organization."},
    [POLICY_INVITATION_DELETE] = {"invitation.delete", WHO_ADMIN, SCOPE_ADMIN,
	"Take an invitation back."},
    [POLICY_SESSION_CREATE] = {"session.create", WHO_ANYONE, 0, "Sign in."},
    [POLICY_SESSION_READ] = {"session.read", WHO_SIGNED_IN, SCOPE_ADMIN,
	"See one's own sessions."},
    [POLICY_SESSION_SWITCH] = {"session.switch", WHO_SIGNED_IN, 0,
	"Act in another of one's own organizations."},
    [POLICY_SIGN_OUT] = {"session.end", WHO_SIGNED_IN, 0, "Sign out."},
    [POLICY_SESSION_DELETE] = {"session.delete", WHO_SIGNED_IN, SCOPE_ADMIN,
	"End one's own sessions."},
    [POLICY_TOKEN_READ] = {"token.read", WHO_SIGNED_IN, SCOPE_ADMIN,
	"See one's own API tokens."},
    [POLICY_TOKEN_CREATE] = {"token.create", WHO_SIGNED_IN, SCOPE_ADMIN,
	"Make an API token."},
    [POLICY_TOKEN_DELETE] = {"token.delete", WHO_SIGNED_IN, SCOPE_ADMIN,
	"Revoke an API token."},
    [POLICY_REGISTER] = {"user.register", WHO_ANYONE, 0,
	"Register, where the server allows it, or by invitation."},
    [POLICY_CONFIRM] = {"user.confirm", WHO_ANYONE, 0,
	"Confirm an address with a token that was mailed."},
    [POLICY_PASSWORD_RESET] = {"password.reset", WHO_ANYONE, 0,
	"Ask for a password reset, or use the token that was mailed."},
    [POLICY_AUDIT_READ] = {"audit.read", WHO_ADMIN, SCOPE_ADMIN,
	"See the audit log."},
    [POLICY_GRAPHQL] = {"graphql", WHO_SIGNED_IN, 0,
	"Ask GraphQL: each field asks for what its REST route does."},
};

/* "@" stands for the table's alias. Rows of what is not here are not shown. */
static const struct {
	const char *type, *condition;
} row_rules[] = {
    {"dags", "@.organization_id = (select open.actor_organization()) and "
	     "@.deleted_at is null"},
    {"dag-versions",
	"@.organization_id = (select open.actor_organization()) and exists "
	"(select from open.dags of_dag where of_dag.id = @.dag_id and "
	"of_dag.deleted_at is null)"},
    {"executions", "@.organization_id = (select open.actor_organization())"},
    {"node-executions",
	"@.organization_id = (select open.actor_organization())"},
    {"elements", "@.organization_id = (select open.actor_organization())"},
    {"signals", "@.organization_id = (select open.actor_organization())"},
    {"organizations", "@.id = (select open.actor_organization())"},
    {"users",
	"exists (select from open.memberships of_user where of_user.user_id = "
	"@.id and of_user.organization_id = (select "
	"open.actor_organization()))"},
    {"invitations",
	"@.organization_id = (select open.actor_organization()) and (select "
	"open.actor_is_admin())"},
    {"secrets",
	"@.organization_id = (select open.actor_organization()) and (select "
	"open.actor_is_admin())"},
    {"tokens",
	"@.organization_id = (select open.actor_organization()) and "
	"@.revoked_at is null and (@.user_id = (select open.actor_user()) or "
	"(select open.actor_is_admin()))"},
    {"sessions",
	"@.organization_id = (select open.actor_organization()) and "
	"@.user_id = (select open.actor_user()) and @.revoked_at is null and "
	"@.expires_at > now()"},
    {"invitations",
	"@.organization_id = (select open.actor_organization()) and (select "
	"open.actor_is_admin())"},
    {"graphql-operations",
	"@.organization_id = (select open.actor_organization())"},
    {"audit-log",
	"@.organization_id = (select open.actor_organization()) and (select "
	"open.actor_is_admin())"},
};

static const struct {
	const char *type, *field, *condition;
} field_rules[] = {
    {"users", "email",
	"((select open.actor_is_admin()) or @.id = (select "
	"open.actor_user()))"},
    {"users", "last_sign_in",
	"((select open.actor_is_admin()) or @.id = (select "
	"open.actor_user()))"},
    {"users", "confirmed_at",
	"((select open.actor_is_admin()) or @.id = (select "
	"open.actor_user()))"},
};

const struct policy *
policy_get(enum policy_action action)
{
	if (action <= POLICY_NONE || action >= POLICY_COUNT ||
	    policies[action].name == NULL)
		return NULL;
	return &policies[action];
}

enum policy_verdict
policy_judge(const struct policy *p, bool admin, unsigned scopes)
{
	if ((scopes & p->scope) != p->scope)
		return POLICY_SCOPE;
	if (p->who == WHO_ADMIN && !admin)
		return POLICY_ROLE;
	return POLICY_ALLOWED;
}

static void
put_condition(struct buf *b, const char *condition, const char *alias)
{
	for (; *condition != '\0'; condition++)
		if (*condition == '@')
			buf_puts(b, alias);
		else
			buf_putc(b, *condition);
}

bool
policy_rows(struct buf *b, const char *type, const char *alias)
{
	size_t i;

	for (i = 0; i < sizeof(row_rules) / sizeof(row_rules[0]); i++)
		if (strcmp(row_rules[i].type, type) == 0) {
			put_condition(b, row_rules[i].condition, alias);
			return true;
		}
	return false;
}

bool
policy_field(
    struct buf *b, const char *type, const char *field, const char *alias)
{
	size_t i;

	for (i = 0; i < sizeof(field_rules) / sizeof(field_rules[0]); i++)
		if (strcmp(field_rules[i].type, type) == 0 &&
		    strcmp(field_rules[i].field, field) == 0) {
			put_condition(b, field_rules[i].condition, alias);
			return true;
		}
	return false;
}
