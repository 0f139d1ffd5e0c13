/* module.c - the route of GraphQL.
 *
 *   /graphql  POST
 */
#include "graphql/bind.h"
#include "graphql/cache.h"
#include "graphql/http.h"
#include "web/kore_api.h"
#include "web/route.h"

static const struct flow_step post_steps[] = {
    FLOW_STEP(http_ask), FLOW_STEP(http_answer), FLOW_END};

ROUTE(graphql_graphql,
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
