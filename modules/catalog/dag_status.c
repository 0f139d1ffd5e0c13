/* dag_status.c - activate, archive and delete a DAG.
 */
#include "catalog/dags.h"

#include "exec/exec.h"
#include "web/resource_body.h"

#include "catalog_sql.h"

/* --- POST …/activate ------------------------------------------------------ */

/* The number in an optional body; false: it has answered. number 0: none. */
static bool
activate_number(struct flow *f, int64_t *number)
{
	const struct action *action = resource_dags.actions;
	const struct json *root, *value;
	struct resource_body body;
	struct faults faults;
	size_t len = 0;

	*number = 0;
	if (flow_body(f, &len) == NULL || len == 0)
		return true;
	root = flow_json(f);
	if (root == NULL)
		return false;
	faults_create(&faults, flow_mem(f), 10);
	if (resource_action_read(root, action, &faults, &body) != 0) {
		flow_fail_faults(f, body.status, &faults, "");
		return false;
	}
	value = resource_body_get(&body, "version");
	if (value == NULL)
		return true;
	*number = value->integer;
	if (*number >= 1 && *number <= INT32_MAX)
		return true;
	flow_fail_at(f, 404, "dag_version_not_found",
	    "/data/attributes/version", NULL, "There is no such version.");
	return false;
}

static enum flow_next
activate_look(struct flow *f)
{
	struct dag_write *s = flow_state(f);
	struct sql_params *params;
	int64_t number;

	if (!dag_id(f, &s->id) || !resource_check(f, &resource_dags) ||
	    !activate_number(f, &number))
		return FLOW_DONE;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	if (number == 0)
		sql_null(params);
	else
		sql_int(params, number);
	return flow_query(f, &SQL_DAG_BEFORE_ACTIVATE);
}

static void
compile_work(void *state)
{
	struct dag_write *s = state;

	s->result = dag_compile(&s->compile);
}

static enum flow_next
activate_compile(struct flow *f)
{
	struct dag_write *s = flow_state(f);
	struct dag_compile *c = &s->compile;
	const struct sql_rows *rows = flow_rows(f);
	const struct actor *actor = flow_actor(f);

	if (sql_count(rows) == 0)
		return flow_fail(
		    f, 404, "dag_not_found", "There is no such DAG.");
	if (!sql_get_bool(rows, 0, 0))
		return flow_fail(f, 403, "forbidden",
		    "Only its creator and admins may activate a DAG.");
	if (!sql_get_uuid(rows, 0, 1, &s->version_id))
		return flow_fail_at(f, 404, "dag_version_not_found",
		    "/data/attributes/version", NULL,
		    "There is no such version.");
	c->mem = flow_mem(f);
	c->definition_len = sql_get_len(rows, 0, 2);
	c->definition =
	    mem_strndup(flow_mem(f), sql_get(rows, 0, 2), c->definition_len);
	c->settings = actor->settings;
	dag_limits(&c->limits);
	/* As PostgreSQL prints it, it has more spaces than when it was
	 * measured. */
	c->limits.bytes = SIZE_MAX;
	if (c->definition == NULL)
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	return flow_work(f, compile_work);
}

static enum flow_next
activate_write(struct flow *f)
{
	struct dag_write *s = flow_state(f);
	const struct dag_compile *c = &s->compile;
	struct sql_params *params;
	struct err e;

	if (s->result != 0)
		return flow_fail_faults(f, 422, &c->faults, "");
	err_clear(&e);
	if (exec_plan_fits(flow_exec(), c->plan, &e) != 0)
		return flow_fail(f, 422, e.code, "%s", e.message);
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	sql_uuid(params, &s->version_id);
	sql_bytes(params, c->plan, c->plan_len);
	sql_bytes(params, c->plan_hash, sizeof(c->plan_hash));
	return flow_query(f, &SQL_DAG_ACTIVATE);
}

static enum flow_next
activate_answer(struct flow *f)
{
	struct dag_write *s = flow_state(f);

	return resource_written(f, &resource_dags, &s->id, 200);
}

const struct flow_step dag_activate_steps[] = {FLOW_STEP(activate_look),
    FLOW_STEP(activate_compile), FLOW_STEP(activate_write),
    FLOW_STEP(activate_answer), RESOURCE_STEPS, FLOW_END};

/* --- POST …/archive, DELETE ----------------------------------------------- */

static enum flow_next
change(struct flow *f, const struct sql *sql)
{
	struct dag_write *s = flow_state(f);
	struct sql_params *params;

	if (!dag_id(f, &s->id) || !resource_check(f, &resource_dags))
		return FLOW_DONE;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	return flow_query(f, sql);
}

/* True: the change was made; else it has answered. */
static bool
changed(struct flow *f, const char *what)
{
	if (sql_count(flow_rows(f)) == 0)
		flow_fail(f, 404, "dag_not_found", "There is no such DAG.");
	else if (!sql_get_bool(flow_rows(f), 0, 0))
		flow_fail(f, 403, "forbidden",
		    "Only its creator and admins may %s a DAG.", what);
	else
		return true;
	return false;
}

static enum flow_next
archive_write(struct flow *f)
{
	return change(f, &SQL_DAG_ARCHIVE);
}

static enum flow_next
archive_answer(struct flow *f)
{
	struct dag_write *s = flow_state(f);

	if (!changed(f, "archive"))
		return FLOW_DONE;
	return resource_written(f, &resource_dags, &s->id, 200);
}

const struct flow_step dag_archive_steps[] = {FLOW_STEP(archive_write),
    FLOW_STEP(archive_answer), RESOURCE_STEPS, FLOW_END};

static enum flow_next
delete_write(struct flow *f)
{
	return change(f, &SQL_DAG_DELETE);
}

static enum flow_next
delete_answer(struct flow *f)
{
	return changed(f, "delete") ? flow_reply_empty(f, 204) : FLOW_DONE;
}

const struct flow_step dag_delete_steps[] = {
    FLOW_STEP(delete_write), FLOW_STEP(delete_answer), FLOW_END};
