/* parser_executable.c - operations, fragments and what they select. */
#include "graphql/parser.h"

static struct gql_selection_set *read_selection_set(struct gql_parser *p);

/* Field: Alias? Name Arguments? Directives? SelectionSet? */
static void
read_field(struct gql_parser *p, struct gql_selection *s)
{
	s->kind = GQL_FIELD;
	s->name = gql_read_name(p);
	if (gql_accept(p, GQL_TOKEN_COLON)) {
		s->alias = s->name;
		s->name = gql_read_name(p);
		if (p->document->aliases++ >= p->limits.aliases)
			gql_exceeded(p, "too_many_aliases", s->at,
			    "The document has more than %u aliases.",
			    p->limits.aliases);
	}
	s->arguments = gql_read_arguments(p, false);
	s->directives = gql_read_directives(p, false);
	if (p->token.kind == GQL_TOKEN_BRACE_L)
		s->set = read_selection_set(p);
}

/* FragmentSpread: ... FragmentName Directives?
 * InlineFragment: ... TypeCondition? Directives? SelectionSet */
static void
read_spread(struct gql_parser *p, struct gql_selection *s)
{
	bool on;

	gql_advance(p);
	on = gql_accept_word(p, "on");
	if (!on && p->token.kind == GQL_TOKEN_NAME) {
		s->kind = GQL_FRAGMENT_SPREAD;
		s->name = gql_read_name(p);
		s->directives = gql_read_directives(p, false);
		return;
	}
	s->kind = GQL_INLINE_FRAGMENT;
	if (on)
		s->condition = gql_read_named_type(p);
	s->directives = gql_read_directives(p, false);
	s->set = read_selection_set(p);
}

static struct gql_selection *
read_selection(struct gql_parser *p)
{
	struct gql_selection *s = gql_node(p, sizeof(*s));

	s->at = p->token.at;
	s->id = p->document->selections++;
	if (s->id >= p->limits.fields)
		gql_exceeded(p, "too_many_fields", s->at,
		    "The document selects more than %u fields.",
		    p->limits.fields);
	if (p->token.kind == GQL_TOKEN_SPREAD)
		read_spread(p, s);
	else
		read_field(p, s);
	return s;
}

/* SelectionSet: { Selection+ } */
static struct gql_selection_set *
read_selection_set(struct gql_parser *p)
{
	struct gql_selection_set *set = gql_node(p, sizeof(*set));
	struct gql_selection **last = &set->first;

	set->at = p->token.at;
	set->id = p->document->selection_sets++;
	if (!gql_enter(p))
		return set;
	gql_expect(p, GQL_TOKEN_BRACE_L);
	do {
		struct gql_selection *s = read_selection(p);

		*last = s;
		last = &s->next;
		set->count++;
	} while (!gql_closed(p, GQL_TOKEN_BRACE_R));
	gql_leave(p);
	return set;
}

/* VariableDefinition: Description? Variable : Type DefaultValue?
 * Directives[Const]? */
static struct gql_variable_definition *
read_variable_definition(struct gql_parser *p)
{
	struct gql_variable_definition *v = gql_node(p, sizeof(*v));

	v->at = p->token.at;
	v->description = gql_read_description(p);
	v->variable_at = p->token.at;
	gql_expect(p, GQL_TOKEN_DOLLAR);
	v->name = gql_read_name(p);
	gql_expect(p, GQL_TOKEN_COLON);
	v->type = gql_read_type(p);
	if (gql_accept(p, GQL_TOKEN_EQUALS))
		v->default_value = gql_read_value(p, true);
	v->directives = gql_read_directives(p, true);
	return v;
}

static struct gql_variable_definition *
read_variable_definitions(struct gql_parser *p)
{
	struct gql_variable_definition *first = NULL, **last = &first;

	if (!gql_accept(p, GQL_TOKEN_PAREN_L))
		return NULL;
	do {
		struct gql_variable_definition *v = read_variable_definition(p);

		*last = v;
		last = &v->next;
	} while (!gql_closed(p, GQL_TOKEN_PAREN_R));
	return first;
}

enum gql_operation
gql_read_operation_kind(struct gql_parser *p)
{
	enum gql_operation kind = GQL_QUERY;

	if (gql_at_word(p, "mutation"))
		kind = GQL_MUTATION;
	else if (gql_at_word(p, "subscription"))
		kind = GQL_SUBSCRIPTION;
	else if (p->token.kind == GQL_TOKEN_NAME && !gql_at_word(p, "query"))
		gql_unexpected(p);
	gql_expect(p, GQL_TOKEN_NAME);
	return kind;
}

/* OperationDefinition: SelectionSet | Description? OperationType Name?
 * VariablesDefinition? Directives? SelectionSet */
void
gql_read_operation(struct gql_parser *p, struct gql_definition *d)
{
	d->kind = GQL_DEF_OPERATION;
	if (!d->shorthand) {
		d->operation = gql_read_operation_kind(p);
		if (p->token.kind == GQL_TOKEN_NAME)
			d->name = gql_read_name(p);
		d->variables = read_variable_definitions(p);
		d->directives = gql_read_directives(p, false);
	}
	d->set = read_selection_set(p);
}

/* FragmentDefinition: Description? fragment FragmentName on NamedType
 * Directives? SelectionSet */
void
gql_read_fragment(struct gql_parser *p, struct gql_definition *d)
{
	d->kind = GQL_DEF_FRAGMENT;
	gql_advance(p);
	if (gql_at_word(p, "on"))
		gql_unexpected(p);
	d->name = gql_read_name(p);
	gql_expect_word(p, "on");
	d->condition = gql_read_named_type(p);
	d->directives = gql_read_directives(p, false);
	d->set = read_selection_set(p);
}
