/* parser.h - what the parts of the parser share; others call gql_parse.
 *
 * Fails:    sticky: the first failure is kept, the current token is then
 *           GQL_TOKEN_FAILED, which no rule accepts and which ends every list;
 *           functions go on returning nodes that nobody will see.
 */
#ifndef OPEN_GRAPHQL_PARSER_H
#define OPEN_GRAPHQL_PARSER_H

#include <string.h>

#include "graphql/lexer.h"

struct gql_parser {
	struct gql_lexer lexer;
	struct gql_token token; /* the current one */
	struct gql_limits limits;
	struct gql_document *document;
	uint32_t depth;
	bool failed;
	/* Given out instead of a node when there is no memory. */
	union {
		struct gql_document document;
		struct gql_definition definition;
		struct gql_selection selection;
		struct gql_variable_definition variable;
	} scratch;
};

/* Tokens */
void gql_advance(struct gql_parser *);
/* Advances over a token of that kind; false: there is none. */
bool gql_accept(struct gql_parser *, enum gql_token_kind);
/* The same; its absence is a failure. */
void gql_expect(struct gql_parser *, enum gql_token_kind);
/* Is the list over? Accepts the token that ends it; also true after a
 * failure. */
bool gql_closed(struct gql_parser *, enum gql_token_kind);
/* At another token of a list that the grammar separates by kind. */
bool gql_more(struct gql_parser *, enum gql_token_kind);
bool gql_at_string(const struct gql_parser *);
#define gql_at_word(p, word) gql_token_is(&(p)->token, word, sizeof(word) - 1)
bool gql_token_is(const struct gql_token *, const char *word, size_t len);
bool gql_accept_word(struct gql_parser *, const char *word);
void gql_expect_word(struct gql_parser *, const char *word);

/* The current token must not stand here. */
void gql_unexpected(struct gql_parser *);
/* Sticky; text follows "Syntax Error: ". */
void gql_syntax(struct gql_parser *, struct gql_place at, const char *text);
void gql_exceeded(struct gql_parser *, const char *code, struct gql_place at,
    const char *fmt, uint32_t limit);
/* Around every rule that contains itself; false: too deep, and failed. */
bool gql_enter(struct gql_parser *);
void gql_leave(struct gql_parser *);

/* size bytes, zeroed; at most that of parser.scratch. */
void *gql_node(struct gql_parser *, size_t size);

/* Rules that others use (parser_common.c); the current token is their first. */
struct gql_name gql_read_name(struct gql_parser *);
struct gql_value *gql_read_value(struct gql_parser *, bool constant);
struct gql_argument *gql_read_arguments(struct gql_parser *, bool constant);
struct gql_directive *gql_read_directives(struct gql_parser *, bool constant);
struct gql_type_ref *gql_read_type(struct gql_parser *);
struct gql_type_ref *gql_read_named_type(struct gql_parser *);
/* NULL: none. */
struct gql_value *gql_read_description(struct gql_parser *);

/* parser_executable.c; the description was read. */
void gql_read_operation(struct gql_parser *, struct gql_definition *);
void gql_read_fragment(struct gql_parser *, struct gql_definition *);
enum gql_operation gql_read_operation_kind(struct gql_parser *);

/* parser_types.c: at the keyword, behind "extend" if d is an extension. False:
 * the current token is no such keyword. */
bool gql_read_type_system(struct gql_parser *, struct gql_definition *d);

#endif
