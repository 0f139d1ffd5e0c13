/* read_secrets.c - ${{ secrets.NAME }} only where its value goes to an op and
 * nowhere else. */
#include "dag/read.h"

#include <string.h>

bool
fault_secret(struct reader *r, uint32_t node, const struct json *at,
    const char *code, size_t len)
{
	if (!secret_is_read(code, len))
		return false;
	fault_at(r, node, at, "secret_not_allowed",
	    "A secret may only be named in a parameter of an op, alone in its "
	    "expression: \"${{ secrets.NAME }}\"; never in a condition, an "
	    "expression or a script.");
	return true;
}

/* Keeps the name; false: there are too many. */
static bool
note(struct reader *r, const char *name)
{
	for (uint32_t i = 0; i < r->secret_count; i++)
		if (strcmp(r->secrets[i], name) == 0)
			return true;
	if (r->secret_count == SECRETS_MAX)
		return false;
	r->secrets[r->secret_count++] = name;
	return true;
}

bool
read_secret(struct reader *r, uint32_t node, const struct json *at,
    const char *code, size_t len)
{
	uint32_t name_len;
	const char *name;
	const struct op_schema *op =
	    r->options->ops->ops[r->doc->nodes[node].op];

	if (!secret_is_read(code, len))
		return false;
	name = secret_reference(code, len, r->mem, &name_len);
	if (name == NULL)
		return fault_secret(r, node, at, code, len);
	if (op->keeps_params)
		fault_at(r, node, at, "secret_not_allowed",
		    "The op \"%s\" takes no secrets: what it is given is kept.",
		    op->name);
	else if (!note(r, name))
		fault_at(r, node, at, "secret_not_allowed",
		    "A document names at most %d different secrets.",
		    SECRETS_MAX);
	return true;
}
