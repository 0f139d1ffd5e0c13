/* route.h - one handler per path, one table of steps per method.
 *
 * Kore knows one handler per path. A handler is
 *   return route_run(req, table);
 */
#ifndef OPEN_WEB_ROUTE_H
#define OPEN_WEB_ROUTE_H

#include "web/flow.h"

struct route_method {
	const char *method; /* "GET" answers HEAD too; NULL ends the table */
	const struct flow_step *steps;
	size_t state_size;
};

/* Runs the steps of the request's method; 405 where there are none. */
int route_run(struct http_request *, const struct route_method *);

#endif
