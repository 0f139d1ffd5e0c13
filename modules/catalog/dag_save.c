/* dag_save.c - POST and PATCH of DAGs: read the body (a big one on a helper
 * thread), write DAG and version in one statement, answer with the DAG.
 */
#include "catalog/dags.h"

#include <string.h>
#include <strings.h>

#include "exec/op_call.h"
#include "web/config.h"

#include "catalog_sql.h"

/* A smaller body is read at once: waking a thread costs more. */
#define WORK_FROM_BYTES ((size_t)16 * 1024)

bool
dag_id(struct flow *f, struct uuid *id)
{
	if (flow_segment_uuid(f, 3, id))
		return true;
	flow_fail(f, 404, "dag_not_found", "There is no such DAG.");
	return false;
}

void
dag_limits(struct document_limits *limits)
{
	const struct config *config = flow_config();

	limits->bytes = (size_t)config->document_limit;
	limits->nodes = (uint32_t)config->node_limit;
	limits->dependencies = (uint32_t)config->dependency_limit;
}

/* --- the body ------------------------------------------------------------ */

static bool
is_type(const char *content_type, const char *type)
{
	size_t len = strcspn(content_type, "; \t");

	return len == strlen(type) && strncasecmp(content_type, type, len) == 0;
}

/* -1: not a type that we read. */
static int
body_is_yaml(struct flow *f)
{
	const char *type = flow_header(f, "content-type");

	if (flow_body_is_json(f))
		return 0;
	if (is_type(type, "application/yaml") ||
	    is_type(type, "application/x-yaml") || is_type(type, "text/yaml"))
		return 1;
	return -1;
}

static void
read_work(void *state)
{
	struct dag_write *s = state;

	s->result = dag_input_read(&s->input);
}

/* The answer is checked first, so that nothing is written for a bad URL. */
static enum flow_next
read_body(struct flow *f, const struct uuid *id)
{
	struct dag_write *s = flow_state(f);
	struct dag_input *in = &s->input;
	int yaml = body_is_yaml(f);

	if (yaml < 0)
		return flow_fail(f, 415, "unsupported_media_type",
		    "Send application/vnd.api+json or application/yaml.");
	if (!resource_check(f, &resource_dags))
		return FLOW_DONE;
	in->mem = flow_mem(f);
	in->body = flow_body(f, &in->body_len);
	in->yaml = yaml;
	in->id = id;
	in->settings = flow_actor(f)->settings;
	dag_limits(&in->limits);
	if (in->body == NULL)
		in->body = "", in->body_len = 0;
	if (in->body_len >= WORK_FROM_BYTES)
		return flow_work(f, read_work);
	read_work(s);
	return FLOW_NEXT;
}

static enum flow_next
body_faults(struct flow *f)
{
	struct dag_write *s = flow_state(f);

	return flow_fail_faults(f, s->input.status, &s->input.faults, "");
}

static void
name_constraint(struct flow *f)
{
	flow_constraint(f, "dags_name", 409, "name_taken",
	    "The organization already has a DAG of this name.");
}

/* --- POST ---------------------------------------------------------------- */

static enum flow_next
create_read(struct flow *f)
{
	return read_body(f, NULL);
}

static enum flow_next
create_write(struct flow *f)
{
	struct dag_write *s = flow_state(f);
	const struct dag_input *in = &s->input;
	struct sql_params *params;

	if (s->result != 0)
		return body_faults(f);
	s->id = uuid_v7();
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	sql_text(params, in->name);
	sql_text(params, in->description != NULL ? in->description
						 : mem_strdup(flow_mem(f), ""));
	sql_uuid(params, &flow_actor(f)->user);
	sql_text(params, in->canonical);
	sql_bytes(params, in->hash, sizeof(in->hash));
	sql_text_array(params, in->node_names, in->node_count);
	name_constraint(f);
	return flow_query(f, &SQL_DAG_CREATE);
}

static enum flow_next
create_answer(struct flow *f)
{
	struct dag_write *s = flow_state(f);

	return resource_written(f, &resource_dags, &s->id, 201);
}

const struct flow_step dag_create_steps[] = {FLOW_STEP(create_read),
    FLOW_STEP(create_write), FLOW_STEP(create_answer), RESOURCE_STEPS,
    FLOW_END};

/* --- PATCH --------------------------------------------------------------- */

static enum flow_next
update_read(struct flow *f)
{
	struct dag_write *s = flow_state(f);

	if (!dag_id(f, &s->id))
		return FLOW_DONE;
	return read_body(f, &s->id);
}

static enum flow_next
update_look(struct flow *f)
{
	struct dag_write *s = flow_state(f);
	struct sql_params *params;

	if (s->result != 0)
		return body_faults(f);
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	return flow_query(f, &SQL_DAG_BEFORE_UPDATE);
}

/* An unchanged definition makes no version. */
static void
drop_unchanged(struct flow *f)
{
	struct dag_write *s = flow_state(f);
	size_t len;
	const void *hash = sql_get_bytes(flow_rows(f), 0, 2, flow_mem(f), &len);

	if (hash != NULL && len == sizeof(s->input.hash) &&
	    memcmp(hash, s->input.hash, len) == 0)
		s->input.canonical = NULL;
}

static void
update_params(struct flow *f)
{
	struct dag_write *s = flow_state(f);
	const struct dag_input *in = &s->input;
	struct sql_params *params = flow_params(f);

	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	sql_int(params, s->version);
	sql_text(params, in->name);
	sql_text(params, in->description);
	sql_uuid(params, &flow_actor(f)->user);
	sql_text(params, in->canonical);
	if (in->canonical == NULL) {
		sql_null(params);
		sql_null(params);
		return;
	}
	sql_bytes(params, in->hash, sizeof(in->hash));
	sql_text_array(params, in->node_names, in->node_count);
}

static enum flow_next
update_write(struct flow *f)
{
	struct dag_write *s = flow_state(f);

	if (sql_count(flow_rows(f)) == 0)
		return flow_fail(
		    f, 404, "dag_not_found", "There is no such DAG.");
	if (!sql_get_bool(flow_rows(f), 0, 0))
		return flow_fail(f, 403, "forbidden",
		    "Only its creator and admins may change a DAG.");
	s->version = sql_get_int(flow_rows(f), 0, 1);
	if (s->input.seen_version != 0 && s->input.seen_version != s->version)
		return flow_fail_at(f, 409, "version_conflict",
		    "/data/attributes/version", NULL,
		    "The newest version is %lld.", (long long)s->version);
	if (s->input.canonical != NULL)
		drop_unchanged(f);
	if (s->input.canonical == NULL && s->input.name == NULL &&
	    s->input.description == NULL)
		return FLOW_NEXT;
	update_params(f);
	name_constraint(f);
	return flow_query(f, &SQL_DAG_UPDATE);
}

static enum flow_next
update_answer(struct flow *f)
{
	struct dag_write *s = flow_state(f);

	if (sql_count(flow_rows(f)) == 0)
		return flow_fail(f, 409, "version_conflict",
		    "The DAG was changed at the same moment; read it again.");
	return resource_written(f, &resource_dags, &s->id, 200);
}

const struct flow_step dag_update_steps[] = {FLOW_STEP(update_read),
    FLOW_STEP(update_look), FLOW_STEP(update_write), FLOW_STEP(update_answer),
    RESOURCE_STEPS, FLOW_END};
