/* operations.c - registered operations of an organization: its admins say which
 * documents may be executed for it.
 *
 *   /api/v1/graphql-operations      GET POST
 *   /api/v1/graphql-operations/ID   GET DELETE
 */
#include <string.h>

#include "graphql/bind.h"
#include "graphql/cache.h"
#include "web/resource_body.h"
#include "web/resource_flow.h"
#include "web/route.h"

#include "graphql_sql.h"

#define NAME_MAX     100
#define DOCUMENT_MAX (256u * 1024)
#define DOCUMENT     "/data/attributes/document"

struct operation_write {
	struct resource_state resource;
	struct uuid id;
};

static bool
operation_id(struct flow *f, struct uuid *id)
{
	if (flow_segment_uuid(f, 3, id))
		return true;
	flow_fail(f, 404, "operation_not_found", "There is no such operation.");
	return false;
}

/* --- GET ------------------------------------------------------------------ */

static enum flow_next
list_ask(struct flow *f)
{
	return resource_list(f, &resource_graphql_operations, NULL);
}

static enum flow_next
one_ask(struct flow *f)
{
	struct uuid id;

	if (!operation_id(f, &id))
		return FLOW_DONE;
	return resource_show(f, &resource_graphql_operations, &id);
}

static const struct flow_step list_steps[] = {
    FLOW_STEP(list_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step one_steps[] = {
    FLOW_STEP(one_ask), RESOURCE_STEPS, FLOW_END};

/* --- POST ----------------------------------------------------------------- */

/* What would be refused whenever it is asked is not registered. */
static void
check_document(struct flow *f, const struct json *document, struct faults *all)
{
	const struct gql_schema *schema;
	const struct gql_fault *fault;
	struct gql_faults faults;
	const char *failure;

	if (document->count == 0 || document->count > DOCUMENT_MAX) {
		faults_add(all, document, DOCUMENT, "invalid_document",
		    "A document has 1 to %u bytes.", DOCUMENT_MAX);
		return;
	}
	if ((schema = bind_schema(&failure)) == NULL) {
		faults_add(all, document, DOCUMENT, "internal", "%s", failure);
		return;
	}
	if (cache_document(flow_mem(f), schema, document->string,
		document->count, &faults) != NULL)
		return;
	if (faults.first == NULL)
		faults_add(
		    all, document, DOCUMENT, "out_of_memory", "Out of memory.");
	for (fault = faults.first; fault != NULL; fault = fault->next)
		faults_add(all, document, DOCUMENT, fault->code,
		    "%s (line %u, column %u of the document)", fault->message,
		    fault->places[0].line, fault->places[0].column);
}

static enum flow_next
create_write(struct flow *f)
{
	struct operation_write *s = flow_state(f);
	const struct json *root, *name, *document;
	struct resource_body body;
	struct sql_params *params;
	struct faults faults;

	if (!resource_check(f, &resource_graphql_operations) ||
	    (root = flow_json(f)) == NULL)
		return FLOW_DONE;
	faults_create(&faults, flow_mem(f), 10);
	if (resource_body_read(
		root, &resource_graphql_operations, NULL, &faults, &body) != 0)
		return flow_fail_faults(f, body.status, &faults, "");
	name = resource_body_get(&body, "name");
	document = resource_body_get(&body, "document");
	if (name->count == 0 || name->count > NAME_MAX ||
	    strlen(name->string) != name->count)
		faults_add(&faults, name, "/data/attributes/name",
		    "invalid_name", "A name has 1 to %d bytes.", NAME_MAX);
	check_document(f, document, &faults);
	if (faults.count > 0)
		return flow_fail_faults(f, 422, &faults, "");
	s->id = uuid_v7();
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	sql_text(params, name->string);
	sql_text(params, document->string);
	sql_uuid(params, &flow_actor(f)->user);
	flow_constraint(f, "graphql_operations_sha256", 409,
	    "already_registered", "This document is registered already.");
	return flow_query(f, &SQL_OPERATION_CREATE);
}

static enum flow_next
create_answer(struct flow *f)
{
	struct operation_write *s = flow_state(f);

	if (sql_count(flow_rows(f)) == 0)
		return flow_fail(f, 422, "too_many_operations",
		    "An organization may register 10000 operations.");
	return resource_written(f, &resource_graphql_operations, &s->id, 201);
}

static const struct flow_step create_steps[] = {FLOW_STEP(create_write),
    FLOW_STEP(create_answer), RESOURCE_STEPS, FLOW_END};

/* --- DELETE --------------------------------------------------------------- */

static enum flow_next
delete_write(struct flow *f)
{
	struct sql_params *params;
	struct uuid id;

	if (!operation_id(f, &id) ||
	    !resource_check(f, &resource_graphql_operations))
		return FLOW_DONE;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &id);
	return flow_query(f, &SQL_OPERATION_DELETE);
}

static enum flow_next
delete_answer(struct flow *f)
{
	if (sql_count(flow_rows(f)) == 0)
		return flow_fail(f, 404, "operation_not_found",
		    "There is no such operation.");
	return flow_reply_empty(f, 204);
}

static const struct flow_step delete_steps[] = {
    FLOW_STEP(delete_write), FLOW_STEP(delete_answer), FLOW_END};

/* --- routes --------------------------------------------------------------- */

#define READ  sizeof(struct resource_state)
#define WRITE sizeof(struct operation_write)

ROUTE(graphql_operations, {"GET", list_steps, READ, POLICY_OPERATION_READ},
    {"POST", create_steps, WRITE, POLICY_OPERATION_CREATE})

ROUTE(graphql_operation, {"GET", one_steps, READ, POLICY_OPERATION_READ},
    {"DELETE", delete_steps, WRITE, POLICY_OPERATION_DELETE})
