/* fragments.c - a document's fragments by name. */
#include "graphql/fragments.h"

int
gql_fragments_create(struct gql_fragments *fragments, struct mem *m,
    const struct gql_document *document)
{
	struct gql_fragment *fragment, *before;

	fragments->count = 0;
	gql_table_create(&fragments->table, m);
	fragments->all =
	    mem_array(m, document->fragments + 1, sizeof(*fragments->all));
	if (fragments->all == NULL)
		return -1;
	for (const struct gql_definition *d = document->definitions; d != NULL;
	     d = d->next) {
		if (d->kind != GQL_DEF_FRAGMENT)
			continue;
		fragment = &fragments->all[fragments->count];
		fragment->name = d->name;
		fragment->node = d;
		fragment->index = fragments->count++;
		before = gql_table_add(&fragments->table, fragment);
		if (before != NULL)
			before->node = d;
	}
	return mem_failed(m) ? -1 : 0;
}

const struct gql_fragment *
gql_fragments_find(
    const struct gql_fragments *fragments, const struct gql_name *name)
{
	return gql_table_find(&fragments->table, name->s, name->len);
}
