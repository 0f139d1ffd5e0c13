/* route.h - one handler per path, one table of steps per method.
 *
 * Kore knows one handler per path. A module has, for each,
 *
 *   ROUTE(catalog_dags,
 *       {"GET", dags_steps, READ, POLICY_DAG_READ},
 *       {"POST", dag_create_steps, WRITE, POLICY_DAG_CREATE})
 *
 * which makes the handler and shows its table to the server's start: a route
 * whose method names no action of policy.h stops it.
 */
#ifndef OPEN_WEB_ROUTE_H
#define OPEN_WEB_ROUTE_H

#include "web/flow.h"
#include "web/policy.h"

/* A GET that asks for a WebSocket. */
#define ROUTE_WEBSOCKET "WEBSOCKET"

struct route_method {
	const char *method; /* "GET" answers HEAD too; NULL ends the table */
	const struct flow_step *steps;
	size_t state_size;
	enum policy_action action;
};

/* Runs the steps of the request's method; 405 where there are none. */
int route_run(struct http_request *, const struct route_method *);

/* The method that names no action; NULL: all do. */
const char *route_fault(const struct route_method *);

#define ROUTE_SHOWN   __attribute__((visibility("default")))
#define ROUTE_METHODS "_methods" /* after the handler's name */

/* The handler reads its own table, never the symbol: that might be another
 * module's after a reload. */
#define ROUTE(handler, ...)                                                    \
	static const struct route_method handler##_table[] = {                 \
	    __VA_ARGS__, {NULL, NULL, 0, POLICY_NONE}};                        \
	extern ROUTE_SHOWN const struct route_method *const handler##_methods; \
	const struct route_method *const handler##_methods = handler##_table;  \
	ROUTE_SHOWN int handler(struct http_request *);                        \
	int handler(struct http_request *req)                                  \
	{                                                                      \
		return route_run(req, handler##_table);                        \
	}

/* A module's callback in kore.conf, or what one of its own calls: it may go when
 * no thread runs its code. */
int web_module(int action);

#endif
