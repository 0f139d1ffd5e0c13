/* control.h - POST /api/v1/executions/ID/cancel, …/pause and …/resume, for
 * module.c's routes. */
#ifndef OPEN_EXECUTIONS_CONTROL_H
#define OPEN_EXECUTIONS_CONTROL_H

#include "web/resource_flow.h"

struct execution_control {
	struct resource_state answer; /* first, see resource_flow.h */
	struct uuid id;
};

extern const struct flow_step execution_cancel_steps[], execution_pause_steps[],
    execution_resume_steps[];

#endif
