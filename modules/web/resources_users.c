/* resources_users.c - the table of people; what resources.c says counts here.
 */
#include "web/resource.h"

#include "web_sql.h"

static const char *const roles[] = {"user", "admin", NULL};

static const struct field user_fields[] = {
    {"email", FIELD_TEXT, COL_USER_EMAIL, FIELD_SOLID, NULL,
	"Address; shown to its owner and to admins."},
    {"name", FIELD_TEXT, COL_USER_NAME, FIELD_SOLID, NULL, "As they like."},
    {"role", FIELD_ENUM, COL_USER_ROLE, FIELD_SOLID, roles,
	"In the organization that the credentials act in."},
    {"last_sign_in", FIELD_TIME, COL_USER_LAST_SIGN_IN, 0, NULL,
	"When they last signed in; shown to its owner and to admins."},
    {"active", FIELD_BOOLEAN, COL_USER_ACTIVE, FIELD_SOLID, NULL,
	"False: they can't act in the organization."},
    {"inserted_at", FIELD_TIME, COL_USER_INSERTED_AT, FIELD_SOLID, NULL,
	"When the account was created."},
    {"joined_at", FIELD_TIME, COL_USER_JOINED_AT, FIELD_SOLID, NULL,
	"When they became a member of the organization."},
    {NULL, 0, 0, 0, NULL, NULL},
};

static const struct relation user_relations[] = {
    {"organization", "organizations", COL_USER_ORGANIZATION_ID, NULL,
	&resource_organizations, NULL,
	"The organization that the credentials act in."},
    {NULL, NULL, 0, NULL, NULL, NULL, NULL},
};

static const struct filter user_filters[] = {{NULL, 0, NULL, false, NULL}};
static const struct action user_actions[] = {{NULL, NULL, NULL, NULL}};

const struct resource resource_users = {
    .type = "users",
    .path = "/api/v1/users",
    .title = "User",
    .description = "A person who is a member of the organization.",
    .fields = user_fields,
    .relations = user_relations,
    .filters = user_filters,
    .actions = user_actions,
    .column_count = COL_USER_COUNT,
    .sort = "name",
    .not_found = "user_not_found",
};
