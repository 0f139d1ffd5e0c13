/* resources_access.c - the tables of what gives access: API tokens, sessions. */

#include <stddef.h>

#include "web/resource.h"
#include "web_sql.h"

#define FIELDS_END                                                             \
	{                                                                      \
		NULL, FIELD_TEXT, -1, 0, NULL, NULL                            \
	}
#define RELATIONS_END                                                          \
	{                                                                      \
		NULL, NULL, -1, NULL, NULL, NULL, NULL                         \
	}
#define FILTERS_END                                                            \
	{                                                                      \
		NULL, FIELD_TEXT, NULL, false, NULL                            \
	}

static const struct action no_actions[] = {{NULL, NULL, NULL, NULL}};

/* --- API tokens ----------------------------------------------------------- */

static const struct field token_fields[] = {
    {"name", FIELD_TEXT, COL_TOKEN_NAME, FIELD_CREATE, NULL,
	"What it is for, at most 200 characters."},
    {"scopes", FIELD_LIST, COL_TOKEN_SCOPES, FIELD_CREATE | FIELD_REQUIRED,
	NULL,
	"What it may be used for, some of read, execute, write, admin; never "
	"more than its user may do, nor than the credential that makes it."},
    {"prefix", FIELD_TEXT, COL_TOKEN_PREFIX, 0, NULL,
	"How it begins, to know it by."},
    {"value", FIELD_TEXT, COL_TOKEN_VALUE, FIELD_LONG, NULL,
	"The token itself: only in the answer to its creation."},
    {"inserted_at", FIELD_TIME, COL_TOKEN_INSERTED_AT, 0, NULL,
	"When it was made."},
    {"last_used_at", FIELD_TIME, COL_TOKEN_LAST_USED_AT, 0, NULL,
	"When it was last used, to the minute."},
    {"expires_at", FIELD_TIME, COL_TOKEN_EXPIRES_AT, FIELD_CREATE, NULL,
	"When it ends; without it: never."},
    FIELDS_END,
};

static const struct relation token_relations[] = {
    {"user", "users", COL_TOKEN_USER_ID, NULL, NULL, NULL,
	"Whom it speaks for."},
    RELATIONS_END,
};

static const struct filter token_filters[] = {
    {"user", FIELD_UUID, NULL, false, "Id of whom it speaks for."},
    FILTERS_END,
};

const struct resource resource_tokens = {
    .type = "tokens",
    .path = "/api/v1/tokens",
    .title = "API token",
    .description = "A credential for programs. Its user and admins see it; its "
		   "value is told once.",
    .operations =
	RESOURCE_CREATE | RESOURCE_GET | RESOURCE_LIST | RESOURCE_DELETE,
    .fields = token_fields,
    .relations = token_relations,
    .filters = token_filters,
    .actions = no_actions,
    .column_count = COL_TOKEN_COUNT,
    .get = &SQL_TOKENS_GET,
    .list = SQL_TOKENS_LIST,
    .sort = "-inserted_at",
    .not_found = "token_not_found",
};

/* --- sessions ------------------------------------------------------------- */

static const struct field session_fields[] = {
    {"address", FIELD_TEXT, COL_SESSION_ADDRESS, 0, NULL,
	"From where it was signed in."},
    {"user_agent", FIELD_TEXT, COL_SESSION_USER_AGENT, 0, NULL,
	"What the client called itself."},
    {"current", FIELD_BOOLEAN, COL_SESSION_CURRENT, 0, NULL,
	"Whether it is the one that asks."},
    {"inserted_at", FIELD_TIME, COL_SESSION_INSERTED_AT, 0, NULL,
	"When it was signed in."},
    {"last_used_at", FIELD_TIME, COL_SESSION_LAST_USED_AT, 0, NULL,
	"When it was last used, to the minute."},
    {"expires_at", FIELD_TIME, COL_SESSION_EXPIRES_AT, 0, NULL,
	"When it ends, unless it is used before."},
    FIELDS_END,
};

static const struct relation session_relations[] = {
    {"user", "users", COL_SESSION_USER_ID, NULL, NULL, NULL, "Whose it is."},
    RELATIONS_END,
};

static const struct filter no_filters[] = {FILTERS_END};

const struct resource resource_sessions = {
    .type = "sessions",
    .path = "/api/v1/sessions",
    .title = "Session",
    .description = "A sign-in of the user who asks, in the organization in "
		   "which it acts.",
    .operations = RESOURCE_GET | RESOURCE_LIST | RESOURCE_DELETE,
    .fields = session_fields,
    .relations = session_relations,
    .filters = no_filters,
    .actions = no_actions,
    .column_count = COL_SESSION_COUNT,
    .get = &SQL_SESSIONS_GET,
    .list = SQL_SESSIONS_LIST,
    .sort = "-inserted_at",
    .not_found = "session_not_found",
};
