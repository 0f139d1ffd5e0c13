/* resources.c - the tables: every resource, field, relation, filter and action
 * of the API but people's and their organizations' (resources_people.c) (long: it
 * is a table). Columns stand in sql/_NAME.sql, in any order.
 */
#include "web/resource.h"

#include <string.h>

#include "resource_tables.h"
#include "web_sql.h"

static const char *const dag_statuses[] = {"draft", "active", "archived", NULL};
static const char *const execution_statuses[] = {
    "pending", "running", "success", "failed", "cancelled", NULL};
static const char *const durabilities[] = {"sync", "batch", "memory", NULL};
static const char *const node_statuses[] = {
    "pending", "running", "success", "failed", "skipped", "cancelled", NULL};

static const struct action no_actions[] = {ACTIONS_END};

/* --- dags --------------------------------------------------------------- */

static const struct field dag_fields[] = {
    {"name", FIELD_TEXT, COL_DAG_NAME,
	FIELD_CREATE | FIELD_REQUIRED | FIELD_UPDATE | FIELD_SOLID, NULL,
	"Unique in the organization among DAGs that are not deleted; 1 to "
	"200 characters."},
    {"description", FIELD_TEXT, COL_DAG_DESCRIPTION,
	FIELD_CREATE | FIELD_UPDATE | FIELD_SOLID, NULL, "Text for people."},
    {"status", FIELD_ENUM, COL_DAG_STATUS, FIELD_SOLID, dag_statuses,
	"Only an active DAG can be started."},
    {"version", FIELD_INTEGER, COL_DAG_VERSION, FIELD_UPDATE | FIELD_SOLID,
	NULL,
	"Number of the newest version. Given to an update, it is the "
	"version that the client has seen: the update is refused when "
	"there is a newer one."},
    {"definition", FIELD_JSON, COL_DAG_DEFINITION,
	FIELD_CREATE | FIELD_REQUIRED | FIELD_UPDATE | FIELD_LONG | FIELD_SOLID,
	NULL, "The newest version's timeout, durability and nodes."},
    {"active_version", FIELD_INTEGER, COL_DAG_ACTIVE_VERSION, FIELD_LONG, NULL,
	"Number of the version that executions run."},
    {"statistics", FIELD_JSON, COL_DAG_STATISTICS, FIELD_LONG, NULL,
	"Of the executions that have ended so far, also those whose history "
	"is gone: total_executions, succeeded_executions, failed_executions, "
	"cancelled_executions, success_rate (percentage), avg_duration_ms, "
	"total_duration_ms, total_nodes, failed_nodes, last_ended_at. Null: "
	"none has ended."},
    {"inserted_at", FIELD_TIME, COL_DAG_INSERTED_AT, FIELD_SOLID, NULL,
	"When it was created."},
    {"updated_at", FIELD_TIME, COL_DAG_UPDATED_AT, FIELD_SOLID, NULL,
	"When it was last changed."},
    FIELDS_END,
};

static const struct relation dag_relations[] = {
    {"organization", "organizations", COL_DAG_ORGANIZATION_ID, NULL,
	&resource_organizations, NULL, "Whose it is."},
    {"creator", "users", COL_DAG_CREATED_BY, NULL, &resource_users, NULL,
	"Who created it."},
    {"active-version", "dag-versions", COL_DAG_ACTIVE_VERSION_ID, NULL,
	&resource_dag_versions, NULL, "The version that executions run."},
    {"versions", "dag-versions", -1, "/api/v1/dags/%s/versions", NULL, NULL,
	"All its versions."},
    {"executions", "executions", -1, "/api/v1/dags/%s/executions", NULL, NULL,
	"Its executions."},
    RELATIONS_END,
};

static const struct filter dag_filters[] = {
    {"status", FIELD_ENUM, dag_statuses, false,
	"One status or several, separated by commas."},
    {"name", FIELD_TEXT, NULL, false, "The whole name."},
    {"creator", FIELD_UUID, NULL, false, "Id of the user who made it."},
    FILTERS_END,
};

static const struct field activate_fields[] = {
    {"version", FIELD_INTEGER, 0, FIELD_UPDATE, NULL,
	"Number of the version to activate; without it the newest."},
    FIELDS_END,
};

static const struct action dag_actions[] = {
    {"activate", "Compiles a version and makes it the one that executions run.",
	activate_fields, "200"},
    {"archive", "Puts it aside: it can't be started any more.", NULL, "200"},
    ACTIONS_END,
};

const struct resource resource_dags = {
    .type = "dags",
    .path = "/api/v1/dags",
    .title = "DAG",
    .description = "A workflow: nodes and the dependencies between them.",
    .operations = RESOURCE_CREATE | RESOURCE_GET | RESOURCE_LIST |
		  RESOURCE_UPDATE | RESOURCE_DELETE | RESOURCE_YAML,
    .fields = dag_fields,
    .relations = dag_relations,
    .filters = dag_filters,
    .actions = dag_actions,
    .column_count = COL_DAG_COUNT,
    .get = &SQL_DAGS_GET,
    .list = SQL_DAGS_LIST,
    .sort = "name",
    .not_found = "dag_not_found",
};

/* --- dag-versions ------------------------------------------------------- */

static const struct field dag_version_fields[] = {
    {"number", FIELD_INTEGER, COL_DAG_VERSION_NUMBER, FIELD_SOLID, NULL,
	"Counts from 1 in each DAG."},
    {"definition", FIELD_JSON, COL_DAG_VERSION_DEFINITION,
	FIELD_LONG | FIELD_SOLID, NULL,
	"Timeout, durability and nodes, in canonical form."},
    {"definition_hash", FIELD_TEXT, COL_DAG_VERSION_DEFINITION_HASH,
	FIELD_SOLID, NULL, "SHA-256 of the canonical definition."},
    {"node_count", FIELD_INTEGER, COL_DAG_VERSION_NODE_COUNT,
	FIELD_LONG | FIELD_SOLID, NULL, "How many nodes it has."},
    {"durability", FIELD_ENUM, COL_DAG_VERSION_DURABILITY, FIELD_SOLID,
	durabilities,
	"When the end of a node is committed: sync before its successors "
	"start, batch at most 100 ms later, memory never: only the end of "
	"the execution is, which then has no node-executions."},
    {"priority", FIELD_INTEGER, COL_DAG_VERSION_PRIORITY, FIELD_SOLID, NULL,
	"What its executions have where none is given at their start."},
    {"compiled", FIELD_BOOLEAN, COL_DAG_VERSION_COMPILED, FIELD_SOLID, NULL,
	"Whether it has been activated before."},
    {"inserted_at", FIELD_TIME, COL_DAG_VERSION_INSERTED_AT, FIELD_SOLID, NULL,
	"When it was saved."},
    FIELDS_END,
};

static const struct relation dag_version_relations[] = {
    {"dag", "dags", COL_DAG_VERSION_DAG_ID, NULL, &resource_dags, NULL,
	"Whose version it is."},
    {"creator", "users", COL_DAG_VERSION_CREATED_BY, NULL, &resource_users,
	NULL, "Who saved it."},
    RELATIONS_END,
};

static const struct filter dag_version_filters[] = {
    {"dag", FIELD_UUID, NULL, true, "Id of the DAG."},
    {"number", FIELD_INTEGER, NULL, false, "The version's number."},
    FILTERS_END,
};

const struct resource resource_dag_versions = {
    .type = "dag-versions",
    .path = "/api/v1/dag-versions",
    .title = "DAG version",
    .description = "An immutable definition that a DAG has or had.",
    .operations = RESOURCE_GET | RESOURCE_LIST | RESOURCE_YAML,
    .fields = dag_version_fields,
    .relations = dag_version_relations,
    .filters = dag_version_filters,
    .actions = no_actions,
    .column_count = COL_DAG_VERSION_COUNT,
    .get = &SQL_DAG_VERSIONS_GET,
    .list = SQL_DAG_VERSIONS_LIST,
    .sort = "-number",
    .not_found = "dag_version_not_found",
};

/* --- executions --------------------------------------------------------- */

static const struct field execution_fields[] = {
    {"status", FIELD_ENUM, COL_EXECUTION_STATUS, FIELD_SOLID,
	execution_statuses, "Failed if any node failed or its time was up."},
    {"inserted_at", FIELD_TIME, COL_EXECUTION_INSERTED_AT,
	FIELD_BY_ID | FIELD_SOLID, NULL, "When it was asked for."},
    {"started_at", FIELD_TIME, COL_EXECUTION_STARTED_AT, 0, NULL,
	"When its first node could start."},
    {"completed_at", FIELD_TIME, COL_EXECUTION_COMPLETED_AT, 0, NULL,
	"When its last node had ended."},
    {"cancel_requested_at", FIELD_TIME, COL_EXECUTION_CANCEL_REQUESTED_AT, 0,
	NULL, "When someone asked to cancel it."},
    {"paused_at", FIELD_TIME, COL_EXECUTION_PAUSED_AT, 0, NULL,
	"Since when it starts no nodes; null: it is not paused."},
    {"duration_ms", FIELD_NUMBER, COL_EXECUTION_DURATION_MS, 0, NULL,
	"Milliseconds from started_at to completed_at."},
    {"context", FIELD_JSON, COL_EXECUTION_CONTEXT,
	FIELD_CREATE | FIELD_LONG | FIELD_SOLID, NULL,
	"The input: an object that expressions read as context."},
    {"result", FIELD_JSON, COL_EXECUTION_RESULT, FIELD_LONG, NULL,
	"Results of the nodes without successors, by node name."},
    {"error_message", FIELD_TEXT, COL_EXECUTION_ERROR_MESSAGE, 0, NULL,
	"Why it failed."},
    {"retry_count", FIELD_INTEGER, COL_EXECUTION_RETRY_COUNT, FIELD_SOLID, NULL,
	"How often it was started again."},
    {"priority", FIELD_INTEGER, COL_EXECUTION_PRIORITY,
	FIELD_CREATE | FIELD_SOLID, NULL,
	"From -100 to 100: among executions of the organization the higher "
	"one goes first. Without it the DAG's."},
    {"compute_ms", FIELD_NUMBER, COL_EXECUTION_COMPUTE_MS, FIELD_SOLID, NULL,
	"Milliseconds of CPU time that its nodes took, all attempts; known "
	"when it has ended."},
    {"metadata", FIELD_JSON, COL_EXECUTION_METADATA,
	FIELD_CREATE | FIELD_LONG | FIELD_SOLID, NULL,
	"Facts about it that its nodes don't read: an object."},
    {"total_nodes", FIELD_INTEGER, COL_EXECUTION_TOTAL_NODES, FIELD_SOLID, NULL,
	"How many nodes it has."},
    {"succeeded_nodes", FIELD_INTEGER, COL_EXECUTION_SUCCEEDED_NODES,
	FIELD_SOLID, NULL, "How many have succeeded."},
    {"failed_nodes", FIELD_INTEGER, COL_EXECUTION_FAILED_NODES, FIELD_SOLID,
	NULL, "How many have failed."},
    {"success_rate", FIELD_NUMBER, COL_EXECUTION_SUCCESS_RATE, 0, NULL,
	"Percentage of nodes that have succeeded."},
    {"avg_node_duration_ms", FIELD_NUMBER, COL_EXECUTION_AVG_NODE_DURATION_MS,
	FIELD_LONG, NULL, "Average milliseconds of the nodes that ran."},
    {"parent_node", FIELD_TEXT, COL_EXECUTION_PARENT_NODE, 0, NULL,
	"The node of the parent that started it."},
    {"depth", FIELD_INTEGER, COL_EXECUTION_DEPTH, FIELD_SOLID, NULL,
	"How many executions are above it."},
    FIELDS_END,
};

static const struct relation execution_relations[] = {
    {"dag", "dags", COL_EXECUTION_DAG_ID, NULL, &resource_dags, NULL,
	"What it runs."},
    {"dag-version", "dag-versions", COL_EXECUTION_DAG_VERSION_ID, NULL,
	&resource_dag_versions, NULL,
	"The version that was active when it was created."},
    {"origin", "executions", COL_EXECUTION_ORIGIN_ID, NULL, NULL, NULL,
	"The execution that this one runs again."},
    {"triggered-by", "users", COL_EXECUTION_TRIGGERED_BY, NULL, &resource_users,
	NULL, "Who started it."},
    {"organization", "organizations", COL_EXECUTION_ORGANIZATION_ID, NULL,
	&resource_organizations, NULL, "Whose it is."},
    {"node-executions", "node-executions", -1,
	"/api/v1/executions/%s/node-executions", &resource_node_executions,
	&SQL_NODE_EXECUTIONS_OF, "Its nodes."},
    {"parent", "executions", COL_EXECUTION_PARENT_ID, NULL,
	&resource_executions, NULL, "The execution that started it."},
    {"children", "executions", -1, "/api/v1/executions/%s/children", NULL, NULL,
	"The executions that its nodes started."},
    {"signals", "signals", -1, "/api/v1/executions/%s/signals", NULL, NULL,
	"What was sent to it."},
    RELATIONS_END,
};

static const struct filter execution_filters[] = {
    {"status", FIELD_ENUM, execution_statuses, false,
	"One status or several, separated by commas."},
    {"dag", FIELD_UUID, NULL, false, "Id of the DAG."},
    {"dag-version", FIELD_UUID, NULL, false, "Id of the version."},
    {"triggered-by", FIELD_UUID, NULL, false, "Id of the user who started it."},
    {"inserted_from", FIELD_TIME, NULL, false,
	"Created at this time or later."},
    {"inserted_before", FIELD_TIME, NULL, false, "Created before this time."},
    {"parent", FIELD_UUID, NULL, false, "Id of the execution above it."},
    FILTERS_END,
};

static const char *const rerun_froms[] = {"failed", NULL};

static const struct field rerun_fields[] = {
    {"nodes", FIELD_LIST, 0, FIELD_UPDATE, NULL,
	"Names of the nodes that run again, with all that depend on them; the "
	"results of the others are kept."},
    {"from", FIELD_ENUM, 0, FIELD_UPDATE, rerun_froms,
	"failed: the nodes that did not succeed run again, with all that "
	"depend on them. Without nodes and from all nodes run."},
    {"context", FIELD_JSON, 0, FIELD_UPDATE, NULL,
	"Another context; only where no results are kept."},
    {"metadata", FIELD_JSON, 0, FIELD_UPDATE, NULL,
	"Without it that of the origin."},
    FIELDS_END,
};

static const struct action execution_actions[] = {
    {"cancel", "Asks to end it: nothing new starts, running nodes are stopped.",
	NULL, "202"},
    {"pause", "Starts no more nodes until it is resumed; running ones go on.",
	NULL, "202"},
    {"resume", "Ends its pause.", NULL, "202"},
    {"rerun", "Runs it again, or some nodes of it, as a new execution.",
	rerun_fields, "201"},
    ACTIONS_END,
};

const struct resource resource_executions = {
    .type = "executions",
    .path = "/api/v1/executions",
    .title = "Execution",
    .description = "One run of a DAG.",
    .operations = RESOURCE_CREATE | RESOURCE_GET | RESOURCE_LIST,
    .fields = execution_fields,
    .relations = execution_relations,
    .filters = execution_filters,
    .actions = execution_actions,
    .column_count = COL_EXECUTION_COUNT,
    .get = &SQL_EXECUTIONS_GET,
    .list = SQL_EXECUTIONS_LIST,
    .sort = "-inserted_at",
    .not_found = "execution_not_found",
};

/* --- node-executions ---------------------------------------------------- */

static const struct field node_execution_fields[] = {
    {"node_name", FIELD_TEXT, COL_NODE_EXECUTION_NODE_NAME, FIELD_SOLID, NULL,
	"The node's name in the definition."},
    {"node_index", FIELD_INTEGER, COL_NODE_EXECUTION_NODE_INDEX, FIELD_SOLID,
	NULL, "The node's place in the definition, from 0."},
    {"status", FIELD_ENUM, COL_NODE_EXECUTION_STATUS, FIELD_SOLID,
	node_statuses,
	"How it ended; running from its first attempt on (shown a moment "
	"later), pending before."},
    {"started_at", FIELD_TIME, COL_NODE_EXECUTION_STARTED_AT, 0, NULL,
	"When its first attempt began."},
    {"completed_at", FIELD_TIME, COL_NODE_EXECUTION_COMPLETED_AT, 0, NULL,
	"When it ended."},
    {"duration_ms", FIELD_NUMBER, COL_NODE_EXECUTION_DURATION_MS, 0, NULL,
	"Milliseconds from started_at to completed_at."},
    {"retry_count", FIELD_INTEGER, COL_NODE_EXECUTION_RETRY_COUNT, FIELD_SOLID,
	NULL, "Attempts after the first."},
    {"error", FIELD_TEXT, COL_NODE_EXECUTION_ERROR, 0, NULL, "Why it failed."},
    {"elements", FIELD_JSON, COL_NODE_EXECUTION_ELEMENTS, 0, NULL,
	"Of a node with for_each whose list is known: how many elements it "
	"has (total), and how many succeeded, failed, were cancelled and are "
	"running; else null."},
    {"result", FIELD_JSON, COL_NODE_EXECUTION_RESULT, FIELD_LONG, NULL,
	"What it returned."},
    {"log", FIELD_TEXT, COL_NODE_EXECUTION_LOG, FIELD_LONG, NULL,
	"The end of what it wrote to its log."},
    {"attempts", FIELD_JSON, COL_NODE_EXECUTION_ATTEMPTS, FIELD_LONG, NULL,
	"Each attempt, the first one first: number, status (running, success, "
	"failed, cancelled or interrupted), started_at, completed_at, error, "
	"log (its last 4,096 characters)."},
    FIELDS_END,
};

static const struct relation node_execution_relations[] = {
    {"execution", "executions", COL_NODE_EXECUTION_EXECUTION_ID, NULL,
	&resource_executions, NULL, "The run it belongs to."},
    {"elements", "elements", -1, "/api/v1/node-executions/%s/elements", NULL,
	NULL, "The elements of its for_each."},
    RELATIONS_END,
};

static const struct filter node_execution_filters[] = {
    {"execution", FIELD_UUID, NULL, true, "Id of the execution."},
    {"status", FIELD_ENUM, node_statuses, false,
	"One status or several, separated by commas."},
    {"node_name", FIELD_TEXT, NULL, false, "The node's name."},
    FILTERS_END,
};

const struct resource resource_node_executions = {
    .type = "node-executions",
    .path = "/api/v1/node-executions",
    .title = "Node execution",
    .description = "One node in one execution.",
    .operations = RESOURCE_GET | RESOURCE_LIST,
    .fields = node_execution_fields,
    .relations = node_execution_relations,
    .filters = node_execution_filters,
    .actions = no_actions,
    .column_count = COL_NODE_EXECUTION_COUNT,
    .get = &SQL_NODE_EXECUTIONS_GET,
    .list = SQL_NODE_EXECUTIONS_LIST,
    .sort = "node_index",
    .not_found = "node_execution_not_found",
};

/* --- elements ------------------------------------------------------------- */

static const struct field element_fields[] = {
    {"element_index", FIELD_INTEGER, COL_ELEMENT_ELEMENT_INDEX, FIELD_SOLID,
	NULL, "The element's place in the list, from 0."},
    {"status", FIELD_ENUM, COL_ELEMENT_STATUS, FIELD_SOLID, node_statuses,
	"How it ended; pending before its first attempt and between two."},
    {"started_at", FIELD_TIME, COL_ELEMENT_STARTED_AT, 0, NULL,
	"When its first attempt began."},
    {"completed_at", FIELD_TIME, COL_ELEMENT_COMPLETED_AT, 0, NULL,
	"When it ended."},
    {"duration_ms", FIELD_NUMBER, COL_ELEMENT_DURATION_MS, 0, NULL,
	"Milliseconds from started_at to completed_at."},
    {"retry_count", FIELD_INTEGER, COL_ELEMENT_RETRY_COUNT, FIELD_SOLID, NULL,
	"Attempts after the first."},
    {"error", FIELD_TEXT, COL_ELEMENT_ERROR, 0, NULL, "Why it failed."},
    {"result", FIELD_JSON, COL_ELEMENT_RESULT, FIELD_LONG, NULL,
	"What it returned."},
    {"log", FIELD_TEXT, COL_ELEMENT_LOG, FIELD_LONG, NULL,
	"The end of what it wrote to its log."},
    FIELDS_END,
};

static const struct relation element_relations[] = {
    {"node-execution", "node-executions", COL_ELEMENT_NODE_EXECUTION_ID, NULL,
	&resource_node_executions, NULL, "The node it is of."},
    RELATIONS_END,
};

static const struct filter element_filters[] = {
    {"node-execution", FIELD_UUID, NULL, true, "Id of the node execution."},
    {"status", FIELD_ENUM, node_statuses, false,
	"One status or several, separated by commas."},
    FILTERS_END,
};

const struct resource resource_elements = {
    .type = "elements",
    .path = "/api/v1/node-executions/{id}/elements",
    .title = "Element",
    .description = "One element of a node's for_each in one execution; only "
		   "listed below its node execution.",
    .operations = 0,
    .fields = element_fields,
    .relations = element_relations,
    .filters = element_filters,
    .actions = no_actions,
    .column_count = COL_ELEMENT_COUNT,
    .list = SQL_ELEMENTS_LIST,
    .sort = "element_index",
    .not_found = "element_not_found",
};

/* --- secrets -------------------------------------------------------------- */

static const struct field secret_fields[] = {
    {"name", FIELD_TEXT, COL_SECRET_NAME,
	FIELD_CREATE | FIELD_REQUIRED | FIELD_SOLID, NULL,
	"What ${{ secrets.NAME }} calls it: letters, digits and _."},
    {"value", FIELD_TEXT, -1,
	FIELD_CREATE | FIELD_REQUIRED | FIELD_UPDATE | FIELD_WRITE_ONLY, NULL,
	"Up to 64 KiB of text. It is stored encrypted and never shown again."},
    {"inserted_at", FIELD_TIME, COL_SECRET_INSERTED_AT, FIELD_SOLID, NULL,
	"When it was created."},
    {"updated_at", FIELD_TIME, COL_SECRET_UPDATED_AT, FIELD_SOLID, NULL,
	"When its value was last set."},
    FIELDS_END,
};

static const struct relation secret_relations[] = {
    {"creator", "users", COL_SECRET_CREATED_BY, NULL, &resource_users, NULL,
	"Who created it."},
    RELATIONS_END,
};

static const struct filter secret_filters[] = {
    {"name", FIELD_TEXT, NULL, false, "The whole name."},
    FILTERS_END,
};

const struct resource resource_secrets = {
    .type = "secrets",
    .path = "/api/v1/secrets",
    .title = "Secret",
    .description = "A value that ops get as ${{ secrets.NAME }} and nobody "
		   "can read again. Only for admins.",
    .operations = RESOURCE_CREATE | RESOURCE_GET | RESOURCE_LIST |
		  RESOURCE_UPDATE | RESOURCE_DELETE,
    .fields = secret_fields,
    .relations = secret_relations,
    .filters = secret_filters,
    .actions = no_actions,
    .column_count = COL_SECRET_COUNT,
    .get = &SQL_SECRETS_GET,
    .list = SQL_SECRETS_LIST,
    .sort = "name",
    .not_found = "secret_not_found",
};

/* --- signals -------------------------------------------------------------- */

static const struct field signal_fields[] = {
    {"name", FIELD_TEXT, COL_SIGNAL_NAME,
	FIELD_CREATE | FIELD_REQUIRED | FIELD_SOLID, NULL,
	"What a node waits for: letters, digits, _ and -."},
    {"value", FIELD_VALUE, COL_SIGNAL_VALUE, FIELD_CREATE | FIELD_LONG, NULL,
	"Any JSON, for the node that takes it; without one null."},
    {"delivered", FIELD_BOOLEAN, COL_SIGNAL_DELIVERED, FIELD_SOLID, NULL,
	"Whether a node was waiting for it when it was sent; else it is kept "
	"for the first one that does."},
    {"sent_at", FIELD_TIME, COL_SIGNAL_SENT_AT, FIELD_BY_ID | FIELD_SOLID, NULL,
	"When it was sent."},
    {"taken_at", FIELD_TIME, COL_SIGNAL_TAKEN_AT, 0, NULL,
	"When a node took it."},
    {"taken_node", FIELD_TEXT, COL_SIGNAL_TAKEN_NODE, 0, NULL,
	"The node that took it."},
    {"taken_attempt", FIELD_INTEGER, COL_SIGNAL_TAKEN_ATTEMPT, 0, NULL,
	"The node's attempt, from 1."},
    {"taken_element", FIELD_INTEGER, COL_SIGNAL_TAKEN_ELEMENT, 0, NULL,
	"The node's element, from 0, where it has some."},
    FIELDS_END,
};

static const struct relation signal_relations[] = {
    {"execution", "executions", COL_SIGNAL_EXECUTION_ID, NULL,
	&resource_executions, NULL, "The execution that it was sent to."},
    {"sent-by", "users", COL_SIGNAL_SENT_BY, NULL, &resource_users, NULL,
	"Who sent it."},
    RELATIONS_END,
};

static const struct filter signal_filters[] = {
    {"execution", FIELD_UUID, NULL, true, "Id of the execution."},
    {"name", FIELD_TEXT, NULL, false, "The whole name."},
    FILTERS_END,
};

const struct resource resource_signals = {
    .type = "signals",
    .path = "/api/v1/signals",
    .title = "Signal",
    .description = "A message to a running execution, for a node that waits "
		   "for its name (op wait_for).",
    .operations = RESOURCE_CREATE_BELOW | RESOURCE_GET | RESOURCE_LIST,
    .fields = signal_fields,
    .relations = signal_relations,
    .filters = signal_filters,
    .actions = no_actions,
    .column_count = COL_SIGNAL_COUNT,
    .get = &SQL_SIGNALS_GET,
    .list = SQL_SIGNALS_LIST,
    .sort = "sent_at",
    .not_found = "signal_not_found",
};

/* ------------------------------------------------------------------------ */

const struct resource *const resource_table[] = {&resource_dags,
    &resource_dag_versions, &resource_executions, &resource_node_executions,
    &resource_elements, &resource_secrets, &resource_organizations,
    &resource_users, &resource_invitations, &resource_signals,
    &resource_audit_log, &resource_tokens, &resource_sessions,
    &resource_graphql_operations, NULL};

const struct resource *
resource_find(const char *type)
{
	for (const struct resource *const *r = resource_table; *r != NULL; r++)
		if (strcmp((*r)->type, type) == 0)
			return *r;
	return NULL;
}

const struct field *
resource_field(const struct resource *r, const char *name)
{
	for (const struct field *field = r->fields; field->name != NULL;
	     field++)
		if (strcmp(field->name, name) == 0)
			return field;
	return NULL;
}
