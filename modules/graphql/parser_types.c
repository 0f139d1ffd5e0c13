/* parser_types.c - the type system's language: definitions and extensions. The
 * table names the rule of each keyword. */
#include "graphql/parser.h"

/* Parts ------------------------------------------------------------------- */

/* InputValueDefinition: Description? Name : Type DefaultValue?
 * Directives[Const]? */
static struct gql_input_definition *
read_input(struct gql_parser *p)
{
	struct gql_input_definition *i = gql_node(p, sizeof(*i));

	i->at = p->token.at;
	i->description = gql_read_description(p);
	i->name = gql_read_name(p);
	gql_expect(p, GQL_TOKEN_COLON);
	i->type = gql_read_type(p);
	if (gql_accept(p, GQL_TOKEN_EQUALS))
		i->default_value = gql_read_value(p, true);
	i->directives = gql_read_directives(p, true);
	return i;
}

static struct gql_input_definition *
read_inputs(
    struct gql_parser *p, enum gql_token_kind open, enum gql_token_kind close)
{
	struct gql_input_definition *first = NULL, **last = &first;

	if (!gql_accept(p, open))
		return NULL;
	do {
		*last = read_input(p);
		last = &(*last)->next;
	} while (!gql_closed(p, close));
	return first;
}

/* FieldDefinition: Description? Name ArgumentsDefinition? : Type
 * Directives[Const]? */
static struct gql_field_definition *
read_field(struct gql_parser *p)
{
	struct gql_field_definition *f = gql_node(p, sizeof(*f));

	f->at = p->token.at;
	f->description = gql_read_description(p);
	f->name = gql_read_name(p);
	f->arguments = read_inputs(p, GQL_TOKEN_PAREN_L, GQL_TOKEN_PAREN_R);
	gql_expect(p, GQL_TOKEN_COLON);
	f->type = gql_read_type(p);
	f->directives = gql_read_directives(p, true);
	return f;
}

static struct gql_field_definition *
read_fields(struct gql_parser *p)
{
	struct gql_field_definition *first = NULL, **last = &first;

	if (!gql_accept(p, GQL_TOKEN_BRACE_L))
		return NULL;
	do {
		*last = read_field(p);
		last = &(*last)->next;
	} while (!gql_closed(p, GQL_TOKEN_BRACE_R));
	return first;
}

/* EnumValueDefinition: Description? EnumValue Directives[Const]? */
static struct gql_enum_value_definition *
read_enum_value(struct gql_parser *p)
{
	struct gql_enum_value_definition *v = gql_node(p, sizeof(*v));

	v->at = p->token.at;
	v->description = gql_read_description(p);
	if (gql_at_word(p, "true") || gql_at_word(p, "false") ||
	    gql_at_word(p, "null"))
		gql_syntax(p, p->token.at,
		    "true, false and null are reserved and cannot be used for "
		    "an enum value.");
	v->name = gql_read_name(p);
	v->directives = gql_read_directives(p, true);
	return v;
}

static struct gql_enum_value_definition *
read_enum_values(struct gql_parser *p)
{
	struct gql_enum_value_definition *first = NULL, **last = &first;

	if (!gql_accept(p, GQL_TOKEN_BRACE_L))
		return NULL;
	do {
		*last = read_enum_value(p);
		last = &(*last)->next;
	} while (!gql_closed(p, GQL_TOKEN_BRACE_R));
	return first;
}

/* Types with a separator, which may also stand before the first. */
static struct gql_type_ref *
read_types(struct gql_parser *p, enum gql_token_kind separator)
{
	struct gql_type_ref *first = NULL, **last = &first;

	gql_accept(p, separator);
	do {
		*last = gql_read_named_type(p);
		last = &(*last)->next;
	} while (gql_more(p, separator));
	return first;
}

/* ImplementsInterfaces: implements &? NamedType (& NamedType)* */
static struct gql_type_ref *
read_interfaces(struct gql_parser *p)
{
	if (!gql_accept_word(p, "implements"))
		return NULL;
	return read_types(p, GQL_TOKEN_AMP);
}

/* Definitions: behind the keyword ----------------------------------------- */

/* { RootOperationTypeDefinition+ } */
static void
read_operation_types(struct gql_parser *p, struct gql_definition *d)
{
	struct gql_operation_type **last = &d->operation_types;

	gql_expect(p, GQL_TOKEN_BRACE_L);
	do {
		struct gql_operation_type *o = gql_node(p, sizeof(*o));

		o->at = p->token.at;
		o->operation = gql_read_operation_kind(p);
		gql_expect(p, GQL_TOKEN_COLON);
		o->type = gql_read_named_type(p);
		*last = o;
		last = &o->next;
	} while (!gql_closed(p, GQL_TOKEN_BRACE_R));
}

static void
read_schema(struct gql_parser *p, struct gql_definition *d)
{
	d->directives = gql_read_directives(p, true);
	if (!d->extension || p->token.kind == GQL_TOKEN_BRACE_L)
		read_operation_types(p, d);
}

static void
read_scalar(struct gql_parser *p, struct gql_definition *d)
{
	d->name = gql_read_name(p);
	d->directives = gql_read_directives(p, true);
}

static void
read_object(struct gql_parser *p, struct gql_definition *d)
{
	d->name = gql_read_name(p);
	d->types = read_interfaces(p);
	d->directives = gql_read_directives(p, true);
	d->fields = read_fields(p);
}

static void
read_union(struct gql_parser *p, struct gql_definition *d)
{
	d->name = gql_read_name(p);
	d->directives = gql_read_directives(p, true);
	if (gql_accept(p, GQL_TOKEN_EQUALS))
		d->types = read_types(p, GQL_TOKEN_PIPE);
}

static void
read_enum(struct gql_parser *p, struct gql_definition *d)
{
	d->name = gql_read_name(p);
	d->directives = gql_read_directives(p, true);
	d->values = read_enum_values(p);
}

static void
read_input_object(struct gql_parser *p, struct gql_definition *d)
{
	d->name = gql_read_name(p);
	d->directives = gql_read_directives(p, true);
	d->inputs = read_inputs(p, GQL_TOKEN_BRACE_L, GQL_TOKEN_BRACE_R);
}

static const char *const locations[GQL_DIRECTIVE_LOCATIONS] = {
    [GQL_ON_QUERY] = "QUERY",
    [GQL_ON_MUTATION] = "MUTATION",
    [GQL_ON_SUBSCRIPTION] = "SUBSCRIPTION",
    [GQL_ON_FIELD] = "FIELD",
    [GQL_ON_FRAGMENT_DEFINITION] = "FRAGMENT_DEFINITION",
    [GQL_ON_FRAGMENT_SPREAD] = "FRAGMENT_SPREAD",
    [GQL_ON_INLINE_FRAGMENT] = "INLINE_FRAGMENT",
    [GQL_ON_VARIABLE_DEFINITION] = "VARIABLE_DEFINITION",
    [GQL_ON_SCHEMA] = "SCHEMA",
    [GQL_ON_SCALAR] = "SCALAR",
    [GQL_ON_OBJECT] = "OBJECT",
    [GQL_ON_FIELD_DEFINITION] = "FIELD_DEFINITION",
    [GQL_ON_ARGUMENT_DEFINITION] = "ARGUMENT_DEFINITION",
    [GQL_ON_INTERFACE] = "INTERFACE",
    [GQL_ON_UNION] = "UNION",
    [GQL_ON_ENUM] = "ENUM",
    [GQL_ON_ENUM_VALUE] = "ENUM_VALUE",
    [GQL_ON_INPUT_OBJECT] = "INPUT_OBJECT",
    [GQL_ON_INPUT_FIELD_DEFINITION] = "INPUT_FIELD_DEFINITION",
    [GQL_ON_DIRECTIVE_DEFINITION] = "DIRECTIVE_DEFINITION",
};

const char *
gql_directive_location_name(enum gql_directive_location location)
{
	return locations[location];
}

static uint32_t
read_location(struct gql_parser *p)
{
	for (unsigned i = 0; i < GQL_DIRECTIVE_LOCATIONS; i++) {
		if (gql_accept_word(p, locations[i]))
			return 1u << i;
	}
	if (p->token.kind == GQL_TOKEN_NAME)
		gql_unexpected(p);
	gql_expect(p, GQL_TOKEN_NAME);
	return 0;
}

/* DirectiveDefinition: Description? directive @ Name ArgumentsDefinition?
 * Directives[Const]? repeatable? on |? Location (| Location)*
 * Directives on it, and extensions, are newer than the edition. */
static void
read_directive(struct gql_parser *p, struct gql_definition *d)
{
	gql_expect(p, GQL_TOKEN_AT);
	d->name = gql_read_name(p);
	if (d->extension) {
		d->directives = gql_read_directives(p, true);
		return;
	}
	d->inputs = read_inputs(p, GQL_TOKEN_PAREN_L, GQL_TOKEN_PAREN_R);
	d->directives = gql_read_directives(p, true);
	d->repeatable = gql_accept_word(p, "repeatable");
	gql_expect_word(p, "on");
	gql_accept(p, GQL_TOKEN_PIPE);
	do {
		d->locations |= read_location(p);
	} while (gql_more(p, GQL_TOKEN_PIPE));
}

static const struct rule {
	const char *keyword;
	enum gql_definition_kind kind;
	void (*read)(struct gql_parser *, struct gql_definition *);
} rules[] = {
    {"schema", GQL_DEF_SCHEMA, read_schema},
    {"scalar", GQL_DEF_SCALAR, read_scalar},
    {"type", GQL_DEF_OBJECT, read_object},
    {"interface", GQL_DEF_INTERFACE, read_object},
    {"union", GQL_DEF_UNION, read_union},
    {"enum", GQL_DEF_ENUM, read_enum},
    {"input", GQL_DEF_INPUT, read_input_object},
    {"directive", GQL_DEF_DIRECTIVE, read_directive},
};

bool
gql_read_type_system(struct gql_parser *p, struct gql_definition *d)
{
	size_t i = 0, n = sizeof(rules) / sizeof(rules[0]);

	while (i < n && !gql_accept_word(p, rules[i].keyword))
		i++;
	if (i == n)
		return false;
	d->kind = rules[i].kind;
	rules[i].read(p, d);
	/* An extension that adds nothing is none. */
	if (d->extension && d->directives == NULL && d->types == NULL &&
	    d->fields == NULL && d->values == NULL && d->inputs == NULL &&
	    d->operation_types == NULL)
		gql_unexpected(p);
	return true;
}
