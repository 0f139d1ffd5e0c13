/* start.h - POST /api/v1/executions, for module.c's routes. */
#ifndef OPEN_EXECUTIONS_START_H
#define OPEN_EXECUTIONS_START_H

#include "executions/once.h"
#include "web/resource_flow.h"

struct execution_start {
	struct resource_state answer; /* first, see resource_flow.h */
	struct start_request request;
	struct once once;
	struct uuid id; /* with a key */
};

extern const struct flow_step execution_start_steps[];

#endif
