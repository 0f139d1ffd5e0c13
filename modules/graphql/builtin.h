/* builtin.h - what every schema has: scalars, directives and the types of
 * introspection, in the schema definition language; private to building. */
#ifndef OPEN_GRAPHQL_BUILTIN_H
#define OPEN_GRAPHQL_BUILTIN_H

/* Its last definition, __Meta, is no type of the schema: its fields are
 * __typename, __schema and __type. */
extern const char gql_builtin_text[];

#endif
