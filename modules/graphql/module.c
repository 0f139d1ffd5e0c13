/* module.c - the route of GraphQL.
 *
 *   /graphql  GET POST (operations.c has the registered ones)
 */
#include "graphql/bind.h"
#include "graphql/cache.h"
#include "graphql/http.h"
#include "graphql/persisted.h"
#include "web/graphql_ws.h"
#include "web/kore_api.h"
#include "web/route.h"

static const struct flow_step steps[] = {FLOW_STEP(http_begin),
    FLOW_STEP(http_ask), FLOW_STEP(http_more), FLOW_STEP(http_answer),
    FLOW_END};

static const struct flow_step join_steps[] = {
    FLOW_STEP(graphql_ws_accept), FLOW_END};

ROUTE(graphql_graphql, {"GET", steps, sizeof(struct execution), POLICY_GRAPHQL},
    {"POST", steps, sizeof(struct execution), POLICY_GRAPHQL},
    {ROUTE_WEBSOCKET, join_steps, 0, POLICY_PUBLIC})

ROUTE_SHOWN int graphql_module(int);

/* Kore calls it when the module comes and goes. */
int
graphql_module(int action)
{
	if (action == KORE_MODULE_UNLOAD) {
		cache_free();
		persisted_free();
		bind_free();
	}
	return web_module(action);
}
