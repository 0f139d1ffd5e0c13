/* op.c - openctl op: the ops that documents may name. */

#include <stdio.h>
#include <string.h>

#include "dag/json.h"
#include "exec/op_reference.h"
#include "openctl.h"

static enum ctl_exit
print(struct buf *b)
{
	enum ctl_exit result = CTL_DONE;

	if (buf_failed(b))
		result = ctl_fail("out of memory");
	else
		fwrite(b->data, 1, b->len, stdout);
	buf_free(b);
	return result;
}

static void
put_json(struct buf *b, const struct op_schema *op)
{
	buf_puts(b, "{\"name\":");
	json_write_string(b, op->name, strlen(op->name));
	buf_puts(b, ",\"op\":");
	op_reference_json(b, op);
	buf_putc(b, '}');
}

enum ctl_exit
op_list(struct ctl *ctl)
{
	const struct op_set *set = op_table_set();
	struct buf b;
	size_t i;

	buf_create(&b, 0);
	if (ctl->json)
		buf_putc(&b, '[');
	for (i = 0; i < set->count; i++) {
		if (!ctl->json) {
			buf_printf(&b, "%-10s %s\n", set->ops[i]->name,
			    set->ops[i]->description);
			continue;
		}
		if (i > 0)
			buf_putc(&b, ',');
		put_json(&b, set->ops[i]);
	}
	if (ctl->json)
		buf_puts(&b, "]\n");
	return print(&b);
}

enum ctl_exit
op_show(struct ctl *ctl)
{
	const char *name = ctl->args.operands[0];
	const struct op *op = op_by_name(name);
	struct buf b;

	if (op == NULL)
		return ctl_fail("there is no op \"%s\"; `openctl op list` "
				"lists them",
		    name);
	buf_create(&b, 0);
	if (ctl->json) {
		put_json(&b, &op->schema);
		buf_putc(&b, '\n');
	} else {
		op_reference_markdown(&b, &op->schema);
	}
	return print(&b);
}

/* assets/docs/op-reference.md, as a test compares it. */
enum ctl_exit
op_reference(struct ctl *ctl)
{
	const struct op_set *set = op_table_set();
	struct buf b;
	size_t i;

	(void)ctl;
	buf_create(&b, 0);
	buf_puts(&b,
	    "# Ops: reference\n\n"
	    "What `openctl op reference` prints: every op with its parameters, "
	    "from the\ntables that documents are checked against. "
	    "[ops.md](ops.md) shows them at work.\n");
	for (i = 0; i < set->count; i++) {
		buf_putc(&b, '\n');
		op_reference_markdown(&b, set->ops[i]);
	}
	return print(&b);
}
