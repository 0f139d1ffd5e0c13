/* subscribe.c - what of a subscription's selection events can tell. */
#include "graphql/subscribe.h"

#include <string.h>

#include "base/clock.h"
#include "graphql/input.h"
#include "graphql/schema.h"
#include "web/subscription.h"

bool
subscribe_wanted(const struct flow *f, const struct gql_definition *operation)
{
	const enum live_purpose *purpose = subscription_purpose(f);

	return operation->operation == GQL_SUBSCRIPTION && purpose != NULL &&
	       *purpose == LIVE_OPERATION;
}

int
subscribe_check(const struct flow *f, const struct gql_definition *operation,
    struct gql_error *e)
{
	if (operation->operation == GQL_SUBSCRIPTION &&
	    subscription_purpose(f) == NULL)
		return gql_fail(e, "operation_not_supported", operation->at,
		    "A subscription needs a connection on which answers can "
		    "follow: a WebSocket (graphql-transport-ws) or an event "
		    "stream.");
	return 0;
}

const struct uuid *
subscribe_subject(const struct flow *f)
{
	const enum live_purpose *purpose = subscription_purpose(f);

	return purpose != NULL && *purpose == LIVE_SNAPSHOT
		   ? subscription_subject(f)
		   : NULL;
}

/* --- the plan ------------------------------------------------------------- */

static const char *
field_name(const struct plan_out *o)
{
	switch (o->kind) {
	case OUT_SCALAR:
		return o->field;
	case OUT_TYPENAME:
		return "__typename";
	case OUT_ONE:
	case OUT_LIST:
	case OUT_CONNECTION:
	case OUT_EDGES:
	case OUT_NODES:
	case OUT_PAGE_INFO:
	case OUT_TOTAL:
	case OUT_NODE:
	case OUT_CURSOR:
	case OUT_HAS_NEXT:
	case OUT_HAS_PREVIOUS:
	case OUT_START_CURSOR:
	case OUT_END_CURSOR:
		break;
	}
	return NULL;
}

static const struct live_field_plan *
fields_of(struct mem *m, const struct plan_out *children, unsigned *count)
{
	struct live_field_plan *fields;
	const struct plan_out *o;
	unsigned n = 0;

	for (o = children; o != NULL; o = o->next)
		n++;
	fields = mem_array(m, n + 1, sizeof(*fields));
	*count = n;
	for (o = children, n = 0; fields != NULL && o != NULL; o = o->next) {
		fields[n].key = mem_strndup(m, o->response.s, o->response.len);
		fields[n++].name = field_name(o);
	}
	return fields;
}

static const char *
argument_text(struct mem *m, const struct json *variables,
    const struct plan_root *root, const char *name, size_t *len)
{
	struct plan_input in =
	    input_argument(m, variables, root->collected->nodes[0], name);

	return input_present(&in) ? input_text(m, &in, len) : NULL;
}

static int
read_arguments(struct mem *m, const struct json *variables,
    const struct plan_root *root, struct live_plan *out, struct gql_error *e)
{
	size_t len = 0;
	const char *text =
	    argument_text(m, variables, root, "executionId", &len);

	/* An id that is none exists nowhere. */
	if (text == NULL || !uuid_parse(text, len, &out->execution))
		memset(&out->execution, 0, sizeof(out->execution));
	text = argument_text(m, variables, root, "since", &len);
	out->since_given = text != NULL;
	if (text != NULL && !time_parse(text, len, &out->since_us))
		return gql_fail(e, "invalid_argument", root->at,
		    "since must be a time as RFC 3339 writes it.");
	return 0;
}

enum flow_next
subscribe_ask(struct flow *f, const struct query_plan *plan,
    const struct json *variables, struct gql_error *e)
{
	const struct plan_root *root = plan->roots;
	const struct gql_name *type;
	struct live_plan live = {.key = NULL};

	if (root->kind != ROOT_ONE || plan->root_count != 1) {
		gql_fail(e, "operation_not_supported", root->at,
		    "A subscription has one field, which tells of events.");
		return FLOW_NEXT;
	}
	live.key =
	    mem_strndup(flow_mem(f), root->response.s, root->response.len);
	type = &gql_type_named(root->collected->field->type)->name;
	live.nodes = gql_name_is(type, "NodeExecution", 13);
	live.fields =
	    fields_of(flow_mem(f), root->out.children, &live.field_count);
	if (read_arguments(flow_mem(f), variables, root, &live, e) != 0)
		return FLOW_NEXT;
	if (mem_failed(flow_mem(f))) {
		gql_fail(e, "out_of_memory", root->at, "Out of memory.");
		return FLOW_NEXT;
	}
	return subscription_ask(f, &live);
}
