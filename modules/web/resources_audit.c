/* resources_audit.c - the audit log as a resource of the API. */
#include "web/resource.h"

#include "web_sql.h"

static const struct field audit_fields[] = {
    {"at", FIELD_TIME, COL_AUDIT_ENTRY_AT, FIELD_BY_ID, NULL,
	"When it was done or refused."},
    {"action", FIELD_TEXT, COL_AUDIT_ENTRY_ACTION, 0, NULL,
	"What: \"dag.update\", \"session.create\", \"execution.cancel\" …; "
	"\"many\": more attempts than are kept one by one."},
    {"outcome", FIELD_TEXT, COL_AUDIT_ENTRY_OUTCOME, 0, NULL,
	"\"done\", or the code of the error that refused it."},
    {"subject_type", FIELD_TEXT, COL_AUDIT_ENTRY_SUBJECT_TYPE, 0, NULL,
	"What it was done to: \"dag\", \"execution\", \"secret\" …"},
    {"subject_id", FIELD_UUID, COL_AUDIT_ENTRY_SUBJECT_ID, 0, NULL,
	"Its id; of a membership the user's."},
    {"role", FIELD_TEXT, COL_AUDIT_ENTRY_ROLE, 0, NULL,
	"As what: user, admin, openctl. Null: nobody who was signed in, or, "
	"for a start, a user."},
    {"address", FIELD_TEXT, COL_AUDIT_ENTRY_ADDRESS, 0, NULL, "From where."},
    {"detail", FIELD_JSON, COL_AUDIT_ENTRY_DETAIL, 0, NULL,
	"What changed: a field's name with its values before and after, or, "
	"of something new or deleted, its value; `count` of attempts that "
	"were repeated."},
    {"user_id", FIELD_UUID, COL_AUDIT_ENTRY_USER_ID, 0, NULL, "Who."},
    {"credential_id", FIELD_UUID, COL_AUDIT_ENTRY_CREDENTIAL_ID, 0, NULL,
	"With which session or API token."},
    {NULL, 0, 0, 0, NULL, NULL},
};

static const struct relation audit_relations[] = {
    {NULL, NULL, 0, NULL, NULL, NULL, NULL}};

static const struct filter audit_filters[] = {
    {"action", FIELD_TEXT, NULL, false, "The whole name of an action."},
    {"outcome", FIELD_TEXT, NULL, false, "done, or an error's code."},
    {"user", FIELD_UUID, NULL, false, "Id of who acted."},
    {"subject", FIELD_UUID, NULL, false, "Id of what it was done to."},
    {"from", FIELD_TIME, NULL, false, "Not before this time."},
    {"before", FIELD_TIME, NULL, false, "Before this time."},
    {NULL, 0, NULL, false, NULL},
};

static const struct action audit_actions[] = {{NULL, NULL, NULL, NULL}};

const struct resource resource_audit_log = {
    .type = "audit-log",
    .path = "/api/v1/audit-log",
    .title = "AuditEntry",
    .description = "Who did what to what, when, from where; also what was "
		   "refused. Only for admins.",
    .operations = RESOURCE_LIST,
    .fields = audit_fields,
    .relations = audit_relations,
    .filters = audit_filters,
    .actions = audit_actions,
    .column_count = COL_AUDIT_ENTRY_COUNT,
    .list = SQL_AUDIT_LOG_LIST,
    .sort = "-at",
    .not_found = "audit_entry_not_found",
};
