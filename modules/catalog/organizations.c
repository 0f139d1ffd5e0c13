/* organizations.c - organizations, read: limits and usage; a member's own.
 *
 *   /api/v1/organizations     GET
 *   /api/v1/organizations/ID  GET
 */
#include "web/resource_flow.h"
#include "web/route.h"

static enum flow_next
list_ask(struct flow *f)
{
	return resource_list(f, &resource_organizations, NULL);
}

static enum flow_next
show_ask(struct flow *f)
{
	struct uuid id;

	if (!flow_segment_uuid(f, 3, &id))
		return flow_fail(f, 404, resource_organizations.not_found,
		    "There is no such organization.");
	return resource_show(f, &resource_organizations, &id);
}

static const struct flow_step list_steps[] = {
    FLOW_STEP(list_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step show_steps[] = {
    FLOW_STEP(show_ask), RESOURCE_STEPS, FLOW_END};

ROUTE(catalog_organizations, {"GET", list_steps, sizeof(struct resource_state),
				 POLICY_ORGANIZATION_READ})
ROUTE(catalog_organization, {"GET", show_steps, sizeof(struct resource_state),
				POLICY_ORGANIZATION_READ})
