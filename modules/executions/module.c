/* module.c - the executions' routes: start, watch and control runs.
 *
 *   /api/v1/executions                     GET POST
 *   /api/v1/executions/ID                  GET
 *   /api/v1/executions/ID/cancel           POST
 *   /api/v1/executions/ID/pause            POST
 *   /api/v1/executions/ID/resume           POST
 *   /api/v1/executions/ID/rerun            POST
 *   /api/v1/executions/ID/node-executions  GET
 *   /api/v1/executions/ID/children         GET
 *   /api/v1/executions/ID/signals          GET POST
 *   /api/v1/signals                        GET
 *   /api/v1/signals/ID                     GET
 *   /api/v1/dags/ID/executions             GET
 *   /api/v1/node-executions                GET
 *   /api/v1/node-executions/ID             GET
 *   /api/v1/node-executions/ID/elements    GET
 *   /api/v1/openapi.json                   GET
 */
#include "executions/control.h"
#include "executions/rerun.h"
#include "executions/signals.h"
#include "executions/start.h"
#include "web/route.h"

/* --- lists --------------------------------------------------------------- */

static enum flow_next
list_ask(struct flow *f)
{
	return resource_list(f, &resource_executions, NULL);
}

static enum flow_next
nodes_ask(struct flow *f)
{
	return resource_list(f, &resource_node_executions, NULL);
}

/* A list below path segment 3, the id of a parent. */
static enum flow_next
list_of(struct flow *f, const struct resource *r, const char *path,
    struct resource_parent parent)
{
	if (!flow_segment_uuid(f, 3, &parent.id))
		return flow_fail(f, 404, parent.resource->not_found,
		    "There is no such resource: %s.", parent.resource->type);
	parent.path = mem_printf(flow_mem(f), "%s/%s/%s", parent.resource->path,
	    flow_segment(f, 3), path);
	return resource_list(f, r, &parent);
}

static enum flow_next
nodes_of_ask(struct flow *f)
{
	return list_of(f, &resource_node_executions, "node-executions",
	    (struct resource_parent){
		.resource = &resource_executions, .filter = "execution"});
}

static enum flow_next
of_dag_ask(struct flow *f)
{
	return list_of(f, &resource_executions, "executions",
	    (struct resource_parent){
		.resource = &resource_dags, .filter = "dag"});
}

static enum flow_next
children_ask(struct flow *f)
{
	return list_of(f, &resource_executions, "children",
	    (struct resource_parent){
		.resource = &resource_executions, .filter = "parent"});
}

static enum flow_next
signals_of_ask(struct flow *f)
{
	return list_of(f, &resource_signals, "signals",
	    (struct resource_parent){
		.resource = &resource_executions, .filter = "execution"});
}

static enum flow_next
signals_ask(struct flow *f)
{
	return resource_list(f, &resource_signals, NULL);
}

/* Of what is no node's id there are none. */
static enum flow_next
elements_ask(struct flow *f)
{
	struct uuid id, execution;
	uint32_t node;

	if (flow_segment_uuid(f, 3, &id) &&
	    !(uuid_node_execution_split(&id, &execution, &node) &&
		node < INT32_MAX))
		return flow_fail(f, 404, resource_node_executions.not_found,
		    "There is no such resource: node-executions.");
	return list_of(f, &resource_elements, "elements",
	    (struct resource_parent){.resource = &resource_node_executions,
		.filter = "node-execution"});
}

static const struct flow_step list_steps[] = {
    FLOW_STEP(list_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step nodes_steps[] = {
    FLOW_STEP(nodes_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step nodes_of_steps[] = {
    FLOW_STEP(nodes_of_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step elements_steps[] = {
    FLOW_STEP(elements_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step of_dag_steps[] = {
    FLOW_STEP(of_dag_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step children_steps[] = {
    FLOW_STEP(children_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step signals_of_steps[] = {
    FLOW_STEP(signals_of_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step signals_steps[] = {
    FLOW_STEP(signals_ask), RESOURCE_STEPS, FLOW_END};

/* --- one ----------------------------------------------------------------- */

static enum flow_next
one_ask(struct flow *f, const struct resource *r)
{
	struct uuid id;

	if (!flow_segment_uuid(f, 3, &id))
		return flow_fail(f, 404, r->not_found,
		    "There is no such resource: %s.", r->type);
	return resource_show(f, r, &id);
}

static enum flow_next
show_ask(struct flow *f)
{
	return one_ask(f, &resource_executions);
}

static enum flow_next
signal_ask(struct flow *f)
{
	return one_ask(f, &resource_signals);
}

/* An execution's id names no node: node indexes count from 0, ids from 1. */
static enum flow_next
node_ask(struct flow *f)
{
	struct uuid id, execution;
	uint32_t node;

	if (flow_segment_uuid(f, 3, &id) &&
	    !(uuid_node_execution_split(&id, &execution, &node) &&
		node < INT32_MAX))
		return flow_fail(f, 404, resource_node_executions.not_found,
		    "There is no such resource: node-executions.");
	return one_ask(f, &resource_node_executions);
}

static const struct flow_step show_steps[] = {
    FLOW_STEP(show_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step signal_steps[] = {
    FLOW_STEP(signal_ask), RESOURCE_STEPS, FLOW_END};
static const struct flow_step node_steps[] = {
    FLOW_STEP(node_ask), RESOURCE_STEPS, FLOW_END};

/* --- openapi.json -------------------------------------------------------- */

static enum flow_next
openapi_answer(struct flow *f)
{
	struct buf b;

	buf_create(&b, 0);
	openapi_write(&b);
	if (buf_failed(&b)) {
		buf_free(&b);
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	}
	return flow_reply(f, 200, &b, "application/json", NULL);
}

static const struct flow_step openapi_steps[] = {
    FLOW_STEP(openapi_answer), FLOW_END};

/* --- routes -------------------------------------------------------------- */

#define READ sizeof(struct resource_state)
ROUTE(executions_executions, {"GET", list_steps, READ, POLICY_EXECUTION_READ},
    {"POST", execution_start_steps, sizeof(struct execution_start),
	POLICY_EXECUTION_START})

ROUTE(executions_execution, {"GET", show_steps, READ, POLICY_EXECUTION_READ})

ROUTE(executions_cancel,
    {"POST", execution_cancel_steps, sizeof(struct execution_control),
	POLICY_EXECUTION_CANCEL})

ROUTE(executions_pause,
    {"POST", execution_pause_steps, sizeof(struct execution_control),
	POLICY_EXECUTION_PAUSE})

ROUTE(executions_resume,
    {"POST", execution_resume_steps, sizeof(struct execution_control),
	POLICY_EXECUTION_RESUME})

ROUTE(executions_rerun,
    {"POST", execution_rerun_steps, sizeof(struct execution_rerun),
	POLICY_EXECUTION_RERUN})

ROUTE(executions_nodes_of, {"GET", nodes_of_steps, READ, POLICY_EXECUTION_READ})

ROUTE(executions_children, {"GET", children_steps, READ, POLICY_EXECUTION_READ})

ROUTE(executions_signals_of,
    {"GET", signals_of_steps, READ, POLICY_EXECUTION_READ},
    {"POST", signal_send_steps, sizeof(struct signal_send),
	POLICY_EXECUTION_SIGNAL})

ROUTE(executions_signals, {"GET", signals_steps, READ, POLICY_EXECUTION_READ})

ROUTE(executions_signal, {"GET", signal_steps, READ, POLICY_EXECUTION_READ})

ROUTE(executions_of_dag, {"GET", of_dag_steps, READ, POLICY_EXECUTION_READ})

ROUTE(executions_nodes, {"GET", nodes_steps, READ, POLICY_EXECUTION_READ})

ROUTE(executions_node, {"GET", node_steps, READ, POLICY_EXECUTION_READ})

ROUTE(executions_elements, {"GET", elements_steps, READ, POLICY_EXECUTION_READ})

ROUTE(executions_openapi, {"GET", openapi_steps, 0, POLICY_PUBLIC})
