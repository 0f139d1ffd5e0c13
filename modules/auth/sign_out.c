/* sign_out.c - sessions end.
 *
 *   /api/v1/auth/sign-out             POST
 *   /api/v1/auth/sign-out-everywhere  POST
 */
#include "web/route.h"
#include "web/session.h"

#include "auth_sql.h"

static bool
has_session(struct flow *f)
{
	if (flow_actor(f)->session)
		return true;
	flow_fail(f, 403, "session_needed",
	    "An API token is not signed out, it is revoked.");
	return false;
}

static enum flow_next
end_ask(struct flow *f)
{
	struct sql_params *params;
	if (!has_session(f))
		return FLOW_DONE;
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_uuid(params, &flow_actor(f)->token);
	return flow_query(f, &SQL_SESSION_END);
}

static enum flow_next
end_all_ask(struct flow *f)
{
	if (!has_session(f))
		return FLOW_DONE;
	(void)flow_params(f); /* none */
	return flow_query(f, &SQL_SESSIONS_END);
}

static enum flow_next
end_tell(struct flow *f)
{
	if (flow_header(f, "cookie") != NULL)
		session_cookie(f, NULL);
	return flow_reply_empty(f, 204);
}

static const struct flow_step end_steps[] = {
    FLOW_STEP(end_ask), FLOW_STEP(end_tell), FLOW_END};
static const struct flow_step end_all_steps[] = {
    FLOW_STEP(end_all_ask), FLOW_STEP(end_tell), FLOW_END};

ROUTE(auth_sign_out, {"POST", end_steps, 0, POLICY_SIGN_OUT})
ROUTE(auth_sign_out_everywhere, {"POST", end_all_steps, 0, POLICY_SIGN_OUT})
