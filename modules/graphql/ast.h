/* ast.h - a GraphQL document as a tree (edition September 2025, chapter 2 and
 * the type system's language of chapter 3).
 *
 * Owner:    all nodes live in the struct mem passed to gql_parse. Names, and
 *           strings without escapes, point into the document's text, which
 *           must live as long; nothing is NUL-terminated.
 * Process:  private; a finished tree is only read, by any thread.
 * Lists:    every node that stands in a list has a next; the order is the
 *           text's.
 * Places:   as the reference implementation counts: lines end with LF, CR or
 *           CRLF; columns count UTF-16 units from 1.
 */
#ifndef OPEN_GRAPHQL_AST_H
#define OPEN_GRAPHQL_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

struct gql_place {
	uint32_t line, column; /* 1-based; 0: no place */
};

struct gql_name {
	const char *s; /* NULL: there is none */
	uint32_t len;
	struct gql_place at;
};

enum gql_value_kind {
	GQL_VALUE_VARIABLE, /* text: its name without the dollar */
	GQL_VALUE_INT,	    /* text: as written */
	GQL_VALUE_FLOAT,    /* text: as written */
	GQL_VALUE_STRING,   /* text: its value, escapes and indents done */
	GQL_VALUE_BLOCK_STRING,
	GQL_VALUE_BOOLEAN,
	GQL_VALUE_NULL,
	GQL_VALUE_ENUM, /* text: its name */
	GQL_VALUE_LIST,
	GQL_VALUE_OBJECT
};

struct gql_object_field;

struct gql_value {
	struct gql_value *next; /* in a list */
	enum gql_value_kind kind;
	struct gql_place at;
	uint32_t len;  /* bytes of text; items of a list, fields of an object */
	bool constant; /* no variable in it */
	union {
		const char *text;
		bool boolean;
		struct gql_value *items;
		struct gql_object_field *fields;
	};
};

struct gql_object_field {
	struct gql_object_field *next;
	struct gql_name name;
	struct gql_value *value;
};

struct gql_argument {
	struct gql_argument *next;
	struct gql_name name;
	struct gql_value *value;
};

struct gql_directive {
	struct gql_directive *next;
	struct gql_place at;  /* of the @ */
	struct gql_name name; /* without it */
	struct gql_argument *arguments;
};

/* [Name!]! is NON_NULL of LIST of NON_NULL of NAMED. */
enum gql_type_ref_kind {
	GQL_REF_NAMED,
	GQL_REF_LIST,
	GQL_REF_NON_NULL
};

struct gql_type_ref {
	struct gql_type_ref *next; /* interfaces, members of a union */
	enum gql_type_ref_kind kind;
	struct gql_place at;
	struct gql_name name;	 /* NAMED */
	struct gql_type_ref *of; /* LIST, NON_NULL */
};

/* Executable documents ---------------------------------------------------- */

struct gql_selection;

struct gql_selection_set {
	struct gql_place at; /* of the brace */
	uint32_t id;	     /* 0 … document's selection_sets - 1 */
	uint32_t count;
	struct gql_selection *first; /* never NULL: empty ones are refused */
};

enum gql_selection_kind {
	GQL_FIELD,
	GQL_FRAGMENT_SPREAD,
	GQL_INLINE_FRAGMENT
};

struct gql_selection {
	struct gql_selection *next;
	enum gql_selection_kind kind;
	uint32_t id;	      /* 0 … document's selections - 1 */
	struct gql_place at;  /* of the alias, the name or the dots */
	struct gql_name name; /* of the field or the fragment */
	struct gql_name alias;
	struct gql_argument *arguments;
	struct gql_directive *directives;
	struct gql_type_ref *condition; /* INLINE_FRAGMENT, may be NULL */
	struct gql_selection_set *set;	/* FIELD: may be NULL; SPREAD: is */
};

struct gql_variable_definition {
	struct gql_variable_definition *next;
	struct gql_place at;	       /* of its first token */
	struct gql_place variable_at;  /* of the dollar */
	struct gql_value *description; /* may be NULL */
	struct gql_name name;	       /* without the dollar */
	struct gql_type_ref *type;
	struct gql_value *default_value; /* may be NULL */
	struct gql_directive *directives;
};

/* The type system --------------------------------------------------------- */

/* Arguments of fields and directives, and fields of input objects. */
struct gql_input_definition {
	struct gql_input_definition *next;
	struct gql_place at; /* of its first token: the description's, if any */
	struct gql_value *description; /* may be NULL */
	struct gql_name name;
	struct gql_type_ref *type;
	struct gql_value *default_value; /* may be NULL */
	struct gql_directive *directives;
};

struct gql_field_definition {
	struct gql_field_definition *next;
	struct gql_place at;
	struct gql_value *description; /* may be NULL */
	struct gql_name name;
	struct gql_input_definition *arguments;
	struct gql_type_ref *type;
	struct gql_directive *directives;
};

struct gql_enum_value_definition {
	struct gql_enum_value_definition *next;
	struct gql_place at;
	struct gql_value *description; /* may be NULL */
	struct gql_name name;
	struct gql_directive *directives;
};

enum gql_operation {
	GQL_QUERY,
	GQL_MUTATION,
	GQL_SUBSCRIPTION
};

struct gql_operation_type {
	struct gql_operation_type *next;
	enum gql_operation operation;
	struct gql_place at;
	struct gql_type_ref *type;
};

/* The text has a valid one; the order is the specification's. */
enum gql_directive_location {
	GQL_ON_QUERY,
	GQL_ON_MUTATION,
	GQL_ON_SUBSCRIPTION,
	GQL_ON_FIELD,
	GQL_ON_FRAGMENT_DEFINITION,
	GQL_ON_FRAGMENT_SPREAD,
	GQL_ON_INLINE_FRAGMENT,
	GQL_ON_VARIABLE_DEFINITION,
	GQL_ON_SCHEMA,
	GQL_ON_SCALAR,
	GQL_ON_OBJECT,
	GQL_ON_FIELD_DEFINITION,
	GQL_ON_ARGUMENT_DEFINITION,
	GQL_ON_INTERFACE,
	GQL_ON_UNION,
	GQL_ON_ENUM,
	GQL_ON_ENUM_VALUE,
	GQL_ON_INPUT_OBJECT,
	GQL_ON_INPUT_FIELD_DEFINITION,
	GQL_ON_DIRECTIVE_DEFINITION,
	GQL_DIRECTIVE_LOCATIONS
};

/* "QUERY" … */
const char *gql_directive_location_name(enum gql_directive_location);

/* Documents --------------------------------------------------------------- */

enum gql_definition_kind {
	GQL_DEF_OPERATION,
	GQL_DEF_FRAGMENT,
	GQL_DEF_SCHEMA,
	GQL_DEF_SCALAR,
	GQL_DEF_OBJECT,
	GQL_DEF_INTERFACE,
	GQL_DEF_UNION,
	GQL_DEF_ENUM,
	GQL_DEF_INPUT,
	GQL_DEF_DIRECTIVE
};

/* Of its kind's members, the others are NULL or 0. */
struct gql_definition {
	struct gql_definition *next;
	enum gql_definition_kind kind;
	bool extension;	     /* extend …; never an operation or a fragment */
	struct gql_place at; /* of its first token */
	struct gql_value *description; /* may be NULL */
	struct gql_name name;	       /* none: anonymous operation, schema */
	struct gql_directive *directives;

	/* OPERATION */
	enum gql_operation operation;
	bool shorthand; /* { … } alone */
	struct gql_variable_definition *variables;
	/* OPERATION, FRAGMENT */
	struct gql_selection_set *set;
	/* FRAGMENT */
	struct gql_type_ref *condition;
	/* SCHEMA */
	struct gql_operation_type *operation_types;
	/* OBJECT, INTERFACE: interfaces; UNION: members */
	struct gql_type_ref *types;
	/* OBJECT, INTERFACE */
	struct gql_field_definition *fields;
	/* INPUT: fields; DIRECTIVE: arguments */
	struct gql_input_definition *inputs;
	/* ENUM */
	struct gql_enum_value_definition *values;
	/* DIRECTIVE: bits 1 << enum gql_directive_location */
	uint32_t locations;
	bool repeatable;
};

struct gql_document {
	const char *text; /* the whole, as given */
	size_t len;
	struct gql_definition *definitions; /* never NULL */
	uint32_t count;			    /* of definitions */
	uint32_t operations, fragments;	    /* of them */
	uint32_t selections, selection_sets;
	uint32_t aliases, tokens;
};

/* Faults ------------------------------------------------------------------ */

#define GQL_MESSAGE_MAX 256

struct gql_error {
	const char *code; /* a literal, part of the API; NULL: no error */
	struct gql_place at;
	char
	    message[GQL_MESSAGE_MAX]; /* a sentence; cut at a character's end */
};

/* Limits, each of one document; 0: the default. */
struct gql_limits {
	size_t bytes;	  /* of text; 1 MiB */
	uint32_t tokens;  /* 100,000 */
	uint32_t depth;	  /* of brackets within brackets; 100 */
	uint32_t fields;  /* selections of all kinds; 20,000 */
	uint32_t aliases; /* 1,000 */
};

/* Reads a whole document. -1 and e with a place: "graphql_syntax",
 * "invalid_utf8", "document_too_large", "too_many_tokens", "too_deep",
 * "too_many_fields", "too_many_aliases", "out_of_memory" (m failed). Takes
 * time linear in len; recursion is bounded by the limit of depth (at most
 * GQL_DEPTH_MAX). limits may be NULL. */
int gql_parse(struct mem *m, const char *text, size_t len,
    const struct gql_limits *limits, struct gql_document **out,
    struct gql_error *e);
#define GQL_DEPTH_MAX 1000u

/* One value alone (defaults in descriptors, tests). constant: no variables. */
int gql_parse_value(struct mem *m, const char *text, size_t len, bool constant,
    struct gql_value **out, struct gql_error *e);

static inline bool
gql_name_is(const struct gql_name *name, const char *s, size_t len)
{
	return name->len == len && __builtin_memcmp(name->s, s, len) == 0;
}

static inline bool
gql_name_equal(const struct gql_name *a, const struct gql_name *b)
{
	return gql_name_is(a, b->s, b->len);
}

/* Fills e (NULL: nothing happens) and returns -1. */
int gql_fail(struct gql_error *e, const char *code, struct gql_place at,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
