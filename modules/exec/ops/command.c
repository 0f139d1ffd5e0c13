/* command.c - what a document may say about a command; runner_client.c runs
 * it. */
#include <string.h>

#include "exec/ops/ops.h"

#define ARGUMENTS_MAX 4096
#define SHELL_MAX     (1 << 17) /* of one argument, a limit of Linux */

static const struct op_param params[] = {
    {.name = "argv",
	.types = PARAM_ARRAY,
	.min = 1,
	.max = ARGUMENTS_MAX,
	.description = "The program and its arguments, each a string."},
    {.name = "shell",
	.types = PARAM_STRING,
	.min = 1,
	.max = SHELL_MAX,
	.description = "A line for /bin/sh -c, instead of argv."},
    {.name = "env",
	.types = PARAM_OBJECT,
	.description = "Environment variables to add; values are strings."},
    {.name = "input",
	.types = PARAM_ANY,
	.description = "Any value; the command reads it as JSON from stdin."},
    {.name = "stdin",
	.types = PARAM_STRING,
	.description = "A text for stdin as it stands, instead of input."},
    {.name = NULL}};

static int
fault(struct err *e, const char *code, const char *pointer, const char *message)
{
	err_set(e, code, "%s", message);
	if (e != NULL) {
		strncpy(e->pointer, pointer, sizeof(e->pointer) - 1);
		e->pointer[sizeof(e->pointer) - 1] = '\0';
	}
	return -1;
}

static int
check_env(const struct json *env, struct err *e)
{
	if (env == NULL || env->type != JSON_OBJECT)
		return 0;
	for (uint32_t i = 0; i < env->count; i++) {
		const struct json_member *m = &env->members[i];

		if (m->name_len == 0 || memchr(m->name, '=', m->name_len))
			return fault(e, "invalid_parameter", "/env",
			    "A variable's name is empty or holds a =.");
		if (m->value->type != JSON_STRING)
			return fault(e, "invalid_parameter", "/env",
			    "Every value of env must be a string.");
	}
	return 0;
}

static int
check(const struct json *p, struct err *e)
{
	const struct json *argv = json_get(p, "argv");

	if ((argv != NULL) == (json_get(p, "shell") != NULL))
		return fault(e, "invalid_parameter", "",
		    "A command takes exactly one of argv and shell.");
	if (json_get(p, "input") != NULL && json_get(p, "stdin") != NULL)
		return fault(e, "invalid_parameter", "/stdin",
		    "A command takes only one of input and stdin.");
	for (uint32_t i = 0;
	     argv != NULL && argv->type == JSON_ARRAY && i < argv->count; i++)
		if (argv->items[i]->type != JSON_STRING)
			return fault(e, "invalid_parameter", "/argv",
			    "Every item of argv must be a string.");
	return check_env(json_get(p, "env"), e);
}

const struct op op_command = {
    .schema = {.name = "command",
	.description = "Runs a program; its result is what it prints, as JSON "
		       "if it is JSON, else as text.",
	.params = params,
	.check = check,
	.permission = "allow_commands"},
    .kind = OP_COMMAND,
};
