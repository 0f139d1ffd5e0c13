/* literal.h - is a value, as written in a document, one of a type: arguments,
 * defaults of variables and of the schema. Private to checks. */
#ifndef OPEN_GRAPHQL_LITERAL_H
#define OPEN_GRAPHQL_LITERAL_H

#include "graphql/schema.h"

/* Adds a fault for every part that isn't. Variables in it fit everywhere: other
 * rules are about them. code: of the faults. */
void gql_literal_check(struct gql_faults *faults, const char *code,
    const struct gql_value *value, const struct gql_type *type);

#endif
