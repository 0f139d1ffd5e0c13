/* module.c - the route of GraphQL.
 *
 *   /graphql  POST
 */
#include "graphql/bind.h"
#include "graphql/cache.h"
#include "graphql/http.h"
#include "web/graphql_ws.h"
#include "web/kore_api.h"
#include "web/route.h"
#include "web/websocket.h"

static const struct flow_step post_steps[] = {
    FLOW_STEP(http_ask), FLOW_STEP(http_more), FLOW_STEP(http_answer), FLOW_END};

static enum flow_next
join(struct flow *f)
{
	if (websocket_wanted(f))
		return graphql_ws_accept(f);
	return flow_fail(f, 405, "method_not_allowed",
	    "GraphQL is asked with POST, or over a WebSocket.");
}

static const struct flow_step get_steps[] = {FLOW_STEP(join), FLOW_END};

ROUTE(graphql_graphql, {"GET", get_steps, 0, POLICY_PUBLIC},
    {"POST", post_steps, sizeof(struct execution), POLICY_GRAPHQL})

ROUTE_SHOWN int graphql_module(int);

/* Kore calls it when the module comes and goes. */
int
graphql_module(int action)
{
	if (action == KORE_MODULE_UNLOAD) {
		cache_free();
		bind_free();
	}
	return web_module(action);
}
