/* rerun.h - POST /api/v1/executions/ID/rerun, for module.c's routes. */
#ifndef OPEN_EXECUTIONS_RERUN_H
#define OPEN_EXECUTIONS_RERUN_H

#include "dag/rerun.h"
#include "executions/once.h"
#include "web/resource_flow.h"

struct execution_rerun {
	struct resource_state answer; /* first, see resource_flow.h */
	struct uuid origin, id;
	bool keeps; /* some results */
	bool failed;
	const char **names;
	size_t name_count;
	const char *context, *metadata; /* JSON objects; NULL: the origin's */
	struct once once;
	struct rerun rerun;
	enum rerun_outcome outcome;
};

extern const struct flow_step execution_rerun_steps[];

#endif
