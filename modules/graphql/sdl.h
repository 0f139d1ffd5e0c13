/* sdl.h - the steps of gql_schema_build, which share a builder; private. */
#ifndef OPEN_GRAPHQL_SDL_H
#define OPEN_GRAPHQL_SDL_H

#include "graphql/schema.h"

#define GQL_SCHEMA_CODE "graphql_schema"

struct gql_builder {
	struct mem *mem;
	struct gql_faults *faults;
	const struct gql_document *builtin; /* builtin.h, parsed */
	const struct gql_document *sdl;
	struct gql_schema *schema;
	const struct gql_definition *schema_node; /* schema { … }, or NULL */
};

/* Is it the name of a type every schema has? (The builder has read builtin.) */
bool gql_builtin_type(const struct gql_builder *b, const struct gql_name *name);

/* The rules about the document: names defined once, known, directives where
 * they may stand. Adds faults. */
void gql_sdl_check(struct gql_builder *b);

/* The rules about the schema that was built from it. Adds faults. */
void gql_schema_check(struct gql_builder *b);
/* Those of them about input objects: defaults, circles. */
void gql_schema_check_inputs(struct gql_builder *b);
/* A default, whatever has it. */
void gql_schema_check_default(
    struct gql_builder *b, const struct gql_input *input);

#endif
