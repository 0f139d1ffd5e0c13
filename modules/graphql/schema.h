/* schema.h - the type system: types, fields, arguments, directives, as built
 * from a document in the schema definition language.
 *
 * Owner:    all of it lives in the struct mem of gql_schema_build, and points
 *           into the document and its text: both live as long.
 * Lifetime: while it is built, bindings and costs may be set by whoever built
 *           it; after that it is only read, by any thread.
 * Equality: each type exists once, the wrapped ones ([T], T!) too: two types
 *           are the same if their addresses are.
 * Names:    everything that has a name begins with it, so that one table
 *           (gql_table) finds them all. Nothing is NUL-terminated.
 */
#ifndef OPEN_GRAPHQL_SCHEMA_H
#define OPEN_GRAPHQL_SCHEMA_H

#include "graphql/ast.h"
#include "graphql/faults.h"

enum gql_kind {
	GQL_SCALAR,
	GQL_OBJECT,
	GQL_INTERFACE,
	GQL_UNION,
	GQL_ENUM,
	GQL_INPUT_OBJECT,
	GQL_LIST,
	GQL_NON_NULL
};

/* Scalars every schema has; GQL_SCALAR_CUSTOM is any other. */
enum gql_scalar {
	GQL_SCALAR_CUSTOM,
	GQL_SCALAR_INT,
	GQL_SCALAR_FLOAT,
	GQL_SCALAR_STRING,
	GQL_SCALAR_BOOLEAN,
	GQL_SCALAR_ID
};

struct gql_text {
	const char *s; /* NULL: none */
	uint32_t len;
};

/* Names to things that begin with a struct gql_name. */
struct gql_table {
	struct mem *mem;
	void **slots;
	uint32_t mask; /* slots - 1; slots is NULL: empty */
	uint32_t count;
};

/* An argument of a field or directive, or a field of an input object. */
struct gql_input {
	struct gql_name name;
	struct gql_text description;
	const struct gql_type *type;
	const struct gql_value *default_value; /* may be NULL; constant */
	struct gql_text deprecation; /* the reason; s NULL: not deprecated */
	const struct gql_input_definition *node;
	uint32_t index; /* among its siblings */
	const void *binding;
};

/* NON_NULL without a default. */
bool gql_input_required(const struct gql_input *input);

struct gql_field {
	struct gql_name name;
	struct gql_text description;
	const struct gql_type *type;
	struct gql_input *args;
	uint32_t arg_count;
	uint32_t index; /* among its siblings */
	struct gql_table arg_table;
	struct gql_text deprecation;
	const struct gql_field_definition *node; /* NULL: __typename … */
	const void *binding;
	/* What validate.h reckons with. Set while building: cost 1 for a field
	 * with fields of its own, else 0; size_args are those named first, last
	 * or limit; list_size 0 means GQL_LIST_SIZE. */
	uint32_t cost;
	uint32_t list_size; /* items of its list, when no argument says */
	const struct gql_input *size_args[3]; /* Int; NULL ends */
	bool sized_by_parent; /* a list whose size its parent's argument says:
			       * nodes and edges of types named …Connection */
};

struct gql_enum_value {
	struct gql_name name;
	struct gql_text description;
	struct gql_text deprecation;
	const struct gql_enum_value_definition *node;
	uint32_t index;
	const void *binding;
};

struct gql_type {
	struct gql_name name; /* of a named type; else s is NULL */
	enum gql_kind kind;
	enum gql_scalar scalar;
	uint32_t id;  /* of a named type: 0 … schema's type_count - 1 */
	bool builtin; /* a scalar of the language, or of introspection */
	bool one_of;  /* INPUT_OBJECT */
	const struct gql_type *of; /* LIST, NON_NULL */
	struct gql_text description;
	struct gql_text specified_by; /* SCALAR */
	struct gql_field *fields;     /* OBJECT, INTERFACE */
	uint32_t field_count;
	struct gql_input *inputs; /* INPUT_OBJECT */
	uint32_t input_count;
	struct gql_enum_value *values; /* ENUM */
	uint32_t value_count;
	struct gql_table members; /* fields, inputs or values by name */
	const struct gql_type **interfaces; /* OBJECT, INTERFACE: declared */
	uint32_t interface_count;
	/* OBJECT: itself; UNION: its members; INTERFACE: objects with it. */
	const struct gql_type **possible;
	uint32_t possible_count;
	uint64_t *possible_bits; /* by id; schema's bit_words words */
	const void *binding;
	struct gql_type *list, *non_null; /* this one wrapped; may be NULL */
	/* Where it is written: its definition, then its extensions. */
	const struct gql_definition **nodes;
	uint32_t node_count;
};

struct gql_directive_type {
	struct gql_name name;
	struct gql_text description;
	struct gql_input *args;
	uint32_t arg_count;
	struct gql_table arg_table;
	uint32_t locations; /* bits 1 << enum gql_directive_location */
	bool repeatable;
	bool builtin;
	struct gql_text deprecation;
	const struct gql_definition *node;
};

struct gql_schema {
	struct gql_text description;
	struct gql_type **types; /* the document's in its order, then others */
	uint32_t type_count;
	uint32_t bit_words; /* of possible_bits */
	struct gql_table type_table;
	struct gql_directive_type *directives;
	uint32_t directive_count;
	struct gql_table directive_table;
	struct gql_type *roots[3]; /* by enum gql_operation; may be NULL */
	struct gql_field meta_schema, meta_type, meta_typename;
	const struct gql_directive_type *skip, *include;
};

/* Builds and checks: every rule of the specification's chapter 3, with the
 * reference implementation's places. -1: faults holds at least one, or m has
 * failed. Recursion is bounded by the parser's depth and the number of types. */
int gql_schema_build(struct mem *m, const struct gql_document *sdl,
    struct gql_schema **out, struct gql_faults *faults);

/* Look-ups; NULL: there is none. */
struct gql_type *gql_schema_type(
    const struct gql_schema *schema, const char *name, size_t len);
const struct gql_directive_type *gql_schema_directive(
    const struct gql_schema *schema, const char *name, size_t len);
/* A field of an object or interface. Not __typename and its like. */
struct gql_field *gql_type_field(
    const struct gql_type *type, const char *name, size_t len);
/* Also __typename of composite types; __schema and __type of the query's. */
const struct gql_field *gql_schema_field(const struct gql_schema *schema,
    const struct gql_type *parent, const char *name, size_t len);
struct gql_input *gql_type_input(
    const struct gql_type *type, const char *name, size_t len);
struct gql_enum_value *gql_type_value(
    const struct gql_type *type, const char *name, size_t len);
struct gql_input *gql_field_arg(
    const struct gql_field *field, const char *name, size_t len);
struct gql_input *gql_directive_arg(
    const struct gql_directive_type *directive, const char *name, size_t len);

/* The type a reference in a document means (NULL: unknown). A wrapping that
 * the schema doesn't have is allocated from m, without becoming part of the
 * schema: compare such types with gql_type_equal. */
const struct gql_type *gql_schema_ref(const struct gql_schema *schema,
    struct mem *m, const struct gql_type_ref *ref);

/* What types are. Each takes NULL: false, or NULL. */
const struct gql_type *gql_type_named(const struct gql_type *type);
const struct gql_type *gql_type_nullable(const struct gql_type *type);
bool gql_type_is_composite(const struct gql_type *type);
bool gql_type_is_abstract(const struct gql_type *type);
bool gql_type_is_leaf(const struct gql_type *type);
bool gql_type_is_input(const struct gql_type *type);  /* wrapped or not */
bool gql_type_is_output(const struct gql_type *type); /* wrapped or not */
bool gql_type_equal(const struct gql_type *a, const struct gql_type *b);

/* May an object of type object be where type is expected? */
bool gql_type_has_possible(
    const struct gql_type *type, const struct gql_type *object);
/* Is there an object that is both? */
bool gql_types_overlap(const struct gql_schema *schema,
    const struct gql_type *a, const struct gql_type *b);
/* Covariance: may sub stand where super is declared? */
bool gql_type_is_subtype(
    const struct gql_type *sub, const struct gql_type *super);

/* "[Name!]!", cut to size - 1 bytes; returns buffer. */
const char *gql_type_string(
    const struct gql_type *type, char *buffer, size_t size);

/* Tables, also for documents' names: strangers can't make names collide. Zeroed
 * or created, then things are added, once per name: add returns what was there
 * before (and leaves it), NULL if thing was added or memory is out. */
void gql_table_create(struct gql_table *table, struct mem *m);
void *gql_table_add(struct gql_table *table, void *thing);
void *gql_table_find(
    const struct gql_table *table, const char *name, size_t len);

#endif
