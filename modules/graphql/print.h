/* print.h - a document as text again: canonical, one form for each tree, so
 * printing what was read from a print gives the same bytes.
 *
 * Block strings stay blocks where a block can hold their value; comments and
 * places are gone.
 * Fails:    through the buffer (sticky).
 * Process:  pure, any thread; recursion as deep as the tree (gql_parse bounds
 *           it).
 */
#ifndef OPEN_GRAPHQL_PRINT_H
#define OPEN_GRAPHQL_PRINT_H

#include "base/buf.h"
#include "graphql/ast.h"

/* Ends with a line end. */
void gql_print(struct buf *b, const struct gql_document *document);
void gql_print_definition(struct buf *b, const struct gql_definition *d);
/* On one line, block strings as quoted ones. */
void gql_print_value(struct buf *b, const struct gql_value *value);
/* [Name!]! */
void gql_print_type(struct buf *b, const struct gql_type_ref *type);

#endif
