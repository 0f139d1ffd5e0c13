/* resources_people.c - the tables of people and their organizations. Columns
 * stand in sql/_NAME.sql, in any order.
 */
#include "web/resource.h"

#include "resource_tables.h"
#include "web_sql.h"

static const char *const roles[] = {"user", "admin", NULL};
static const char *const invitation_states[] = {
    "pending", "accepted", "expired", NULL};
static const struct action no_actions[] = {ACTIONS_END};

/* --- organizations -------------------------------------------------------- */

static const struct field organization_fields[] = {
    {"name", FIELD_TEXT, COL_ORGANIZATION_NAME, FIELD_UPDATE | FIELD_SOLID,
	NULL, "Its name, 1 to 200 characters."},
    {"slug", FIELD_TEXT, COL_ORGANIZATION_SLUG, FIELD_SOLID, NULL,
	"Its short name: what openctl takes."},
    {"inserted_at", FIELD_TIME, COL_ORGANIZATION_INSERTED_AT, FIELD_SOLID, NULL,
	"When it was created."},
    {"settings", FIELD_JSON, COL_ORGANIZATION_SETTINGS,
	FIELD_UPDATE | FIELD_SOLID, NULL,
	"What it may do (allow_commands, allow_private_addresses), how long "
	"history is kept (retention_days), what may run at once "
	"(max_executions, max_nodes, pools). Those that are given change; null "
	"takes one away."},
    {"compute_quota", FIELD_INTEGER, COL_ORGANIZATION_COMPUTE_QUOTA,
	FIELD_UPDATE | FIELD_NULLABLE, NULL,
	"Hours of CPU time a month; null: no limit."},
    {"storage_quota", FIELD_INTEGER, COL_ORGANIZATION_STORAGE_QUOTA,
	FIELD_UPDATE | FIELD_NULLABLE, NULL,
	"GB (10^9 bytes) of definitions and history; null: no limit."},
    {"compute_used_ms", FIELD_NUMBER, COL_ORGANIZATION_COMPUTE_USED_MS,
	FIELD_SOLID, NULL,
	"Milliseconds of CPU time of executions that were created this month "
	"and have ended."},
    {"storage_used_bytes", FIELD_INTEGER, COL_ORGANIZATION_STORAGE_USED_BYTES,
	FIELD_SOLID | FIELD_BIG, NULL,
	"Bytes of definitions, plans, contexts, results, errors and logs."},
    {"month_executions", FIELD_INTEGER, COL_ORGANIZATION_MONTH_EXECUTIONS,
	FIELD_SOLID | FIELD_BIG, NULL,
	"Executions that were created this month and have ended."},
    {"total_executions", FIELD_INTEGER, COL_ORGANIZATION_TOTAL_EXECUTIONS,
	FIELD_SOLID | FIELD_BIG, NULL, "Executions that have ended."},
    FIELDS_END,
};

static const struct relation organization_relations[] = {
    {"users", "users", -1, "/api/v1/organizations/%s/users", NULL, NULL,
	"Its members."},
    RELATIONS_END,
};
static const struct filter organization_filters[] = {FILTERS_END};

const struct resource resource_organizations = {
    .type = "organizations",
    .path = "/api/v1/organizations",
    .title = "Organization",
    .description = "Its limits and what it has used. Members see their own, "
		   "admins change it.",
    .operations = RESOURCE_GET | RESOURCE_LIST | RESOURCE_UPDATE,
    .fields = organization_fields,
    .relations = organization_relations,
    .filters = organization_filters,
    .actions = no_actions,
    .column_count = COL_ORGANIZATION_COUNT,
    .get = &SQL_ORGANIZATIONS_GET,
    .list = SQL_ORGANIZATIONS_LIST,
    .sort = "name",
    .not_found = "organization_not_found",
};

/* --- users ---------------------------------------------------------------- */

#define USER_FIELDS(role_flags, name_flags)                                    \
	{"name", FIELD_TEXT, COL_USER_NAME, name_flags, NULL,                  \
	    "What they are called."},                                          \
	    {"email", FIELD_TEXT, COL_USER_EMAIL, FIELD_SOLID, NULL,           \
		"Their address; null for others than admins and themselves."}, \
	    {"role", FIELD_ENUM, COL_USER_ROLE, role_flags, roles,             \
		"What they may do in the organization."},                      \
	    {"active", FIELD_BOOLEAN, COL_USER_ACTIVE, role_flags, NULL,       \
		"False: they can't act in the organization."},                 \
	    {"last_sign_in", FIELD_TIME, COL_USER_LAST_SIGN_IN, 0, NULL,       \
		"When they last signed in; null for others than admins and "   \
		"themselves."},                                                \
	    {"inserted_at", FIELD_TIME, COL_USER_INSERTED_AT, FIELD_SOLID,     \
		NULL, "When the account was created."},                        \
	    {"joined_at", FIELD_TIME, COL_USER_JOINED_AT, FIELD_SOLID, NULL,   \
		"When they became a member of the organization."},             \
	    FIELDS_END

static const struct field user_fields[] = {
    USER_FIELDS(FIELD_UPDATE | FIELD_SOLID, FIELD_SOLID)};
static const struct field profile_fields[] = {
    USER_FIELDS(FIELD_SOLID, FIELD_UPDATE | FIELD_SOLID)};

static const struct relation user_relations[] = {
    {"organization", "organizations", COL_USER_ORGANIZATION_ID, NULL,
	&resource_organizations, NULL,
	"The organization that they are seen in."},
    {"dags", "dags", -1, "/api/v1/users/%s/dags", NULL, NULL,
	"The DAGs that they created."},
    RELATIONS_END,
};

static const struct filter user_filters[] = {
    {"role", FIELD_ENUM, roles, false, "user or admin."},
    {"active", FIELD_BOOLEAN, NULL, false, "Whether they can act."},
    {"email", FIELD_TEXT, NULL, false,
	"The whole address, where one may see it."},
    {"organization", FIELD_UUID, NULL, false, "Id of the organization."},
    FILTERS_END,
};

const struct resource resource_users = {
    .type = "users",
    .path = "/api/v1/users",
    .title = "User",
    .description = "A member of the organization. Admins change his role and "
		   "end his membership (DELETE); one always remains. The "
		   "account is his own: /api/v1/users/me.",
    .operations =
	RESOURCE_GET | RESOURCE_LIST | RESOURCE_UPDATE | RESOURCE_DELETE,
    .fields = user_fields,
    .relations = user_relations,
    .filters = user_filters,
    .actions = no_actions,
    .column_count = COL_USER_COUNT,
    .get = &SQL_USERS_GET,
    .list = SQL_USERS_LIST,
    .sort = "name",
    .not_found = "user_not_found",
};

static const struct filter no_filters[] = {FILTERS_END};

const struct resource resource_profile = {
    .type = "users",
    .path = "/api/v1/users/me",
    .title = "Profile",
    .description = "Oneself.",
    .operations = RESOURCE_GET | RESOURCE_UPDATE,
    .fields = profile_fields,
    .relations = user_relations,
    .filters = no_filters,
    .actions = no_actions,
    .column_count = COL_USER_COUNT,
    .get = &SQL_USERS_GET,
    .not_found = "user_not_found",
};

/* --- invitations ---------------------------------------------------------- */

static const struct field invitation_fields[] = {
    {"email", FIELD_TEXT, COL_INVITATION_EMAIL, FIELD_CREATE | FIELD_REQUIRED,
	NULL, "The address that the invitation is mailed to."},
    {"role", FIELD_ENUM, COL_INVITATION_ROLE, FIELD_CREATE, roles,
	"What he may do who accepts; without it user."},
    {"status", FIELD_ENUM, COL_INVITATION_STATUS, 0, invitation_states,
	"Whether it was accepted, or can be."},
    {"expires_at", FIELD_TIME, COL_INVITATION_EXPIRES_AT, 0, NULL,
	"Until when it can be accepted: 7 days."},
    {"accepted_at", FIELD_TIME, COL_INVITATION_ACCEPTED_AT, 0, NULL,
	"When it was accepted."},
    {"inserted_at", FIELD_TIME, COL_INVITATION_INSERTED_AT, 0, NULL,
	"When it was made."},
    FIELDS_END,
};

static const struct relation invitation_relations[] = {
    {"organization", "organizations", COL_INVITATION_ORGANIZATION_ID, NULL,
	&resource_organizations, NULL, "What it invites to."},
    {"invited-by", "users", COL_INVITATION_INVITED_BY, NULL, &resource_users,
	NULL, "Who made it."},
    RELATIONS_END,
};

static const struct filter invitation_filters[] = {
    {"email", FIELD_TEXT, NULL, false, "The whole address."},
    FILTERS_END,
};

const struct resource resource_invitations = {
    .type = "invitations",
    .path = "/api/v1/invitations",
    .title = "Invitation",
    .description = "An invitation into the organization, by mail. Who is "
		   "invited again gets another mail; the first one counts no "
		   "more. Only for admins.",
    .operations =
	RESOURCE_CREATE | RESOURCE_GET | RESOURCE_LIST | RESOURCE_DELETE,
    .fields = invitation_fields,
    .relations = invitation_relations,
    .filters = invitation_filters,
    .actions = no_actions,
    .column_count = COL_INVITATION_COUNT,
    .get = &SQL_INVITATIONS_GET,
    .list = SQL_INVITATIONS_LIST,
    .sort = "-inserted_at",
    .not_found = "invitation_not_found",
};
