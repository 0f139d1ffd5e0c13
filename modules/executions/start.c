/* start.c - starts an execution: read the body, one durable row, answer from
 * what is known without asking the database again.
 */
#include "executions/start.h"

#include <stdio.h>
#include <string.h>

#include "web/config.h"
#include "web/resource_body.h"

#include "executions_sql.h"

/* Canonical text of an attribute that is an object, in the flow's memory. */
static bool
take_object(struct flow *f, const struct resource_body *body, const char *name,
    const char **text, size_t *len)
{
	size_t limit = (size_t)flow_config()->context_limit;
	const struct json *value = resource_body_get(body, name);
	struct buf b;

	buf_create(&b, 0);
	if (value == NULL)
		buf_puts(&b, "{}");
	else
		json_write_canonical(&b, value);
	*text = buf_failed(&b) ? NULL : mem_strndup(flow_mem(f), b.data, b.len);
	*len = b.len;
	buf_free(&b);
	if (*text == NULL)
		flow_fail(f, 503, "out_of_memory", "Out of memory.");
	else if (*len > limit)
		flow_fail_at(f, 422,
		    mem_printf(flow_mem(f), "%s_too_large", name),
		    mem_printf(flow_mem(f), "/data/attributes/%s", name), NULL,
		    "The %s has %zu bytes, more than %zu.", name, *len, limit);
	else
		return true;
	return false;
}

static void
take_priority(const struct resource_body *body, struct start_request *request,
    struct faults *faults)
{
	const struct json *value = resource_body_get(body, "priority");

	if (value == NULL)
		return;
	if (value->integer < PRIORITY_MIN || value->integer > PRIORITY_MAX) {
		faults_add(faults, value, "/data/attributes/priority",
		    "invalid_priority",
		    "\"priority\" must be an integer from %d to %d.",
		    PRIORITY_MIN, PRIORITY_MAX);
		return;
	}
	request->priority_given = true;
	request->priority = (int)value->integer;
}

static const struct relation *
dag_relation(void)
{
	const struct relation *relation = resource_executions.relations;

	while (strcmp(relation->name, "dag") != 0)
		relation++;
	return relation;
}

/* With an Idempotency-Key: a statement of its own. */
static enum flow_next
start_once(struct flow *f)
{
	struct execution_start *s = flow_state(f);
	const struct start_request *r = &s->request;
	const struct actor *actor = flow_actor(f);
	const char *priority = r->priority_given
				   ? mem_printf(flow_mem(f), "%d", r->priority)
				   : NULL;
	struct sql_params *params;
	char dag[UUID_TEXT];

	uuid_format(&r->dag, dag);
	if (!once_hash(f, &s->once,
		(const char *const[]){
		    "start", dag, r->context, r->metadata, priority},
		5))
		return FLOW_DONE;
	s->id = uuid_execution();
	params = flow_params(f);
	sql_uuid(params, &actor->organization);
	sql_uuid(params, &r->dag);
	sql_uuid(params, &s->id);
	sql_text(params, r->context);
	sql_text(params, r->metadata);
	sql_uuid(params, &actor->user);
	sql_text(params, priority);
	start_permissions(params);
	sql_text(params, s->once.key);
	sql_bytes(params, s->once.hash, sizeof(s->once.hash));
	return flow_query(f, &SQL_START_ONCE);
}

static enum flow_next
start_read(struct flow *f)
{
	struct execution_start *s = flow_state(f);
	const struct json *root;
	struct resource_body body;
	struct faults faults;

	if (!resource_check(f, &resource_executions) ||
	    (root = flow_json(f)) == NULL)
		return FLOW_DONE;
	faults_create(&faults, flow_mem(f), 20);
	resource_body_read(root, &resource_executions, NULL, &faults, &body);
	if (!resource_body_relation(
		&body, dag_relation(), &faults, &s->request.dag) &&
	    faults.count == 0)
		faults_add(&faults, NULL, "/data/relationships/dag",
		    "missing_relationship",
		    "The relationship \"dag\" is needed.");
	if (faults.count == 0)
		take_priority(&body, &s->request, &faults);
	if (faults.count > 0)
		return flow_fail_faults(
		    f, body.status != 0 ? body.status : 422, &faults, "");
	if (!take_object(f, &body, "context", &s->request.context,
		&s->request.context_len) ||
	    !take_object(f, &body, "metadata", &s->request.metadata,
		&s->request.metadata_len) ||
	    !once_read(f, &s->once))
		return FLOW_DONE;
	return s->once.key != NULL ? start_once(f) : flow_start(f, &s->request);
}

static void
set(struct cell *cells, int column, const char *text)
{
	cells[column].text = text;
	cells[column].len = strlen(text);
}

static const char *
id_text(struct flow *f, const struct uuid *id)
{
	char text[UUID_TEXT];

	uuid_format(id, text);
	return mem_strdup(flow_mem(f), text);
}

/* The column that a field or relation of this name shows. */
static int
column_of(const char *name)
{
	const struct field *field = resource_field(&resource_executions, name);
	const struct relation *relation = resource_executions.relations;

	if (field != NULL)
		return field->column;
	while (relation->name != NULL && strcmp(relation->name, name) != 0)
		relation++;
	return relation->column;
}

/* A row as the database has it now. */
static struct cell *
started_cells(struct flow *f, const struct started *started)
{
	const struct execution_start *s = flow_state(f);
	const struct actor *actor = flow_actor(f);
	struct cell *cells = mem_array(flow_mem(f),
	    (size_t)resource_executions.column_count, sizeof(*cells));
	const char *priority =
	    mem_printf(flow_mem(f), "%d", (int)started->priority);
	const char *total =
	    mem_printf(flow_mem(f), "%d", (int)started->total_nodes);

	if (cells == NULL)
		return NULL;
	set(cells, 0, id_text(f, &started->execution));
	set(cells, column_of("status"), "pending");
	set(cells, column_of("inserted_at"), started->inserted_at);
	set(cells, column_of("context"), s->request.context);
	set(cells, column_of("metadata"), s->request.metadata);
	set(cells, column_of("priority"), priority);
	set(cells, column_of("retry_count"), "0");
	set(cells, column_of("total_nodes"), total);
	set(cells, column_of("succeeded_nodes"), "0");
	set(cells, column_of("failed_nodes"), "0");
	set(cells, column_of("success_rate"), "0.00");
	set(cells, column_of("depth"), "0");
	set(cells, column_of("dag"), id_text(f, &s->request.dag));
	set(cells, column_of("dag-version"), id_text(f, &started->version));
	set(cells, column_of("triggered-by"), id_text(f, &actor->user));
	set(cells, column_of("organization"), id_text(f, &actor->organization));
	return cells;
}

static enum flow_next
refused_no_dag(struct flow *f)
{
	return flow_fail_at(f, 404, "dag_not_found", "/data/relationships/dag",
	    NULL, "There is no such DAG.");
}

static enum flow_next
refused_not_active(struct flow *f)
{
	return flow_fail_at(f, 409, "dag_not_active", "/data/relationships/dag",
	    NULL, "Only an active DAG can be started.");
}

static enum flow_next
refused_not_allowed(struct flow *f)
{
	return flow_fail_at(f, 403, "op_not_allowed", "/data/relationships/dag",
	    NULL, "The organization's settings don't allow an op of this DAG.");
}

static enum flow_next
once_answer(struct flow *f)
{
	struct execution_start *s = flow_state(f);
	const struct sql_rows *rows = flow_rows(f);
	struct uuid made;

	if (sql_count(rows) == 0)
		return refused_no_dag(f);
	if (!sql_get_uuid(rows, 0, 0, &made))
		return sql_get_bool(rows, 0, 2) ? refused_not_allowed(f)
						: refused_not_active(f);
	if (uuid_equal(&made, &s->id))
		return resource_written(f, &resource_executions, &made, 201);
	if (!sql_get_bool(rows, 0, 1))
		return once_reused(f);
	once_replayed(f);
	return resource_written(f, &resource_executions, &made, 200);
}

static enum flow_next
start_answer(struct flow *f)
{
	struct execution_start *s = flow_state(f);
	const struct started *started = flow_started(f);
	struct cell *cells;

	if (s->once.key != NULL)
		return once_answer(f);
	switch (started->outcome) {
	case STARTED:
		break;
	case START_NO_DAG:
		return refused_no_dag(f);
	case START_NOT_ACTIVE:
		return refused_not_active(f);
	case START_NOT_ALLOWED:
		return refused_not_allowed(f);
	case START_NO_POOL:
		return flow_fail_at(f, 409, "unknown_pool",
		    "/data/relationships/dag", NULL,
		    "The DAG names the pool \"%s\", which the organization "
		    "does not have: its setting \"pools\" names them.",
		    started->pool);
	}
	if (s->answer.query.include_count > 0)
		return resource_written(
		    f, &resource_executions, &started->execution, 201);
	cells = started_cells(f, started);
	if (cells == NULL)
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	return resource_reply_cells(f, &resource_executions, cells, 201);
}

const struct flow_step execution_start_steps[] = {
    FLOW_STEP(start_read), FLOW_STEP(start_answer), RESOURCE_STEPS, FLOW_END};
