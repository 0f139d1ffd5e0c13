/* print_parts.h - what the parts of the printer share; others use print.h. */
#ifndef OPEN_GRAPHQL_PRINT_PARTS_H
#define OPEN_GRAPHQL_PRINT_PARTS_H

#include "graphql/print.h"

void gql_print_name(struct buf *b, const struct gql_name *name);
void gql_print_indent(struct buf *b, unsigned depth);
/* The description and a line end; NULL: nothing. */
void gql_print_description(
    struct buf *b, const struct gql_value *description, unsigned depth);
/* Each begins with what separates it from what stands before; none: nothing. */
void gql_print_directives(struct buf *b, const struct gql_directive *d);
void gql_print_arguments(struct buf *b, const struct gql_argument *a);

/* print_types.c: type-system definitions and extensions. */
void gql_print_type_system(struct buf *b, const struct gql_definition *d);

#endif
