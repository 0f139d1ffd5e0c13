/* rerun.c - runs an execution again as a new one: which nodes, by the plan of
 * the version it ran; then the row and the history that is kept, in one
 * statement. A server takes it as those of openctl.
 */
#include "executions/rerun.h"

#include <string.h>

#include "exec/op_call.h"
#include "web/config.h"
#include "web/resource_body.h"

#include "executions_sql.h"

static enum flow_next
not_found(struct flow *f)
{
	return flow_fail(
	    f, 404, "execution_not_found", "There is no such execution.");
}

static enum flow_next
not_ended(struct flow *f)
{
	return flow_fail(f, 409, "execution_not_ended",
	    "Only an execution that has ended can be run again.");
}

/* --- the body ------------------------------------------------------------- */

static const struct action *
rerun_action(void)
{
	const struct action *action = resource_executions.actions;

	while (strcmp(action->name, "rerun") != 0)
		action++;
	return action;
}

static void
names_read(struct flow *f, const struct json *list, struct faults *faults)
{
	struct execution_rerun *s = flow_state(f);
	uint32_t i;

	s->name_count = list->count;
	s->names = mem_array(flow_mem(f), list->count, sizeof(*s->names));
	if (list->count == 0)
		faults_add(faults, list, "/data/attributes/nodes",
		    "missing_nodes", "Name at least one node.");
	for (i = 0; s->names != NULL && i < list->count; i++) {
		s->names[i] = list->items[i]->string;
		if (list->items[i]->type == JSON_STRING)
			continue;
		s->names[i] = "";
		faults_add(faults, list->items[i],
		    mem_printf(flow_mem(f), "/data/attributes/nodes/%u", i),
		    "invalid_type", "A node's name is a string.");
	}
}

static const char *
object_read(struct flow *f, const struct resource_body *body, const char *name,
    struct faults *faults)
{
	const struct json *value = resource_body_get(body, name);
	size_t limit = (size_t)flow_config()->context_limit;
	const char *text;
	struct buf b;

	if (value == NULL)
		return NULL;
	buf_create(&b, 0);
	json_write_canonical(&b, value);
	if (!buf_failed(&b) && b.len > limit)
		faults_add(faults, value,
		    mem_printf(flow_mem(f), "/data/attributes/%s", name),
		    mem_printf(flow_mem(f), "%s_too_large", name),
		    "The %s has %zu bytes, more than %zu.", name, b.len, limit);
	text = buf_failed(&b) ? NULL : mem_strndup(flow_mem(f), b.data, b.len);
	buf_free(&b);
	return text;
}

static void
attributes_read(
    struct flow *f, const struct resource_body *body, struct faults *faults)
{
	struct execution_rerun *s = flow_state(f);
	const struct json *nodes = resource_body_get(body, "nodes");
	const struct json *from = resource_body_get(body, "from");

	if (nodes != NULL)
		names_read(f, nodes, faults);
	if (from != NULL && !json_is_string(from, "failed"))
		faults_add(faults, from, "/data/attributes/from",
		    "invalid_value", "\"from\" is \"failed\".");
	if (nodes != NULL && from != NULL)
		faults_add(faults, from, "/data/attributes/from",
		    "ambiguous_rerun",
		    "A rerun is of nodes or from failed, not both.");
	s->failed = from != NULL;
	s->keeps = nodes != NULL || from != NULL;
	s->context = object_read(f, body, "context", faults);
	s->metadata = object_read(f, body, "metadata", faults);
	if (s->keeps && s->context != NULL)
		faults_add(faults, resource_body_get(body, "context"),
		    "/data/attributes/context", "context_not_allowed",
		    "Results that are kept belong to the origin's context.");
}

/* False: it has answered. */
static bool
body_read(struct flow *f)
{
	const struct json *root;
	struct resource_body body;
	struct faults faults;
	size_t len = 0;

	if (flow_body(f, &len) == NULL || len == 0)
		return true;
	if ((root = flow_json(f)) == NULL)
		return false;
	faults_create(&faults, flow_mem(f), 20);
	if (resource_action_read(root, rerun_action(), &faults, &body) == 0)
		attributes_read(f, &body, &faults);
	if (faults.count == 0)
		return true;
	flow_fail_faults(f, body.status != 0 ? body.status : 422, &faults, "");
	return false;
}

/* --- which nodes ---------------------------------------------------------- */

static enum flow_next
rerun_read(struct flow *f)
{
	struct execution_rerun *s = flow_state(f);
	struct sql_params *params;

	if (!flow_segment_uuid(f, 3, &s->origin))
		return not_found(f);
	if (!resource_check(f, &resource_executions) || !body_read(f) ||
	    !once_read(f, &s->once))
		return FLOW_DONE;
	if (!s->keeps)
		return FLOW_NEXT;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->origin);
	return flow_query(f, &SQL_RERUN_ORIGIN);
}

static void
choose_work(void *state)
{
	struct execution_rerun *s = state;

	s->outcome = rerun_choose(&s->rerun);
}

static enum flow_next
rerun_choose_nodes(struct flow *f)
{
	struct execution_rerun *s = flow_state(f);
	const struct sql_rows *rows = flow_rows(f);
	struct mem *m = flow_mem(f);
	struct rerun *r = &s->rerun;
	struct document_limits *limits;
	const char *status;

	if (!s->keeps)
		return FLOW_NEXT;
	if (sql_count(rows) == 0)
		return not_found(f);
	status = sql_get(rows, 0, 0);
	if (status[0] == 'p' || status[0] == 'r')
		return not_ended(f);
	if (strcmp(sql_get(rows, 0, 1), "memory") == 0)
		return flow_fail(f, 409, "no_history",
		    "The execution keeps no results (durability: memory): it "
		    "can only be run again from the beginning.");
	r->mem = m;
	r->plan = sql_get_bytes(rows, 0, 2, m, &r->plan_len);
	r->definition_len = sql_get_len(rows, 0, 3);
	r->definition = mem_strndup(m, sql_get(rows, 0, 3), r->definition_len);
	r->ended = mem_strdup(m, sql_get(rows, 0, 4));
	r->states = mem_strdup(m, sql_get(rows, 0, 5));
	r->ops = op_table_set();
	r->failed = s->failed;
	r->names = s->names;
	r->name_count = s->name_count;
	r->limits = limits = mem_alloc(m, sizeof(*limits));
	if (mem_failed(m))
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	limits->nodes = (uint32_t)flow_config()->node_limit;
	limits->dependencies = (uint32_t)flow_config()->dependency_limit;
	return flow_work(f, choose_work);
}

/* FLOW_NEXT: there is something to run. */
static enum flow_next
judge(struct flow *f)
{
	const struct execution_rerun *s = flow_state(f);

	switch (s->outcome) {
	case RERUN_READY:
		return FLOW_NEXT;
	case RERUN_UNKNOWN:
		return flow_fail_at(f, 422, "unknown_node",
		    mem_printf(flow_mem(f), "/data/attributes/nodes/%zu",
			s->rerun.unknown),
		    NULL, "The execution has no node \"%s\".",
		    s->names[s->rerun.unknown]);
	case RERUN_NOTHING:
		return flow_fail(f, 409, "nothing_to_rerun",
		    "No node of the execution failed.");
	case RERUN_BROKEN:
		break;
	}
	return flow_fail(
	    f, 503, s->rerun.fault.code, "%s", s->rerun.fault.message);
}

/* --- the row -------------------------------------------------------------- */

/* What the request asks for, beside its key. */
static bool
hash_request(struct flow *f)
{
	struct execution_rerun *s = flow_state(f);
	char origin[UUID_TEXT];
	struct buf names;
	bool done;

	buf_create(&names, 0);
	for (size_t i = 0; i < s->name_count; i++)
		buf_printf(&names, "%s\n", s->names[i]);
	uuid_format(&s->origin, origin);
	if (s->name_count > 0 && !buf_failed(&names))
		buf_putc(&names, '\0');
	done = once_hash(f, &s->once,
	    (const char *const[]){"rerun", origin, s->failed ? "failed" : NULL,
		s->name_count > 0 ? names.data : NULL, s->context, s->metadata},
	    6);
	buf_free(&names);
	return done;
}

static enum flow_next
rerun_write(struct flow *f)
{
	struct execution_rerun *s = flow_state(f);
	const struct actor *actor = flow_actor(f);
	struct sql_params *params;
	enum flow_next next = s->keeps ? judge(f) : FLOW_NEXT;

	if (next != FLOW_NEXT)
		return next;
	if (s->once.key != NULL && !hash_request(f))
		return FLOW_DONE;
	s->id = uuid_execution();
	params = flow_params(f);
	sql_uuid(params, &actor->organization);
	sql_uuid(params, &s->origin);
	sql_uuid(params, &s->id);
	if (s->keeps)
		sql_bytes(params, s->rerun.keep, s->rerun.node_count);
	else
		sql_null(params);
	sql_uuid(params, &actor->user);
	sql_text(params, s->context);
	sql_text(params, s->metadata);
	start_permissions(params);
	if (s->once.key == NULL)
		return flow_query(f, &SQL_RERUN);
	sql_text(params, s->once.key);
	sql_bytes(params, s->once.hash, sizeof(s->once.hash));
	return flow_query(f, &SQL_RERUN_ONCE);
}

static enum flow_next
rerun_answer(struct flow *f)
{
	struct execution_rerun *s = flow_state(f);
	const struct sql_rows *rows = flow_rows(f);
	const char *outcome;

	if (sql_count(rows) == 0)
		return not_found(f);
	outcome = sql_get(rows, 0, 0);
	if (strcmp(outcome, "not_ended") == 0)
		return not_ended(f);
	if (strcmp(outcome, "forbidden") == 0)
		return flow_fail(f, 403, "forbidden",
		    "Only who started it, its DAG's creator and admins may run "
		    "an execution again.");
	if (strcmp(outcome, "not_active") == 0)
		return flow_fail(f, 409, "dag_not_active",
		    "Only executions of an active DAG can be run again.");
	if (strcmp(outcome, "not_allowed") == 0)
		return flow_fail(f, 403, "op_not_allowed",
		    "The organization's settings don't allow an op of this "
		    "DAG.");
	if (strcmp(outcome, "reused") == 0)
		return once_reused(f);
	if (strcmp(outcome, "replayed") != 0)
		return resource_written(f, &resource_executions, &s->id, 201);
	sql_get_uuid(rows, 0, 1, &s->id);
	once_replayed(f);
	return resource_written(f, &resource_executions, &s->id, 200);
}

const struct flow_step execution_rerun_steps[] = {FLOW_STEP(rerun_read),
    FLOW_STEP(rerun_choose_nodes), FLOW_STEP(rerun_write),
    FLOW_STEP(rerun_answer), RESOURCE_STEPS, FLOW_END};
