/* module.c - the audit log's route.
 *
 *   /api/v1/audit-log   GET
 */
#include "web/resource_flow.h"
#include "web/route.h"

static enum flow_next
list_ask(struct flow *f)
{
	return resource_list(f, &resource_audit_log, NULL);
}

static const struct flow_step list_steps[] = {
    FLOW_STEP(list_ask), RESOURCE_STEPS, FLOW_END};

ROUTE(audit_log,
    {"GET", list_steps, sizeof(struct resource_state), POLICY_AUDIT_READ})
