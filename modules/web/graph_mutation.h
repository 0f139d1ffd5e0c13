/* graph_mutation.h - GraphQL's mutations: each is a route of REST under the name
 * that the specification gives it, so there is one implementation, one policy
 * and one code for each fault.
 *
 * Body:     {"data": {"type": RESOURCE, "id": …, "attributes": …,
 *           "relationships": …}}, made of the arguments.
 * Result:   the type's row whose id the answer has, read by the same kind of
 *           statement as a field of Query; or true.
 * Lifetime: tables are constant and resident.
 * Process:  any.
 */
#ifndef OPEN_WEB_GRAPH_MUTATION_H
#define OPEN_WEB_GRAPH_MUTATION_H

#include "web/resource.h"

enum graph_place {
	PLACE_PATH,	 /* the next %s of the path, and the body's id */
	PLACE_ATTRIBUTE, /* of the body */
	PLACE_RELATION,	 /* the id of a to-one relation of the body */
	PLACE_HEADER,
	/* All attributes as one input object: those of the body's resource that
	 * have `flag`. */
	PLACE_INPUT
};

struct graph_argument {
	const char *name; /* NULL ends the table */
	const char *type; /* in SDL: "ID!"; NULL: the input type's */
	enum graph_place place;
	const char *of; /* attribute, relation ("dag"), header; or NULL */
	const char *description;
};

struct graph_mutation {
	const char *name; /* "createDAG"; NULL ends the table */
	const char *description;
	const char *method, *path;
	const char *body; /* the body's type, "dags"; NULL: there is none */
	const struct graph_argument *arguments;
	unsigned flag; /* of PLACE_INPUT: FIELD_CREATE or FIELD_UPDATE */
	/* The input type's name: "CreateDAGInput". */
	const char *input;
	const char *result; /* "DAG": its row; NULL: Boolean */
};

extern const struct graph_mutation graph_mutations[];
/* NULL: there is none of that name. */
const struct graph_mutation *graph_mutation_find(const char *name, size_t len);

/* Type Mutation and its input types, in SDL. */
void graph_mutation_sdl(struct buf *);

#endif
