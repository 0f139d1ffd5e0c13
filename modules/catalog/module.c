/* module.c - the catalog's routes: DAGs and their versions.
 *
 *   /api/v1/dags                    GET POST
 *   /api/v1/dags/ID[.yaml]          GET PATCH DELETE
 *   /api/v1/dags/ID/activate        POST
 *   /api/v1/dags/ID/archive         POST
 *   /api/v1/dags/ID/versions        GET
 *   /api/v1/dag-versions            GET
 *   /api/v1/dag-versions/ID[.yaml]  GET
 */
#include <string.h>

#include "catalog/dags.h"
#include "web/route.h"

#include "catalog_sql.h"

/* --- lists --------------------------------------------------------------- */

static enum flow_next
dags_ask(struct flow *f)
{
	return resource_list(f, &resource_dags, NULL);
}

static enum flow_next
versions_ask(struct flow *f)
{
	return resource_list(f, &resource_dag_versions, NULL);
}

static enum flow_next
versions_of_ask(struct flow *f)
{
	struct resource_parent parent = {
	    .resource = &resource_dags, .filter = "dag"};

	if (!dag_id(f, &parent.id))
		return FLOW_DONE;
	parent.path = mem_printf(
	    flow_mem(f), "/api/v1/dags/%s/versions", flow_segment(f, 3));
	return resource_list(f, &resource_dag_versions, &parent);
}

static enum flow_next
dags_of_ask(struct flow *f)
{
	struct resource_parent parent = {
	    .resource = &resource_users, .filter = "creator"};

	if (!flow_segment_uuid(f, 3, &parent.id))
		return flow_fail(f, 404, resource_users.not_found,
		    "There is no such resource: users.");
	parent.path = mem_printf(
	    flow_mem(f), "/api/v1/users/%s/dags", flow_segment(f, 3));
	return resource_list(f, &resource_dags, &parent);
}

static const struct flow_step dags_of_steps[] = {
    FLOW_STEP(dags_of_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step dags_steps[] = {
    FLOW_STEP(dags_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step versions_steps[] = {
    FLOW_STEP(versions_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step versions_of_steps[] = {
    FLOW_STEP(versions_of_ask), RESOURCE_STEPS, FLOW_END};

/* --- one, as JSON:API or as YAML ------------------------------------------ */

/* "ID" or "ID.yaml"; an Accept header may ask for YAML too. */
static bool
read_id(struct flow *f, const struct resource *r, struct uuid *id, bool *yaml)
{
	const char *segment = flow_segment(f, 3);
	const char *accept = flow_header(f, "accept");
	size_t len = segment != NULL ? strlen(segment) : 0;

	*yaml = accept != NULL &&
		(strstr(accept, "application/yaml") != NULL ||
		    strstr(accept, "application/x-yaml") != NULL ||
		    strstr(accept, "text/yaml") != NULL);
	if (len == 41 && strcmp(segment + 36, ".yaml") == 0) {
		*yaml = true;
		len = 36;
	}
	if (len == 36 && uuid_parse(segment, len, id))
		return true;
	flow_fail(
	    f, 404, r->not_found, "There is no such resource: %s.", r->type);
	return false;
}

static enum flow_next
one_ask(struct flow *f, const struct resource *r)
{
	struct sql_params *params;
	struct uuid id;
	bool yaml;

	if (!read_id(f, r, &id, &yaml))
		return FLOW_DONE;
	if (!yaml)
		return resource_show(f, r, &id);
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, r == &resource_dag_versions ? &id : NULL);
	sql_uuid(params, r == &resource_dags ? &id : NULL);
	return flow_query(f, &SQL_DAG_EXPORT);
}

static enum flow_next
dag_ask(struct flow *f)
{
	return one_ask(f, &resource_dags);
}

static enum flow_next
version_ask(struct flow *f)
{
	return one_ask(f, &resource_dag_versions);
}

/* resource_check has not run where YAML was asked for. */
static enum flow_next
one_yaml(struct flow *f)
{
	struct resource_state *s = flow_state(f);
	const struct sql_rows *rows = flow_rows(f);
	const struct json *definition;
	struct buf b;

	if (s->query.resource != NULL)
		return resource_rows(f);
	if (sql_count(rows) == 0)
		return flow_fail(
		    f, 404, "dag_not_found", "There is no such DAG.");
	if (json_parse(flow_mem(f), sql_get(rows, 0, 2),
		sql_get_len(rows, 0, 2), NULL, &definition, NULL) != 0)
		return flow_fail(
		    f, 500, "internal", "The stored definition can't be read.");
	buf_create(&b, 0);
	document_to_yaml(
	    sql_get(rows, 0, 0), sql_get(rows, 0, 1), definition, &b);
	if (buf_failed(&b)) {
		buf_free(&b);
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	}
	return flow_reply(f, 200, &b, "application/yaml", NULL);
}

#define MORE_STEPS                                                             \
	FLOW_STEP(one_yaml), FLOW_STEP(resource_more),                         \
	    FLOW_STEP(resource_more), FLOW_STEP(resource_more),                \
	    FLOW_STEP(resource_more), FLOW_END

static const struct flow_step dag_steps[] = {FLOW_STEP(dag_ask), MORE_STEPS};
static const struct flow_step version_steps[] = {
    FLOW_STEP(version_ask), MORE_STEPS};

/* --- routes -------------------------------------------------------------- */

#define READ  sizeof(struct resource_state)
#define WRITE sizeof(struct dag_write)
ROUTE(catalog_dags, {"GET", dags_steps, READ, POLICY_DAG_READ},
    {"POST", dag_create_steps, WRITE, POLICY_DAG_CREATE})

ROUTE(catalog_dags_of, {"GET", dags_of_steps, READ, POLICY_DAG_READ})

ROUTE(catalog_dag, {"GET", dag_steps, READ, POLICY_DAG_READ},
    {"PATCH", dag_update_steps, WRITE, POLICY_DAG_UPDATE},
    {"DELETE", dag_delete_steps, WRITE, POLICY_DAG_DELETE})

ROUTE(catalog_dag_activate,
    {"POST", dag_activate_steps, WRITE, POLICY_DAG_ACTIVATE})

ROUTE(
    catalog_dag_archive, {"POST", dag_archive_steps, WRITE, POLICY_DAG_ARCHIVE})

ROUTE(
    catalog_dag_versions_of, {"GET", versions_of_steps, READ, POLICY_DAG_READ})

ROUTE(catalog_dag_versions, {"GET", versions_steps, READ, POLICY_DAG_READ})

ROUTE(catalog_dag_version, {"GET", version_steps, READ, POLICY_DAG_READ})
