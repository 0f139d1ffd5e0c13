/* parser_common.c - names, values, arguments, directives and references to
 * types, as all documents have them. */
#include "graphql/parser.h"

struct gql_name
gql_read_name(struct gql_parser *p)
{
	struct gql_name name = {
	    .s = p->token.s, .len = p->token.len, .at = p->token.at};

	gql_expect(p, GQL_TOKEN_NAME);
	return name;
}

/* Values ------------------------------------------------------------------ */

/* A value that is the current token, and advances over it. */
static struct gql_value *
read_token(struct gql_parser *p, enum gql_value_kind kind)
{
	struct gql_value *v = gql_node(p, sizeof(*v));

	v->kind = kind;
	v->at = p->token.at;
	v->text = p->token.s;
	v->len = p->token.len;
	v->constant = true;
	gql_advance(p);
	return v;
}

/* BooleanValue, NullValue or EnumValue */
static struct gql_value *
read_word(struct gql_parser *p)
{
	bool truth = gql_at_word(p, "true");
	struct gql_value *v;

	if (truth || gql_at_word(p, "false")) {
		v = read_token(p, GQL_VALUE_BOOLEAN);
		v->boolean = truth;
		v->len = 0;
		return v;
	}
	return read_token(
	    p, gql_at_word(p, "null") ? GQL_VALUE_NULL : GQL_VALUE_ENUM);
}

/* Variable: $ Name */
static struct gql_value *
read_variable(struct gql_parser *p, bool constant)
{
	struct gql_place at = p->token.at;
	struct gql_token dollar = p->token;
	struct gql_value *v;

	gql_advance(p);
	if (constant && p->token.kind == GQL_TOKEN_NAME) {
		gql_syntax(p, at, "Unexpected variable in constant value.");
	} else if (constant && !p->failed) {
		p->token = dollar;
		gql_unexpected(p);
	}
	if (p->token.kind != GQL_TOKEN_NAME)
		gql_expect(p, GQL_TOKEN_NAME);
	v = read_token(p, GQL_VALUE_VARIABLE);
	v->at = at;
	v->constant = false;
	return v;
}

/* ListValue: [ Value* ] */
static struct gql_value *
read_list(struct gql_parser *p, bool constant)
{
	struct gql_value *v = read_token(p, GQL_VALUE_LIST), **last;

	v->len = 0;
	v->items = NULL;
	last = &v->items;
	while (!gql_closed(p, GQL_TOKEN_BRACKET_R)) {
		*last = gql_read_value(p, constant);
		v->constant = v->constant && (*last)->constant;
		v->len++;
		last = &(*last)->next;
	}
	return v;
}

/* ObjectValue: { ObjectField* }, ObjectField: Name : Value */
static struct gql_value *
read_object(struct gql_parser *p, bool constant)
{
	struct gql_value *v = read_token(p, GQL_VALUE_OBJECT);
	struct gql_object_field **last = &v->fields;

	v->len = 0;
	v->fields = NULL;
	while (!gql_closed(p, GQL_TOKEN_BRACE_R)) {
		struct gql_object_field *f = gql_node(p, sizeof(*f));

		f->name = gql_read_name(p);
		gql_expect(p, GQL_TOKEN_COLON);
		f->value = gql_read_value(p, constant);
		v->constant = v->constant && f->value->constant;
		v->len++;
		*last = f;
		last = &f->next;
	}
	return v;
}

static struct gql_value *
read_nested(struct gql_parser *p, bool constant)
{
	struct gql_value *v;

	if (!gql_enter(p))
		return read_token(p, GQL_VALUE_NULL);
	v = p->token.kind == GQL_TOKEN_BRACKET_L ? read_list(p, constant)
						 : read_object(p, constant);
	gql_leave(p);
	return v;
}

struct gql_value *
gql_read_value(struct gql_parser *p, bool constant)
{
	enum gql_token_kind kind = p->token.kind;

	if (kind == GQL_TOKEN_NAME)
		return read_word(p);
	if (kind == GQL_TOKEN_DOLLAR)
		return read_variable(p, constant);
	if (kind == GQL_TOKEN_INT)
		return read_token(p, GQL_VALUE_INT);
	if (kind == GQL_TOKEN_FLOAT)
		return read_token(p, GQL_VALUE_FLOAT);
	if (kind == GQL_TOKEN_STRING)
		return read_token(p, GQL_VALUE_STRING);
	if (kind == GQL_TOKEN_BLOCK_STRING)
		return read_token(p, GQL_VALUE_BLOCK_STRING);
	if (kind == GQL_TOKEN_BRACKET_L || kind == GQL_TOKEN_BRACE_L)
		return read_nested(p, constant);
	gql_unexpected(p);
	return read_token(p, GQL_VALUE_NULL);
}

struct gql_value *
gql_read_description(struct gql_parser *p)
{
	return gql_at_string(p) ? gql_read_value(p, true) : NULL;
}

/* Arguments and directives ------------------------------------------------ */

/* Arguments: ( Argument+ ), Argument: Name : Value */
struct gql_argument *
gql_read_arguments(struct gql_parser *p, bool constant)
{
	struct gql_argument *first = NULL, **last = &first;

	if (!gql_accept(p, GQL_TOKEN_PAREN_L))
		return NULL;
	do {
		struct gql_argument *a = gql_node(p, sizeof(*a));

		a->name = gql_read_name(p);
		gql_expect(p, GQL_TOKEN_COLON);
		a->value = gql_read_value(p, constant);
		*last = a;
		last = &a->next;
	} while (!gql_closed(p, GQL_TOKEN_PAREN_R));
	return first;
}

/* Directives: (@ Name Arguments?)* */
struct gql_directive *
gql_read_directives(struct gql_parser *p, bool constant)
{
	struct gql_directive *first = NULL, **last = &first;

	while (p->token.kind == GQL_TOKEN_AT) {
		struct gql_directive *d = gql_node(p, sizeof(*d));

		d->at = p->token.at;
		gql_advance(p);
		d->name = gql_read_name(p);
		d->arguments = gql_read_arguments(p, constant);
		*last = d;
		last = &d->next;
	}
	return first;
}

/* Types ------------------------------------------------------------------- */

struct gql_type_ref *
gql_read_named_type(struct gql_parser *p)
{
	struct gql_type_ref *t = gql_node(p, sizeof(*t));

	t->kind = GQL_REF_NAMED;
	t->name = gql_read_name(p);
	t->at = t->name.at;
	return t;
}

/* ListType: [ Type ] */
static struct gql_type_ref *
read_list_type(struct gql_parser *p)
{
	struct gql_type_ref *t = gql_node(p, sizeof(*t));

	t->kind = GQL_REF_LIST;
	t->at = p->token.at;
	if (!gql_enter(p))
		return t;
	gql_advance(p);
	t->of = gql_read_type(p);
	gql_expect(p, GQL_TOKEN_BRACKET_R);
	gql_leave(p);
	return t;
}

/* Type: (NamedType | ListType) !? */
struct gql_type_ref *
gql_read_type(struct gql_parser *p)
{
	bool list = p->token.kind == GQL_TOKEN_BRACKET_L;
	struct gql_type_ref *t =
	    list ? read_list_type(p) : gql_read_named_type(p);
	struct gql_type_ref *outer;

	if (!gql_accept(p, GQL_TOKEN_BANG))
		return t;
	outer = gql_node(p, sizeof(*outer));
	outer->kind = GQL_REF_NON_NULL;
	outer->at = t->at;
	outer->of = t;
	return outer;
}
