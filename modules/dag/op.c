/* op.c - finds an op in a set. */
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
