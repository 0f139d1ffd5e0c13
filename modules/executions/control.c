/* control.c - what people ask of executions that run: one durable change of the
 * row, of which the server that runs it is told (see web/control.c).
 */
#include "executions/control.h"

#include "executions_sql.h"

/* NULL: it has answered. The first parameters of all statements here. */
static struct sql_params *
params_put(struct flow *f)
{
	struct execution_control *s = flow_state(f);
	struct sql_params *params;

	if (!flow_segment_uuid(f, 3, &s->id)) {
		flow_fail(f, 404, "execution_not_found",
		    "There is no such execution.");
		return NULL;
	}
	if (!resource_check(f, &resource_executions))
		return NULL;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &s->id);
	return params;
}

/* FLOW_NEXT: it was there, allowed, and has not ended. */
static enum flow_next
judge(struct flow *f, const char *verb)
{
	const struct sql_rows *rows = flow_rows(f);
	const char *status;

	if (sql_count(rows) == 0)
		return flow_fail(f, 404, "execution_not_found",
		    "There is no such execution.");
	if (!sql_get_bool(rows, 0, 0))
		return flow_fail(f, 403, "forbidden",
		    "Only who started it, its DAG's creator and admins may %s "
		    "an execution.",
		    verb);
	status = sql_get(rows, 0, 1);
	if (status[0] != 'p' && status[0] != 'r')
		return flow_fail(f, 409, "execution_ended",
		    "The execution has already ended: %s.", status);
	return FLOW_NEXT;
}

static enum flow_next
answer(struct flow *f)
{
	struct execution_control *s = flow_state(f);

	return resource_written(f, &resource_executions, &s->id, 202);
}

/* --- cancel --------------------------------------------------------------- */

static enum flow_next
cancel_write(struct flow *f)
{
	if (params_put(f) == NULL)
		return FLOW_DONE;
	return flow_query(f, &SQL_EXECUTION_CANCEL);
}

/* The request is durable. An arena of this server hears of it at once. */
static enum flow_next
cancel_answer(struct flow *f)
{
	struct execution_control *s = flow_state(f);
	enum flow_next next = judge(f, "cancel");

	if (next != FLOW_NEXT)
		return next;
	exec_cancel(flow_exec(), &s->id);
	return answer(f);
}

const struct flow_step execution_cancel_steps[] = {FLOW_STEP(cancel_write),
    FLOW_STEP(cancel_answer), RESOURCE_STEPS, FLOW_END};

/* --- pause, resume -------------------------------------------------------- */

static enum flow_next
pause_ask(struct flow *f, bool pause)
{
	struct sql_params *params = params_put(f);

	if (params == NULL)
		return FLOW_DONE;
	sql_bool(params, pause);
	return flow_query(f, &SQL_EXECUTION_PAUSE);
}

static enum flow_next
pause_write(struct flow *f)
{
	return pause_ask(f, true);
}

static enum flow_next
pause_answer(struct flow *f)
{
	enum flow_next next = judge(f, "pause");

	if (next != FLOW_NEXT)
		return next;
	if (sql_get_bool(flow_rows(f), 0, 2))
		return flow_fail(f, 409, "cancel_requested",
		    "The execution's cancellation was asked for: it can't be "
		    "paused any more.");
	return answer(f);
}

static enum flow_next
resume_write(struct flow *f)
{
	return pause_ask(f, false);
}

static enum flow_next
resume_answer(struct flow *f)
{
	enum flow_next next = judge(f, "resume");

	return next != FLOW_NEXT ? next : answer(f);
}

const struct flow_step execution_pause_steps[] = {
    FLOW_STEP(pause_write), FLOW_STEP(pause_answer), RESOURCE_STEPS, FLOW_END};
const struct flow_step execution_resume_steps[] = {FLOW_STEP(resume_write),
    FLOW_STEP(resume_answer), RESOURCE_STEPS, FLOW_END};
