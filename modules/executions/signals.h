/* signals.h - signals to an execution, for module.c's routes. */
#ifndef OPEN_EXECUTIONS_SIGNALS_H
#define OPEN_EXECUTIONS_SIGNALS_H

#include "web/resource_flow.h"

struct signal_send {
	struct resource_state answer; /* first, see resource_flow.h */
	struct uuid id, execution;
};

extern const struct flow_step signal_send_steps[];

#endif
