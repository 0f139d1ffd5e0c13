// GraphQL's matrix, as the tests expect it: each mutation and subscription with the answer that each kind of actor gets, and every
// field, filter, operator and sort key that is looked at from outside. Written by hand, never from modules/: what the schema gets anew has
// a place here, or tests/integration/matrix_graphql.test.mjs fails (missing).

// --- the schema as it is printed --------------------------------------------------------------------------------

// Types by name: { kind, fields: name → { type, arguments } }; of an enum the fields are its values.
export function readSchema(sdl) {
	const types = {};
	const bare = sdl.replace(/"""[^]*?"""/g, "");
	for (const [, kind, name, body] of bare.matchAll(/^(type|input|enum) (\w+) \{\n([^]*?)^\}/gm)) {
		const fields = {};
		if (kind === "enum") for (const [value] of body.matchAll(/\b[A-Z]\w*/g)) fields[value] = {};
		else for (const [, field, given, type] of body.matchAll(/^  (\w+)(\([^)]*\))?: ([\w[\]!]+)/gm)) {
			fields[field] = { type: type.replace(/[[\]!]/g, ""), arguments: [...(given ?? "").matchAll(/(\w+): ([\w[\]!]+)/g)].map(([, a, t]) => [a, t]) };
		}
		types[name] = { kind, fields };
	}
	return types;
}

const ROOTS = { Query: "queries", Mutation: "mutations", Subscription: "subscriptions" };
// Which table speaks of a type's fields; null: none needs to (what is given to mutations; names of values).
function tableOf(name, kind) {
	if (ROOTS[name]) return ROOTS[name];
	if (kind === "type") return "fields";
	if (name.endsWith("Filters")) return "filters";
	if (name.endsWith("Filter")) return "operators";
	if (name.endsWith("SortField") || name === "SortOrder") return "sorts";
	return kind === "input" && !name.endsWith("Sort") ? "inputs" : null;
}

// What of the schema no cell of the tables covers, and what they cover that isn't there: "Type.field" of each, sorted.
export function missing(schema, tables) {
	const absent = [];
	const covered = (table, type) => {
		const all = tables[table] ?? {};
		return ROOTS[type] ? Object.keys(all) : (all[type] ?? "").split(" ").filter(Boolean);
	};
	const extra = Object.entries(tables).flatMap(([table, all]) => (Object.values(ROOTS).includes(table) ? [] : Object.keys(all).filter((type) => !schema[type])));
	for (const [name, { kind, fields }] of Object.entries(schema)) {
		const table = tableOf(name, kind);
		if (!table) continue;
		const has = covered(table, name);
		for (const field of Object.keys(fields)) if (!has.includes(field)) absent.push(`${name}.${field}`);
		for (const field of has) if (!fields[field]) extra.push(`${name}.${field}`);
	}
	return { absent: absent.sort(), extra: extra.sort() };
}

// --- who may do what ----------------------------------------------------------------------------------------------

//   scope    that an API token needs
//   on       what its id is of; a fresh one for each attempt
//   member creator admin stranger (of another organization, an admin) outsider (a member there): "ok", or the error's code
//   unread   with that scope alone it is done, but what came of it is not shown (insufficient_scope): that takes read too
//   document, and variables (of the id; n: a name of its own)
const definition = { nodes: [{ name: "a" }] };
const all = (code) => ({ member: code, creator: code, admin: code, stranger: code, outsider: code });
const makers = (lost) => ({ member: "forbidden", creator: "ok", admin: "ok", stranger: lost, outsider: lost });
const admins = (lost) => ({ member: "forbidden", creator: "forbidden", admin: "ok", stranger: lost, outsider: "forbidden" });
const byId = (name, selection = " { id }", more = "") => `mutation ($id: ID!) { ${name}(id: $id${more})${selection} }`;
const of = (id) => ({ id });

export const MUTATIONS = {
	createDAG: { scope: "write", unread: true, ...all("ok"), document: "mutation ($input: CreateDAGInput!) { createDAG(input: $input) { id } }", variables: (id, n) => ({ input: { name: n, definition } }) },
	updateDAG: { scope: "write", unread: true, on: "dag", ...makers("dag_not_found"), document: "mutation ($id: ID!, $input: UpdateDAGInput!) { updateDAG(id: $id, input: $input) { id } }", variables: (id, n) => ({ id, input: { description: n } }) },
	activateDAG: { scope: "write", unread: true, on: "dag", ...makers("dag_not_found"), document: byId("activateDAG"), variables: of },
	archiveDAG: { scope: "write", unread: true, on: "dag", ...makers("dag_not_found"), document: byId("archiveDAG"), variables: of },
	deleteDAG: { scope: "write", on: "dag", ...makers("dag_not_found"), document: byId("deleteDAG", ""), variables: of },
	executeDAG: { scope: "execute", unread: true, on: "active", ...all("ok"), stranger: "dag_not_found", outsider: "dag_not_found", document: "mutation ($id: ID!) { executeDAG(dagId: $id) { id } }", variables: of },
	cancelExecution: { scope: "execute", unread: true, on: "execution", ...makers("execution_not_found"), document: byId("cancelExecution"), variables: of },
	pauseExecution: { scope: "execute", unread: true, on: "execution", ...makers("execution_not_found"), document: byId("pauseExecution"), variables: of },
	resumeExecution: { scope: "execute", unread: true, on: "execution", ...makers("execution_not_found"), document: byId("resumeExecution"), variables: of },
	rerunExecution: { scope: "execute", unread: true, on: "ended", ...makers("execution_not_found"), document: byId("rerunExecution"), variables: of },
	sendSignal: { scope: "execute", unread: true, on: "execution", ...makers("execution_not_found"), document: 'mutation ($id: ID!, $n: String!) { sendSignal(executionId: $id, name: $n, value: 1) { id } }', variables: (id, n) => ({ id, n }) },
	createSecret: { scope: "admin", ...admins("ok"), document: 'mutation ($n: String!) { createSecret(name: $n, value: "hidden") { id } }', variables: (id, n) => ({ n }) },
	updateSecret: { scope: "admin", on: "secret", ...admins("secret_not_found"), document: byId("updateSecret", " { id }", ', value: "changed"'), variables: of },
	deleteSecret: { scope: "admin", on: "secret", ...admins("secret_not_found"), document: byId("deleteSecret", ""), variables: of },
};

const watch = { scope: "read", on: "execution", ...all("ok"), stranger: "execution_not_found", outsider: "execution_not_found" };
export const SUBSCRIPTIONS = {
	executionUpdated: { ...watch, document: 'subscription ($id: ID!) { executionUpdated(executionId: $id, since: "2020-01-01T00:00:00Z") { id } }' },
	nodeExecutionUpdated: { ...watch, document: 'subscription ($id: ID!) { nodeExecutionUpdated(executionId: $id, since: "2020-01-01T00:00:00Z") { id } }' },
};

// --- what is looked at from another organization --------------------------------------------------------------

// Each type's root list, with what it must be given of the actor's own things.
export const LISTS = {
	DAG: ["dags"], DAGVersion: ["dagVersions"], Execution: ["executions"], NodeExecution: ["nodeExecutions", "executionId", "run"], Element: ["elements", "nodeExecutionId", "node"],
	Secret: ["secrets"], Organization: ["organizations"], Signal: ["signals", "executionId", "ended"], User: ["users"], AuditEntry: ["auditLog"], APIToken: ["apiTokens"], Session: ["sessions"],
};

export const FIELDS_OF = {
	PageInfo: "hasNextPage hasPreviousPage startCursor endCursor",
	DAG: "id name description status version definition statistics insertedAt updatedAt organization organizationId creator creatorId activeVersion activeVersionId versions versionsConnection executions executionsConnection",
	DAGEdge: "node cursor",
	DAGConnection: "edges nodes pageInfo totalCount",
	DAGVersion: "id number definition definitionHash nodeCount durability priority compiled insertedAt dag dagId creator creatorId",
	DAGVersionEdge: "node cursor",
	DAGVersionConnection: "edges nodes pageInfo totalCount",
	Execution: "id status insertedAt startedAt completedAt cancelRequestedAt pausedAt duration context result errorMessage retryCount priority compute metadata totalNodes succeededNodes failedNodes successRate avgNodeDuration parentNode depth dag dagId dagVersion dagVersionId origin originId triggeredBy triggeredById organization organizationId nodeExecutions nodeExecutionsConnection parent parentId children childrenConnection signals signalsConnection",
	ExecutionEdge: "node cursor",
	ExecutionConnection: "edges nodes pageInfo totalCount",
	NodeExecution: "id nodeName nodeIndex status startedAt completedAt duration retryCount error elementCounts result log attempts execution executionId elements elementsConnection",
	NodeExecutionEdge: "node cursor",
	NodeExecutionConnection: "edges nodes pageInfo totalCount",
	Element: "id elementIndex status startedAt completedAt duration retryCount error result log nodeExecution nodeExecutionId",
	ElementEdge: "node cursor",
	ElementConnection: "edges nodes pageInfo totalCount",
	Secret: "id name insertedAt updatedAt creator creatorId",
	SecretEdge: "node cursor",
	SecretConnection: "edges nodes pageInfo totalCount",
	Organization: "id name slug insertedAt settings computeQuota storageQuota computeUsed storageUsedBytes monthExecutions totalExecutions users usersConnection dags dagsConnection executions executionsConnection",
	OrganizationEdge: "node cursor",
	OrganizationConnection: "edges nodes pageInfo totalCount",
	Signal: "id name value delivered sentAt takenAt takenNode takenAttempt takenElement execution executionId sentBy sentById",
	SignalEdge: "node cursor",
	SignalConnection: "edges nodes pageInfo totalCount",
	User: "id name email role active lastSignIn insertedAt joinedAt organization organizationId dags dagsConnection triggeredExecutions triggeredExecutionsConnection",
	UserEdge: "node cursor",
	UserConnection: "edges nodes pageInfo totalCount",
	AuditEntry: "id at action outcome subjectType subjectId role address detail userId credentialId",
	AuditEntryEdge: "node cursor",
	AuditEntryConnection: "edges nodes pageInfo totalCount",
	APIToken: "id name scopes prefix insertedAt lastUsedAt expiresAt user userId",
	APITokenEdge: "node cursor",
	APITokenConnection: "edges nodes pageInfo totalCount",
	Session: "id address userAgent current insertedAt lastUsedAt expiresAt user userId",
	SessionEdge: "node cursor",
	SessionConnection: "edges nodes pageInfo totalCount",
};

export const FILTERS = {
	DAGFilters: "and or not id name description status version insertedAt updatedAt organization organizationId creator creatorId activeVersion activeVersionId versions executions",
	DAGVersionFilters: "and or not id number definitionHash nodeCount durability priority compiled insertedAt dag dagId creator creatorId",
	ExecutionFilters: "and or not id status insertedAt startedAt completedAt cancelRequestedAt pausedAt duration errorMessage retryCount priority compute totalNodes succeededNodes failedNodes successRate avgNodeDuration parentNode depth dag dagId dagVersion dagVersionId origin originId triggeredBy triggeredById organization organizationId parent parentId children signals",
	NodeExecutionFilters: "and or not id nodeName nodeIndex status startedAt completedAt duration retryCount error execution executionId elements",
	ElementFilters: "and or not id elementIndex status startedAt completedAt duration retryCount error nodeExecution nodeExecutionId",
	SecretFilters: "and or not id name insertedAt updatedAt creator creatorId",
	OrganizationFilters: "and or not id name slug insertedAt computeQuota storageQuota computeUsed storageUsedBytes monthExecutions totalExecutions users dags executions",
	SignalFilters: "and or not id name delivered sentAt takenAt takenNode takenAttempt takenElement execution executionId sentBy sentById",
	UserFilters: "and or not id name email role active lastSignIn insertedAt joinedAt organization organizationId dags triggeredExecutions",
	AuditEntryFilters: "and or not id at action outcome subjectType subjectId role address userId credentialId",
	APITokenFilters: "and or not id name prefix insertedAt lastUsedAt expiresAt user userId",
	SessionFilters: "and or not id address userAgent current insertedAt lastUsedAt expiresAt user userId",
};

export const OPERATORS = {
	BooleanFilter: "eq notEq isNil",
	DateTimeFilter: "eq notEq in notIn lt lte gt gte isNil",
	DurationFilter: "eq notEq in notIn lt lte gt gte isNil",
	FloatFilter: "eq notEq in notIn lt lte gt gte isNil",
	IDFilter: "eq notEq in notIn isNil",
	IntFilter: "eq notEq in notIn lt lte gt gte isNil",
	StringFilter: "eq notEq in notIn lt lte gt gte isNil like ilike contains",
	UUIDFilter: "eq notEq in notIn isNil",
	DAGStatusFilter: "eq notEq in notIn isNil",
	DAGVersionDurabilityFilter: "eq notEq in notIn isNil",
	ExecutionStatusFilter: "eq notEq in notIn isNil",
	NodeExecutionStatusFilter: "eq notEq in notIn isNil",
	UserRoleFilter: "eq notEq in notIn isNil",
};

export const SORTS = {
	SortOrder: "ASC ASC_NULLS_FIRST ASC_NULLS_LAST DESC DESC_NULLS_FIRST DESC_NULLS_LAST",
	DAGSortField: "ID NAME DESCRIPTION STATUS VERSION INSERTED_AT UPDATED_AT ORGANIZATION_ID CREATOR_ID ACTIVE_VERSION_ID",
	DAGVersionSortField: "ID NUMBER DEFINITION_HASH NODE_COUNT DURABILITY PRIORITY COMPILED INSERTED_AT DAG_ID CREATOR_ID",
	ExecutionSortField: "ID STATUS INSERTED_AT STARTED_AT COMPLETED_AT CANCEL_REQUESTED_AT PAUSED_AT DURATION ERROR_MESSAGE RETRY_COUNT PRIORITY COMPUTE TOTAL_NODES SUCCEEDED_NODES FAILED_NODES SUCCESS_RATE AVG_NODE_DURATION PARENT_NODE DEPTH DAG_ID DAG_VERSION_ID ORIGIN_ID TRIGGERED_BY_ID ORGANIZATION_ID PARENT_ID",
	NodeExecutionSortField: "ID NODE_NAME NODE_INDEX STATUS STARTED_AT COMPLETED_AT DURATION RETRY_COUNT ERROR EXECUTION_ID",
	ElementSortField: "ID ELEMENT_INDEX STATUS STARTED_AT COMPLETED_AT DURATION RETRY_COUNT ERROR NODE_EXECUTION_ID",
	SecretSortField: "ID NAME INSERTED_AT UPDATED_AT CREATOR_ID",
	OrganizationSortField: "ID NAME SLUG INSERTED_AT COMPUTE_QUOTA STORAGE_QUOTA COMPUTE_USED STORAGE_USED_BYTES MONTH_EXECUTIONS TOTAL_EXECUTIONS",
	SignalSortField: "ID NAME DELIVERED SENT_AT TAKEN_AT TAKEN_NODE TAKEN_ATTEMPT TAKEN_ELEMENT EXECUTION_ID SENT_BY_ID",
	UserSortField: "ID NAME EMAIL ROLE ACTIVE LAST_SIGN_IN INSERTED_AT JOINED_AT ORGANIZATION_ID",
	AuditEntrySortField: "ID AT ACTION OUTCOME SUBJECT_TYPE SUBJECT_ID ROLE ADDRESS USER_ID CREDENTIAL_ID",
	APITokenSortField: "ID NAME PREFIX INSERTED_AT LAST_USED_AT EXPIRES_AT USER_ID",
	SessionSortField: "ID ADDRESS USER_AGENT CURRENT INSERTED_AT LAST_USED_AT EXPIRES_AT USER_ID",
};

export const INPUTS = {
	CreateDAGInput: "name description definition",
	UpdateDAGInput: "name description version definition",
};
