/* table.c - names to things: open addressing, at most half full, hashed with a
 * key that nobody outside knows. */
#include "graphql/schema.h"

#include <string.h>

#include "base/hash.h"

void
gql_table_create(struct gql_table *table, struct mem *m)
{
	memset(table, 0, sizeof(*table));
	table->mem = m;
}

static uint32_t
slot_of(const struct gql_table *table, const char *name, size_t len)
{
	return (uint32_t)hash_sip(hash_process_key(), name, len) & table->mask;
}

static void **
find_slot(const struct gql_table *table, const char *name, size_t len)
{
	uint32_t i = slot_of(table, name, len);

	while (
	    table->slots[i] != NULL && !gql_name_is(table->slots[i], name, len))
		i = (i + 1) & table->mask;
	return &table->slots[i];
}

static bool
grow(struct gql_table *table)
{
	struct gql_table bigger = *table;
	const struct gql_name *name;
	uint32_t room = table->slots == NULL ? 8 : 2 * (table->mask + 1);

	bigger.slots = mem_array(table->mem, room, sizeof(void *));
	if (bigger.slots == NULL)
		return false;
	bigger.mask = room - 1;
	for (uint32_t i = 0; table->slots != NULL && i <= table->mask; i++) {
		name = table->slots[i];
		if (name != NULL)
			*find_slot(&bigger, name->s, name->len) =
			    table->slots[i];
	}
	*table = bigger;
	return true;
}

void *
gql_table_add(struct gql_table *table, void *thing)
{
	const struct gql_name *name = thing;
	void **slot;

	if ((table->slots == NULL || 2 * table->count > table->mask) &&
	    !grow(table))
		return NULL;
	slot = find_slot(table, name->s, name->len);
	if (*slot != NULL)
		return *slot;
	*slot = thing;
	table->count++;
	return NULL;
}

void *
gql_table_find(const struct gql_table *table, const char *name, size_t len)
{
	return table->slots == NULL ? NULL : *find_slot(table, name, len);
}
