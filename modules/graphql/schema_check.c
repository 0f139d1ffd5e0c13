/* schema_check.c - rules about a schema that was built: root types, names,
 * interfaces, unions (chapter 3). */
#include "graphql/sdl.h"

#include <string.h>

static const struct gql_place nowhere;

static struct gql_fault *
fail(struct gql_builder *b, struct gql_place at, const char *what,
    const struct gql_name *name)
{
	return gql_fault_add(b->faults, GQL_SCHEMA_CODE, at, "%s: \"%.*s\".",
	    what, (int)name->len, name->s);
}

static void
also_at(struct gql_builder *b, struct gql_fault *fault, struct gql_place at)
{
	gql_fault_at(b->faults, fault, at);
}

static void
check_name(
    struct gql_builder *b, const struct gql_name *name, struct gql_place at)
{
	if (name->len >= 2 && memcmp(name->s, "__", 2) == 0)
		(void)fail(b, at,
		    "Names that begin with two underscores are introspection's",
		    name);
}

static void
at_nodes(
    struct gql_builder *b, struct gql_fault *fault, const struct gql_type *type)
{
	for (uint32_t i = 0; i < type->node_count; i++)
		also_at(b, fault, type->nodes[i]->at);
}

/* Root types --------------------------------------------------------------- */

static struct gql_place
root_place(const struct gql_builder *b, int operation)
{
	const struct gql_type *root = b->schema->roots[operation];

	for (const struct gql_definition *d = b->sdl->definitions; d != NULL;
	     d = d->next) {
		if (d->kind != GQL_DEF_SCHEMA)
			continue;
		for (const struct gql_operation_type *o = d->operation_types;
		     o != NULL; o = o->next) {
			if ((int)o->operation == operation)
				return o->type->at;
		}
	}
	return root->node_count > 0 ? root->nodes[0]->at : nowhere;
}

static bool
is_explicit(const struct gql_builder *b, int operation)
{
	for (const struct gql_definition *d = b->sdl->definitions; d != NULL;
	     d = d->next) {
		for (const struct gql_operation_type *o = d->operation_types;
		     o != NULL; o = o->next) {
			if ((int)o->operation == operation)
				return true;
		}
	}
	return false;
}

static void
check_root_shared(struct gql_builder *b, int first)
{
	struct gql_type **roots = b->schema->roots;
	struct gql_fault *fault = NULL;

	for (int i = 0; i < first; i++) {
		if (roots[i] == roots[first])
			return; /* said there */
	}
	for (int i = first + 1; i < 3; i++) {
		if (roots[i] != roots[first])
			continue;
		if (fault == NULL)
			fault = fail(b,
			    is_explicit(b, first) ? root_place(b, first)
						  : nowhere,
			    "All root types must be different",
			    &roots[first]->name);
		if (is_explicit(b, i))
			also_at(b, fault, root_place(b, i));
	}
}

static void
check_roots(struct gql_builder *b)
{
	struct gql_type **roots = b->schema->roots;
	static const struct gql_name query = {"query", 5, {0, 0}};

	if (roots[GQL_QUERY] == NULL)
		(void)fail(b,
		    b->schema_node == NULL ? nowhere : b->schema_node->at,
		    "There must be a root type", &query);
	for (int i = 0; i < 3; i++) {
		if (roots[i] == NULL)
			continue;
		if (roots[i]->kind != GQL_OBJECT)
			(void)fail(b, root_place(b, i),
			    "A root type must be an object type",
			    &roots[i]->name);
		else
			check_root_shared(b, i);
	}
}

/* Arguments and fields ----------------------------------------------------- */

static struct gql_place
deprecated_place(const struct gql_directive *d)
{
	while (d != NULL && !gql_name_is(&d->name, "deprecated", 10))
		d = d->next;
	return d == NULL ? nowhere : d->at;
}

static void
check_required_deprecated(struct gql_builder *b, const struct gql_input *input)
{
	struct gql_fault *fault;

	if (!gql_input_required(input) || input->deprecation.s == NULL)
		return;
	fault = fail(b, deprecated_place(input->node->directives),
	    "What is required can't be deprecated", &input->name);
	also_at(b, fault, input->node->type->at);
}

static void
check_arg(struct gql_builder *b, const struct gql_input *arg, bool directive)
{
	check_name(b, &arg->name, arg->node->at);
	if (!gql_type_is_input(arg->type))
		(void)fail(b, directive ? arg->node->at : arg->node->type->at,
		    "The type of an argument must be an input type",
		    &arg->name);
	check_required_deprecated(b, arg);
	gql_schema_check_default(b, arg);
}

static void
check_fields(struct gql_builder *b, const struct gql_type *type)
{
	if (type->field_count == 0)
		at_nodes(b,
		    fail(b, nowhere, "The type must have fields", &type->name),
		    type);
	for (uint32_t i = 0; i < type->field_count; i++) {
		const struct gql_field *f = &type->fields[i];

		check_name(b, &f->name, f->node->at);
		if (!gql_type_is_output(f->type))
			(void)fail(b, f->node->type->at,
			    "The type of a field must be an output type",
			    &f->name);
		for (uint32_t k = 0; k < f->arg_count; k++)
			check_arg(b, &f->args[k], false);
	}
}

static void
check_inputs(struct gql_builder *b, const struct gql_type *type)
{
	if (type->input_count == 0)
		at_nodes(b,
		    fail(b, nowhere, "The type must have fields", &type->name),
		    type);
	for (uint32_t i = 0; i < type->input_count; i++) {
		const struct gql_input *input = &type->inputs[i];

		check_arg(b, input, false);
		if (!type->one_of)
			continue;
		if (input->type->kind == GQL_NON_NULL)
			(void)fail(b, input->node->type->at,
			    "A field of a one-of input must be nullable",
			    &input->name);
		if (input->default_value != NULL)
			(void)fail(b, input->node->at,
			    "A field of a one-of input can't have a default",
			    &input->name);
	}
}

/* Interfaces --------------------------------------------------------------- */

/* Where type says that it implements interface. */
static void
at_implements(struct gql_builder *b, struct gql_fault *fault,
    const struct gql_type *type, const struct gql_type *interface)
{
	for (uint32_t i = 0; i < type->node_count; i++) {
		for (const struct gql_type_ref *t = type->nodes[i]->types;
		     t != NULL; t = t->next) {
			if (gql_name_equal(&t->name, &interface->name))
				also_at(b, fault, t->at);
		}
	}
}

static bool
declares(const struct gql_type *type, const struct gql_type *interface)
{
	for (uint32_t i = 0; i < type->interface_count; i++) {
		if (type->interfaces[i] == interface)
			return true;
	}
	return false;
}

static void
check_ancestors(struct gql_builder *b, const struct gql_type *type,
    const struct gql_type *interface)
{
	struct gql_fault *fault;

	for (uint32_t i = 0; i < interface->interface_count; i++) {
		const struct gql_type *above = interface->interfaces[i];

		if (declares(type, above))
			continue;
		fault = fail(b, nowhere,
		    above == type
			? "Interfaces can't implement each other in a circle"
			: "The type must implement its interface's interface",
		    &above->name);
		at_implements(b, fault, interface, above);
		at_implements(b, fault, type, interface);
	}
}

static void
check_field_args(struct gql_builder *b, const struct gql_field *field,
    const struct gql_field *wanted)
{
	const struct gql_input *arg, *other;
	struct gql_fault *fault;

	for (uint32_t i = 0; i < wanted->arg_count; i++) {
		arg = &wanted->args[i];
		other = gql_field_arg(field, arg->name.s, arg->name.len);
		if (other == NULL) {
			fault = fail(b, arg->node->at,
			    "An argument of the interface's field is missing",
			    &arg->name);
			also_at(b, fault, field->node->at);
		} else if (other->type != arg->type) {
			fault = fail(b, arg->node->type->at,
			    "An argument has another type in the interface",
			    &arg->name);
			also_at(b, fault, other->node->type->at);
		}
	}
	for (uint32_t i = 0; i < field->arg_count; i++) {
		arg = &field->args[i];
		if (!gql_input_required(arg) ||
		    gql_field_arg(wanted, arg->name.s, arg->name.len) != NULL)
			continue;
		fault = fail(b, arg->node->at,
		    "An argument that the interface hasn't can't be required",
		    &arg->name);
		also_at(b, fault, wanted->node->at);
	}
}

static void
check_interface_field(struct gql_builder *b, const struct gql_type *type,
    const struct gql_field *wanted)
{
	const struct gql_field *field =
	    gql_type_field(type, wanted->name.s, wanted->name.len);
	struct gql_fault *fault;

	if (field == NULL) {
		fault = fail(b, wanted->node->at,
		    "A field of the interface is missing", &wanted->name);
		at_nodes(b, fault, type);
		return;
	}
	if (!gql_type_is_subtype(field->type, wanted->type)) {
		fault = fail(b, wanted->node->type->at,
		    "The field's type is none of the interface's",
		    &field->name);
		also_at(b, fault, field->node->type->at);
	}
	check_field_args(b, field, wanted);
	if (field->deprecation.s != NULL && wanted->deprecation.s == NULL) {
		fault = fail(b, deprecated_place(field->node->directives),
		    "The field can't be deprecated where the interface's isn't",
		    &field->name);
		also_at(b, fault, field->node->type->at);
	}
}

static void
check_interface(
    struct gql_builder *b, const struct gql_type *type, uint32_t index)
{
	const struct gql_type *interface = type->interfaces[index];
	const char *what = NULL;

	if (interface->kind != GQL_INTERFACE)
		what = "Only interfaces can be implemented";
	else if (interface == type)
		what = "An interface can't implement itself";
	for (uint32_t i = 0; what == NULL && i < index; i++) {
		if (type->interfaces[i] == interface)
			what = "The interface can only be implemented once";
	}
	if (what != NULL) {
		at_implements(b, fail(b, nowhere, what, &interface->name), type,
		    interface);
		return;
	}
	check_ancestors(b, type, interface);
	for (uint32_t i = 0; i < interface->field_count; i++)
		check_interface_field(b, type, &interface->fields[i]);
}

/* Unions and enums --------------------------------------------------------- */

static void
check_member(struct gql_builder *b, const struct gql_type *type, uint32_t index)
{
	const struct gql_type *member = type->possible[index];
	const char *what = NULL;

	for (uint32_t i = 0; what == NULL && i < index; i++) {
		if (type->possible[i] == member)
			what = "The union can include a type only once";
	}
	if (what == NULL && member->kind != GQL_OBJECT)
		what = "A union can only include object types";
	if (what != NULL)
		at_implements(
		    b, fail(b, nowhere, what, &member->name), type, member);
}

static void
check_union(struct gql_builder *b, const struct gql_type *type)
{
	if (type->possible_count == 0)
		at_nodes(b,
		    fail(b, nowhere, "The union must have types", &type->name),
		    type);
	for (uint32_t i = 0; i < type->possible_count; i++)
		check_member(b, type, i);
}

static void
check_enum(struct gql_builder *b, const struct gql_type *type)
{
	if (type->value_count == 0)
		at_nodes(b,
		    fail(b, nowhere, "The enum must have values", &type->name),
		    type);
	for (uint32_t i = 0; i < type->value_count; i++)
		check_name(b, &type->values[i].name, type->values[i].node->at);
}

static void
check_type(struct gql_builder *b, const struct gql_type *type)
{
	check_name(b, &type->name,
	    type->node_count > 0 ? type->nodes[0]->at : nowhere);
	if (type->kind == GQL_UNION)
		check_union(b, type);
	if (type->kind == GQL_ENUM)
		check_enum(b, type);
	if (type->kind == GQL_INPUT_OBJECT)
		check_inputs(b, type);
	if (type->kind != GQL_OBJECT && type->kind != GQL_INTERFACE)
		return;
	check_fields(b, type);
	for (uint32_t i = 0; i < type->interface_count; i++)
		check_interface(b, type, i);
}

static void
check_directive(struct gql_builder *b, const struct gql_directive_type *d)
{
	check_name(b, &d->name, d->node->at);
	for (uint32_t i = 0; i < d->arg_count; i++)
		check_arg(b, &d->args[i], true);
}

void
gql_schema_check(struct gql_builder *b)
{
	check_roots(b);
	for (uint32_t i = 0; i < b->schema->directive_count; i++) {
		if (!b->schema->directives[i].builtin)
			check_directive(b, &b->schema->directives[i]);
	}
	for (uint32_t i = 0; i < b->schema->type_count; i++) {
		if (!b->schema->types[i]->builtin)
			check_type(b, b->schema->types[i]);
	}
}
