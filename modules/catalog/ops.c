/* ops.c - the ops that this server knows, for whoever writes a document.
 *
 *   /api/v1/ops        GET
 *   /api/v1/ops/NAME   GET
 */
#include <string.h>

#include "exec/op_reference.h"
#include "web/route.h"

static void
put_op(struct buf *b, const struct op_schema *op)
{
	buf_puts(b, "{\"type\":\"ops\",\"id\":");
	json_write_string(b, op->name, strlen(op->name));
	buf_puts(b, ",\"attributes\":");
	op_reference_json(b, op);
	buf_printf(b, ",\"links\":{\"self\":\"/api/v1/ops/%s\"}}", op->name);
}

static bool
parameters_known(struct flow *f)
{
	static const char *const none[] = {NULL};
	const char *name = flow_unknown_parameter(f, none);

	if (name == NULL)
		return true;
	flow_fail_at(f, 400, "unknown_parameter", NULL, name,
	    "There is no such parameter here.");
	return false;
}

static enum flow_next
list(struct flow *f)
{
	const struct op_set *set = op_table_set();
	struct buf b;

	if (!parameters_known(f))
		return FLOW_DONE;
	buf_create(&b, 0);
	buf_puts(&b, "{\"data\":[");
	for (size_t i = 0; i < set->count; i++) {
		if (i > 0)
			buf_putc(&b, ',');
		put_op(&b, set->ops[i]);
	}
	buf_puts(&b, "],\"links\":{\"self\":\"/api/v1/ops\"}}");
	return flow_reply(f, 200, &b, NULL, NULL);
}

static enum flow_next
one(struct flow *f)
{
	const char *name = flow_segment(f, 3);
	const struct op *op = name == NULL ? NULL : op_by_name(name);
	struct buf b;

	if (!parameters_known(f))
		return FLOW_DONE;
	if (op == NULL)
		return flow_fail(f, 404, "op_not_found",
		    "This server does not know such an op.");
	buf_create(&b, 0);
	buf_puts(&b, "{\"data\":");
	put_op(&b, &op->schema);
	buf_putc(&b, '}');
	return flow_reply(f, 200, &b, NULL, NULL);
}

static const struct flow_step list_steps[] = {FLOW_STEP(list), FLOW_END};
static const struct flow_step one_steps[] = {FLOW_STEP(one), FLOW_END};

ROUTE(catalog_ops, {"GET", list_steps, 0, POLICY_OP_READ})
ROUTE(catalog_op, {"GET", one_steps, 0, POLICY_OP_READ})
