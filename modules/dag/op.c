/* op.c - finds an op in a set, and a parameter of an op. */
#include "dag/op.h"

#include <string.h>

int
op_find(const struct op_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->ops[i]->name, name) == 0)
			return (int)i;
	return -1;
}

const struct op_param *
op_find_param(const struct op_schema *op, const char *name)
{
	for (const struct op_param *p = op->params;
	     p != NULL && p->name != NULL; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}
