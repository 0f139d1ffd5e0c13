/* check_arguments.c - rules about arguments, directives and values (5.4, 5.6,
 * 5.7); notes where variables are used. */
#include "graphql/check.h"
#include "graphql/literal.h"

/* Values ------------------------------------------------------------------- */

/* What a place in a value expects. */
struct expected {
	const struct gql_type *type; /* NULL: not known */
	bool has_default;
	bool one_of;
};

static void
note_usage(struct gql_check *c, struct gql_part *part,
    const struct gql_value *value, struct expected x)
{
	struct gql_usage *usage = mem_alloc(c->mem, sizeof(*usage));

	if (usage == NULL)
		return;
	usage->name.s = value->text;
	usage->name.len = value->len;
	usage->name.at = value->at;
	usage->type = x.type;
	usage->has_default = x.has_default;
	usage->one_of = x.one_of;
	*part->last_usage = usage;
	part->last_usage = &usage->next;
}

static void walk_value(struct gql_check *c, struct gql_part *part,
    const struct gql_value *value, struct expected x);

static void
walk_object(struct gql_check *c, struct gql_part *part,
    const struct gql_value *value, const struct gql_type *type)
{
	const struct gql_type *object = gql_type_named(type);
	struct gql_table names;

	gql_table_create(&names, c->mem);
	for (struct gql_object_field *f = value->fields; f != NULL;
	     f = f->next) {
		struct gql_name *name = mem_alloc(c->mem, sizeof(*name));
		const struct gql_input *input = NULL;
		const struct gql_name *before;
		struct expected x = {NULL, false, false};

		if (name == NULL)
			return;
		*name = f->name;
		before = gql_table_add(&names, name);
		if (before != NULL)
			(void)gql_check_fail2(c, before->at, f->name.at,
			    "There are several input fields of one name",
			    &f->name);
		if (object != NULL)
			input = gql_type_input(object, f->name.s, f->name.len);
		if (input != NULL) {
			x.type = input->type;
			x.has_default = input->default_value != NULL;
			x.one_of = object->one_of;
		}
		walk_value(c, part, f->value, x);
	}
}

/* part NULL: there are no variables. */
static void
walk_value(struct gql_check *c, struct gql_part *part,
    const struct gql_value *value, struct expected x)
{
	const struct gql_type *type = gql_type_nullable(x.type);
	struct expected item = {
	    type != NULL && type->kind == GQL_LIST ? type->of : type, false,
	    false};

	if (value->kind == GQL_VALUE_VARIABLE && part != NULL) {
		note_usage(c, part, value, x);
	} else if (value->kind == GQL_VALUE_LIST) {
		for (const struct gql_value *v = value->items;
		     v != NULL && !c->faults->full; v = v->next)
			walk_value(c, part, v, item);
	} else if (value->kind == GQL_VALUE_OBJECT) {
		walk_object(c, part, value, x.type);
	}
}

void
gql_check_constant(struct gql_check *c, const struct gql_value *value,
    const struct gql_type *type)
{
	struct expected x = {type, false, false};

	walk_value(c, NULL, value, x);
	if (type != NULL)
		gql_literal_check(c->faults, GQL_RULE_CODE, value, type);
}

/* Arguments ---------------------------------------------------------------- */

/* All of one name make one fault. */
static void
check_unique(struct gql_check *c, const struct gql_argument *arguments)
{
	struct seen {
		struct gql_name name;
		struct gql_fault *fault;
	} * seen, *before;
	struct gql_table table;

	if (arguments == NULL || arguments->next == NULL)
		return;
	gql_table_create(&table, c->mem);
	for (const struct gql_argument *a = arguments; a != NULL; a = a->next) {
		seen = mem_alloc(c->mem, sizeof(*seen));
		if (seen == NULL)
			return;
		seen->name = a->name;
		before = gql_table_add(&table, seen);
		if (before == NULL)
			continue;
		if (before->fault == NULL)
			before->fault = gql_check_fail(c, before->name.at,
			    "There are several arguments of one name",
			    &a->name);
		gql_fault_at(c->faults, before->fault, a->name.at);
	}
}

static void
check_argument(struct gql_check *c, struct gql_part *part,
    const struct gql_argument *a, const struct gql_input *input)
{
	struct expected x = {NULL, false, false};

	if (input != NULL) {
		x.type = input->type;
		x.has_default = input->default_value != NULL;
		gql_literal_check(
		    c->faults, GQL_RULE_CODE, a->value, input->type);
	}
	walk_value(c, part, a->value, x);
}

static bool
given(const struct gql_argument *a, const struct gql_name *name)
{
	while (a != NULL && !gql_name_equal(&a->name, name))
		a = a->next;
	return a != NULL;
}

static void
check_required(struct gql_check *c, const struct gql_argument *arguments,
    const struct gql_input *inputs, uint32_t count, struct gql_place at)
{
	for (uint32_t i = 0; i < count; i++) {
		if (gql_input_required(&inputs[i]) &&
		    !given(arguments, &inputs[i].name))
			(void)gql_check_fail(
			    c, at, "An argument is missing", &inputs[i].name);
	}
}

void
gql_check_arguments(struct gql_check *c, struct gql_part *part,
    const struct gql_selection *node, const struct gql_field *field)
{
	check_unique(c, node->arguments);
	for (const struct gql_argument *a = node->arguments; a != NULL;
	     a = a->next) {
		const struct gql_input *input = NULL;

		if (field != NULL) {
			input = gql_field_arg(field, a->name.s, a->name.len);
			if (input == NULL)
				(void)gql_check_fail(c, a->name.at,
				    "The field has no such argument", &a->name);
		}
		check_argument(c, part, a, input);
	}
	if (field != NULL)
		check_required(c, node->arguments, field->args,
		    field->arg_count, node->at);
}

/* Directives --------------------------------------------------------------- */

/* What an unknown directive is given is judged as if the field around it had
 * it, as the reference implementation does. */
static void
check_directive(struct gql_check *c, struct gql_part *part,
    const struct gql_directive *d, enum gql_directive_location location,
    const struct gql_field *field)
{
	const struct gql_directive_type *type =
	    gql_schema_directive(c->schema, d->name.s, d->name.len);
	const struct gql_input *input;

	if (type == NULL)
		(void)gql_check_fail(c, d->at, "Unknown directive", &d->name);
	else if ((type->locations >> location & 1) == 0)
		(void)gql_check_fail(
		    c, d->at, "The directive may not be used here", &d->name);
	check_unique(c, d->arguments);
	for (const struct gql_argument *a = d->arguments; a != NULL;
	     a = a->next) {
		if (type != NULL)
			input = gql_directive_arg(type, a->name.s, a->name.len);
		else
			input = field == NULL ? NULL
					      : gql_field_arg(field, a->name.s,
						    a->name.len);
		if (type != NULL && input == NULL)
			(void)gql_check_fail(c, a->name.at,
			    "The directive has no such argument", &a->name);
		check_argument(c, part, a, input);
	}
	if (type != NULL)
		check_required(
		    c, d->arguments, type->args, type->arg_count, d->at);
}

static void
check_once(
    struct gql_check *c, const struct gql_directive *d, struct gql_table *table)
{
	const struct gql_directive_type *type =
	    gql_schema_directive(c->schema, d->name.s, d->name.len);
	const struct gql_name *before;
	struct gql_name *name;

	if (type == NULL || type->repeatable)
		return;
	name = mem_alloc(c->mem, sizeof(*name));
	if (name == NULL)
		return;
	*name = d->name;
	name->at = d->at;
	before = gql_table_add(table, name);
	if (before != NULL)
		(void)gql_check_fail2(c, before->at, d->at,
		    "The directive can only be used once here", &d->name);
}

void
gql_check_directives(struct gql_check *c, struct gql_part *part,
    const struct gql_directive *directives,
    enum gql_directive_location location, const struct gql_field *field)
{
	struct gql_table seen;

	if (directives == NULL)
		return;
	gql_table_create(&seen, c->mem);
	for (const struct gql_directive *d = directives;
	     d != NULL && !c->faults->full; d = d->next) {
		check_directive(c, part, d, location, field);
		if (directives->next != NULL)
			check_once(c, d, &seen);
	}
}
