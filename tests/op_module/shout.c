/* shout.c - a module with an op of its own, as somebody outside writes it: one
 * file, one table. It is loaded by the setting `op_modules`; nothing of OPEN
 * knows it.
 *
 *   cc -shared -fPIC -D_GNU_SOURCE -Imodules -o shout.so shout.c
 *   OPEN_OP_MODULES=./shout.so ./build.sh run
 */
#include <ctype.h>

#include "exec/op_module.h"

extern const struct op_module open_op_module;

static const struct op_param params[] = {{.name = "text",
					     .types = PARAM_STRING,
					     .required = true,
					     .min = 1,
					     .max = 1000,
					     .description = "What to shout."},
    {.name = "times",
	.types = PARAM_INTEGER,
	.min = 1,
	.max = 10,
	.description = "How many exclamation marks; 1 by default."},
    {.name = NULL}};

/* A template's value is only known now, so its type is looked at again. */
static void
shout(struct op_call *call)
{
	const struct json *text = json_get(call->params, "text");
	const struct json *times = json_get(call->params, "times");
	int64_t n = 1;
	struct buf b;

	if (text == NULL || text->type != JSON_STRING ||
	    (times != NULL && !json_as_integer(times, &n)) || n < 1 || n > 10) {
		op_call_fail(call, false, "invalid_parameter",
		    "text must be a text and times a number from 1 to 10.");
		return;
	}
	buf_create(&b, 0);
	for (uint32_t i = 0; i < text->count; i++)
		buf_putc(&b, (char)toupper((unsigned char)text->string[i]));
	while (n-- > 0)
		buf_putc(&b, '!');
	op_call_result(call,
	    buf_failed(&b) ? NULL : json_string(&call->mem, b.data, b.len),
	    1 << 20);
	buf_free(&b);
}

static const struct op op_shout = {
    .schema = {.name = "shout",
	.description = "Says a text in capitals.",
	.params = params},
    .kind = OP_COMPUTE,
    .compute = shout,
};

static const struct op *const ops[] = {&op_shout, NULL};

const struct op_module open_op_module = {
    OP_MODULE_HEAD, .name = "shout", .ops = ops};
