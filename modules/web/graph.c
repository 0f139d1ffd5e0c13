/* graph.c - the types of GraphQL over the tables of resources.c, and what their
 * fields are called.
 */
#include "web/graph.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "web_sql.h"

#define LIST_END                                                               \
	{                                                                      \
		NULL, NULL, NULL, NULL                                         \
	}
#define ID_OF_NODE                                                             \
	"n.node_index = ('x' || right(@id::text, 8))::bit(32)::integer - 1"
#define EXECUTION_OF_ID "(left(@id::text, 28) || '00000000')::uuid"

static const struct graph_rename token_renames[] = {
    {"value", NULL}, {NULL, NULL}};
static const struct graph_rename dag_renames[] = {
    {"active_version", NULL}, {NULL, NULL}};

static const struct graph_list execution_lists[] = {
    {"children", &resource_executions, "parent", NULL}, LIST_END};

static const struct graph_join node_joins[] = {
    {"x", "left join open.element_counts(@owner) x on x.node = n.node_index"},
    {"a", "left join open.node_attempts(@owner) a on a.node = n.node_index"},
    {NULL, NULL},
};
static const struct graph_rename node_renames[] = {
    {"elements", "elementCounts"}, {NULL, NULL}};

static const struct graph_join organization_joins[] = {
    {"u", "join open.organization_usage u on u.organization_id = o.id"},
    {NULL, NULL},
};
static const struct graph_list organization_lists[] = {
    {"users", &resource_users, "organization", "Its members."},
    {"dags", &resource_dags, "organization", "Its DAGs."},
    {"executions", &resource_executions, "organization", "Its executions."},
    LIST_END,
};

static const struct graph_join user_joins[] = {
    {"m", "join open.memberships m on m.user_id = u.id"
	  " and m.organization_id = (select open.actor_organization())"},
    {NULL, NULL},
};
static const struct graph_list user_lists[] = {
    {"dags", &resource_dags, "creator", "The DAGs that they created."},
    {"triggered-executions", &resource_executions, "triggered-by",
	"The executions that they started."},
    LIST_END,
};

const struct graph graph_table[] = {
    {
	.resource = &resource_dags,
	.type = "DAG",
	.action = POLICY_DAG_READ,
	.one = "dag",
	.many = "dags",
	.columns = EXPR_DAG,
	.aliases = "d",
	.from = "open.dags d",
	.by_id = "d.id = @id",
	.tie = "d.id",
	.tie_type = FIELD_UUID,
	.renames = dag_renames,
    },
    {
	.resource = &resource_dag_versions,
	.type = "DAGVersion",
	.action = POLICY_DAG_READ,
	.one = "dagVersion",
	.many = "dagVersions",
	.columns = EXPR_DAG_VERSION,
	.aliases = "v",
	.from = "open.dag_versions v",
	.by_id = "v.id = @id",
	.tie = "v.id",
	.tie_type = FIELD_UUID,
    },
    {
	.resource = &resource_executions,
	.type = "Execution",
	.action = POLICY_EXECUTION_READ,
	.one = "execution",
	.many = "executions",
	.columns = EXPR_EXECUTION,
	.aliases = "e",
	.from = "open.executions e",
	.by_id = "e.id = @id",
	.tie = "e.id",
	.tie_type = FIELD_UUID,
	.lists = execution_lists,
    },
    {
	.resource = &resource_node_executions,
	.type = "NodeExecution",
	.action = POLICY_EXECUTION_READ,
	.one = "nodeExecution",
	.many = "nodeExecutions",
	.columns = EXPR_NODE_EXECUTION,
	.aliases = "n x a",
	.from = "open.node_executions n",
	.joins = node_joins,
	.by_id = "n.execution_id = " EXECUTION_OF_ID " and " ID_OF_NODE,
	.owner = "execution",
	.owner_of_id = EXECUTION_OF_ID,
	.tie = "n.node_index",
	.tie_type = FIELD_INTEGER,
	.renames = node_renames,
	.page_default = RESOURCE_PAGE_MAX,
	.page_max = RESOURCE_INCLUDED_MAX,
    },
    {
	.resource = &resource_elements,
	.type = "Element",
	.action = POLICY_EXECUTION_READ,
	.many = "elements",
	.columns = EXPR_ELEMENT,
	.aliases = "e",
	.from = "open.elements_of((left(@owner::text, 28) || '00000000')::uuid,"
		" ('x' || right(@owner::text, 8))::bit(32)::integer - 1) e",
	.owner = "node-execution",
	.tie = "e.element_index",
	.tie_type = FIELD_INTEGER,
	.page_default = RESOURCE_PAGE_MAX,
	.page_max = RESOURCE_INCLUDED_MAX,
    },
    {
	.resource = &resource_secrets,
	.type = "Secret",
	.action = POLICY_SECRET_READ,
	.one = "secret",
	.many = "secrets",
	.columns = EXPR_SECRET,
	.aliases = "s",
	.from = "(select id, organization_id, name, created_by,"
		" inserted_at, updated_at from open.secrets) s",
	.by_id = "s.id = @id",
	.tie = "s.id",
	.tie_type = FIELD_UUID,
    },
    {
	.resource = &resource_organizations,
	.type = "Organization",
	.action = POLICY_ORGANIZATION_READ,
	.one = "organization",
	.many = "organizations",
	.columns = EXPR_ORGANIZATION,
	.aliases = "o u",
	.from = "open.organizations o",
	.joins = organization_joins,
	.by_id = "o.id = @id",
	.tie = "o.id",
	.tie_type = FIELD_UUID,
	.lists = organization_lists,
    },
    {
	.resource = &resource_signals,
	.type = "Signal",
	.action = POLICY_EXECUTION_READ,
	.one = "signal",
	.many = "signals",
	.columns = EXPR_SIGNAL,
	.aliases = "s",
	.from = "open.signals s",
	.by_id = "s.id = @id",
	.owner = "execution",
	.tie = "s.id",
	.tie_type = FIELD_UUID,
    },
    {
	.resource = &resource_users,
	.type = "User",
	.action = POLICY_USER_READ,
	.one = "user",
	.many = "users",
	.columns = EXPR_USER,
	.aliases = "u m",
	.from = "(select id, email, name, last_sign_in, inserted_at,"
		" deactivated_at from open.users) u",
	.joins = user_joins,
	.by_id = "u.id = @id",
	.tie = "u.id",
	.tie_type = FIELD_UUID,
	.lists = user_lists,
    },
    {
	.resource = &resource_audit_log,
	.type = "AuditEntry",
	.action = POLICY_AUDIT_READ,
	.many = "auditLog",
	.columns = EXPR_AUDIT_ENTRY,
	.aliases = "a",
	.from = "((select a.id, a.at, a.action, a.outcome, a.subject_type,"
		" a.subject_id, a.role, a.address, a.detail, a.user_id,"
		" a.credential_id, a.organization_id from open.audit_log a)"
		" union all (select a.id::uuid, a.inserted_at,"
		" case when a.origin_id is null then 'execution.start'"
		" else 'execution.rerun' end, 'done', 'execution', a.id::uuid,"
		" case when a.triggered_by is null then 'openctl' end,"
		" a.triggered_from, jsonb_build_object('dag_id', a.dag_id),"
		" a.triggered_by, a.triggered_with, a.organization_id"
		" from open.executions a where a.parent_id is null)) a",
	.by_id = "a.id = @id",
	.tie = "a.id",
	.tie_type = FIELD_UUID,
    },
    {
	.resource = &resource_tokens,
	.type = "APIToken",
	.action = POLICY_TOKEN_READ,
	.one = "apiToken",
	.many = "apiTokens",
	.columns = EXPR_TOKEN,
	.aliases = "t",
	.from = "(select id, organization_id, user_id, name, scopes,"
		" prefix, last_used_at, expires_at, revoked_at,"
		" inserted_at from open.api_tokens) t",
	.by_id = "t.id = @id",
	.tie = "t.id",
	.tie_type = FIELD_UUID,
	.renames = token_renames,
    },
    {
	.resource = &resource_sessions,
	.type = "Session",
	.action = POLICY_SESSION_READ,
	.one = "session",
	.many = "sessions",
	.columns = EXPR_SESSION,
	.aliases = "s",
	.from = "(select id, organization_id, user_id, address,"
		" user_agent, inserted_at, last_used_at, expires_at,"
		" revoked_at from open.sessions) s",
	.by_id = "s.id = @id",
	.tie = "s.id",
	.tie_type = FIELD_UUID,
    },
    {.resource = NULL},
};

const char *const graph_scalar_names[GRAPH_SCALARS] = {
    [GRAPH_STRING] = "String",
    [GRAPH_ID] = "ID",
    [GRAPH_UUID] = "UUID",
    [GRAPH_INT] = "Int",
    [GRAPH_FLOAT] = "Float",
    [GRAPH_BOOLEAN] = "Boolean",
    [GRAPH_DATETIME] = "DateTime",
    [GRAPH_DURATION] = "Duration",
    [GRAPH_JSON] = "JSON",
    [GRAPH_ENUM] = NULL,
};

const struct graph *
graph_of(const char *resource_type)
{
	for (const struct graph *g = graph_table; g->resource != NULL; g++)
		if (strcmp(g->resource->type, resource_type) == 0)
			return g;
	return NULL;
}

const struct graph *
graph_of_type(const char *type)
{
	for (const struct graph *g = graph_table; g->resource != NULL; g++)
		if (strcmp(g->type, type) == 0)
			return g;
	return NULL;
}

unsigned
graph_page_default(const struct graph *g)
{
	return g->page_default != 0 ? g->page_default : RESOURCE_PAGE_DEFAULT;
}

unsigned
graph_page_max(const struct graph *g)
{
	return g->page_max != 0 ? g->page_max : RESOURCE_PAGE_MAX;
}

const char *
graph_optional_owner(const struct graph *g)
{
	return strcmp(g->type, "Execution") == 0 ||
		       strcmp(g->type, "DAGVersion") == 0
		   ? "dag"
		   : NULL;
}

/* --- names ---------------------------------------------------------------- */

void
graph_camel(const char *name, char out[static GRAPH_NAME_MAX])
{
	size_t n = 0;
	bool capital = false;

	for (; *name != '\0' && n < GRAPH_NAME_MAX - 1; name++) {
		if (*name == '_' || *name == '-') {
			capital = true;
			continue;
		}
		out[n++] =
		    capital ? (char)toupper((unsigned char)*name) : *name;
		capital = false;
	}
	out[n] = '\0';
}

void
graph_capitals(const char *name, char out[static GRAPH_NAME_MAX])
{
	size_t n = 0;

	for (; *name != '\0' && n < GRAPH_NAME_MAX - 2; name++) {
		if (isupper((unsigned char)*name))
			out[n++] = '_';
		out[n++] =
		    *name == '-' ? '_' : (char)toupper((unsigned char)*name);
	}
	out[n] = '\0';
}

void
graph_enum_name(const char *const *values, char out[static GRAPH_NAME_MAX])
{
	const struct graph *g;
	const struct field *f;

	out[0] = '\0';
	for (g = graph_table; g->resource != NULL; g++)
		for (f = g->resource->fields; f->name != NULL; f++)
			if (f->values == values && f->type == FIELD_ENUM) {
				snprintf(out, GRAPH_NAME_MAX, "%s%c%s", g->type,
				    toupper((unsigned char)*f->name),
				    f->name + 1);
				return;
			}
}

/* --- members -------------------------------------------------------------- */

static const struct relation *
find_relation(const struct resource *r, const char *name)
{
	const struct relation *relation;

	for (relation = r->relations; relation->name != NULL; relation++)
		if (strcmp(relation->name, name) == 0)
			return relation;
	return NULL;
}

/* "duration_ms": the name without the unit. */
static bool
is_duration(const struct field *f)
{
	size_t len = strlen(f->name);

	return f->type == FIELD_NUMBER && len > 3 &&
	       strcmp(f->name + len - 3, "_ms") == 0;
}

static enum graph_scalar
scalar_of(const struct field *f)
{
	switch (f->type) {
	case FIELD_TEXT:
		return GRAPH_STRING;
	case FIELD_ENUM:
		return GRAPH_ENUM;
	case FIELD_UUID:
		return GRAPH_UUID;
	case FIELD_INTEGER:
		return f->flags & FIELD_BIG ? GRAPH_FLOAT : GRAPH_INT;
	case FIELD_NUMBER:
		return is_duration(f) ? GRAPH_DURATION : GRAPH_FLOAT;
	case FIELD_BOOLEAN:
		return GRAPH_BOOLEAN;
	case FIELD_TIME:
		return GRAPH_DATETIME;
	case FIELD_JSON:
	case FIELD_LIST:
	case FIELD_VALUE:
		break;
	}
	return GRAPH_JSON;
}

bool
graph_field_guarded(const struct graph *g, const struct field *f)
{
	struct buf condition;
	bool guarded;

	buf_create(&condition, 0);
	guarded = policy_field(&condition, g->resource->type, f->name, "x");
	buf_free(&condition);
	return guarded;
}

/* False: it is not shown. */
static bool
field_name(const struct graph *g, const struct field *f,
    char out[static GRAPH_NAME_MAX])
{
	const struct graph_rename *r;
	char name[GRAPH_NAME_MAX];

	for (r = g->renames; r != NULL && r->name != NULL; r++) {
		if (strcmp(r->name, f->name) != 0)
			continue;
		if (r->to != NULL)
			snprintf(out, GRAPH_NAME_MAX, "%s", r->to);
		return r->to != NULL;
	}
	snprintf(name, sizeof(name), "%s", f->name);
	if (is_duration(f))
		name[strlen(name) - 3] = '\0';
	graph_camel(name, out);
	return true;
}

static struct graph_member *
add(struct graph_member *members, unsigned *count, enum graph_kind kind)
{
	struct graph_member *m = &members[(*count)++];

	memset(m, 0, sizeof(*m));
	m->kind = kind;
	m->column = m->inverse = -1;
	return m;
}

static void
add_fields(const struct graph *g, struct graph_member *members, unsigned *count)
{
	const struct field *f;
	struct graph_member *m = add(members, count, GRAPH_FIELD);

	strcpy(m->name, "id");
	m->description = "Unique for ever.";
	m->scalar = GRAPH_ID;
	m->not_null = m->filterable = m->sortable = true;
	m->column = 0;
	for (f = g->resource->fields; f->name != NULL; f++) {
		char name[GRAPH_NAME_MAX];

		if (f->column < 0 || (f->flags & FIELD_WRITE_ONLY) ||
		    !field_name(g, f, name))
			continue;
		m = add(members, count, GRAPH_FIELD);
		memcpy(m->name, name, sizeof(name));
		m->description = f->description;
		m->scalar = scalar_of(f);
		m->values = f->values;
		m->not_null =
		    (f->flags & FIELD_SOLID) && !graph_field_guarded(g, f);
		m->column = f->column;
		m->filterable =
		    m->scalar != GRAPH_JSON &&
		    (f->type != FIELD_TEXT || !(f->flags & FIELD_LONG));
		m->sortable = m->filterable;
		m->by_id = f->flags & FIELD_BY_ID;
	}
}

static void
add_one(const struct relation *r, struct graph_member *members, unsigned *count)
{
	const struct graph *target = graph_of(r->type);
	struct graph_member *m;

	if (target != NULL && target->by_id != NULL) {
		m = add(members, count, GRAPH_ONE);
		graph_camel(r->name, m->name);
		m->description = r->description;
		m->target = target;
		m->column = r->column;
		m->filterable = true;
	}
	m = add(members, count, GRAPH_FIELD);
	graph_camel(r->name, m->name);
	strncat(m->name, "Id", sizeof(m->name) - strlen(m->name) - 1);
	m->description = r->description;
	m->scalar = GRAPH_ID;
	m->column = r->column;
	m->filterable = m->sortable = true;
}

/* The same list as it is, and as a connection. */
static void
add_list(const char *name, const char *description, const struct graph *target,
    int inverse, struct graph_member *members, unsigned *count)
{
	struct graph_member *m = add(members, count, GRAPH_LIST);

	graph_camel(name, m->name);
	m->description = description;
	m->target = target;
	m->inverse = inverse;
	m->filterable = target->owner == NULL || target->joins == NULL;
	members[*count] = *m;
	m = &members[(*count)++];
	m->kind = GRAPH_CONNECTION;
	m->filterable = false;
	strncat(m->name, "Connection", sizeof(m->name) - strlen(m->name) - 1);
}

static void
add_many(const struct graph *g, const struct relation *r,
    struct graph_member *members, unsigned *count)
{
	const struct graph *target = graph_of(r->type);
	const struct graph_list *l;
	const struct relation *back = NULL, *i;

	if (target == NULL)
		return;
	for (l = g->lists; l != NULL && l->name != NULL; l++)
		if (strcmp(l->name, r->name) == 0)
			back = find_relation(target->resource, l->inverse);
	for (i = target->resource->relations; back == NULL && i->name != NULL;
	     i++)
		if (i->column >= 0 && strcmp(i->type, g->resource->type) == 0)
			back = i;
	if (back != NULL)
		add_list(r->name, r->description, target, back->column, members,
		    count);
}

unsigned
graph_members(const struct graph *g,
    struct graph_member members[static GRAPH_MEMBERS_MAX])
{
	const struct relation *r;
	const struct graph_list *l;
	unsigned count = 0;

	add_fields(g, members, &count);
	for (r = g->resource->relations; r->name != NULL; r++)
		if (r->column >= 0)
			add_one(r, members, &count);
		else
			add_many(g, r, members, &count);
	for (l = g->lists; l != NULL && l->name != NULL; l++) {
		const struct graph *target = graph_of(l->target->type);
		const struct relation *back;

		if (target == NULL ||
		    find_relation(g->resource, l->name) != NULL)
			continue;
		back = find_relation(target->resource, l->inverse);
		if (back != NULL)
			add_list(l->name, l->description, target, back->column,
			    members, &count);
	}
	return count;
}
