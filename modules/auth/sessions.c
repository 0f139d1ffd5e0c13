/* sessions.c - one's own sessions over REST: where one is signed in, and the end
 * of each.
 *
 *   /api/v1/sessions      GET
 *   /api/v1/sessions/ID   GET DELETE
 */
#include "web/resource_flow.h"
#include "web/route.h"

#include "auth_sql.h"

static enum flow_next
not_found(struct flow *f)
{
	return flow_fail(
	    f, 404, "session_not_found", "There is no such session.");
}

static enum flow_next
list_ask(struct flow *f)
{
	return resource_list(f, &resource_sessions, NULL);
}

static enum flow_next
one_ask(struct flow *f)
{
	struct uuid id;

	if (!flow_segment_uuid(f, 3, &id))
		return not_found(f);
	return resource_show(f, &resource_sessions, &id);
}

static enum flow_next
revoke_write(struct flow *f)
{
	struct sql_params *params;
	struct uuid id;

	if (!flow_segment_uuid(f, 3, &id))
		return not_found(f);
	if (!resource_check(f, &resource_sessions))
		return FLOW_DONE;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &id);
	return flow_query(f, &SQL_SESSION_REVOKE);
}

static enum flow_next
revoke_answer(struct flow *f)
{
	if (sql_count(flow_rows(f)) == 0)
		return not_found(f);
	return flow_reply_empty(f, 204);
}

static const struct flow_step list_steps[] = {
    FLOW_STEP(list_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step one_steps[] = {
    FLOW_STEP(one_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step revoke_steps[] = {
    FLOW_STEP(revoke_write), FLOW_STEP(revoke_answer), FLOW_END};

#define STATE sizeof(struct resource_state)

ROUTE(auth_sessions, {"GET", list_steps, STATE, POLICY_SESSION_READ})

ROUTE(auth_session, {"GET", one_steps, STATE, POLICY_SESSION_READ},
    {"DELETE", revoke_steps, STATE, POLICY_SESSION_DELETE})
