/* sdl_rules.c - rules about a schema's document, before anything is built from
 * it: what is defined twice, not at all, or stands in the wrong place. */
#include "graphql/sdl.h"

/* What a name stands for, and where it was first seen. */
struct known {
	struct gql_name name;
	const struct gql_definition *definition;
	const struct gql_directive *directive;
	struct gql_table members; /* of struct known: fields or values */
	struct gql_table used;	  /* of struct known: directives on it */
};

struct rules {
	struct gql_builder *b;
	struct gql_faults *faults;
	struct gql_table types;	     /* defined in the document */
	struct gql_table members;    /* types defined or extended */
	struct gql_table directives; /* that may be used */
	struct gql_table named;	     /* directives defined in the document */
	struct gql_table directed;   /* directives defined or extended */
	struct known schema;
};

static struct known *
known_new(struct rules *r, const struct gql_name *name)
{
	struct known *k = mem_alloc(r->b->mem, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->name = *name;
	gql_table_create(&k->members, r->b->mem);
	gql_table_create(&k->used, r->b->mem);
	return k;
}

/* The one of that name, made if need be; NULL: memory is out. fresh may be
 * NULL. */
static struct known *
know(struct rules *r, struct gql_table *table, const struct gql_name *name,
    bool *fresh)
{
	struct known *k = gql_table_find(table, name->s, name->len);

	if (fresh != NULL)
		*fresh = k == NULL;
	if (k != NULL)
		return k;
	k = known_new(r, name);
	if (k != NULL)
		(void)gql_table_add(table, k);
	return k;
}

static void
fail(struct rules *r, const struct gql_place *first, struct gql_place at,
    const char *what, const struct gql_name *name)
{
	struct gql_fault *fault;
	struct gql_place nowhere = {0, 0};

	fault = gql_fault_add(r->faults, GQL_SCHEMA_CODE,
	    first != NULL ? *first : nowhere, "%s: \"%.*s\".", what,
	    (int)name->len, name->s);
	gql_fault_at(r->faults, fault, at);
}

/* Once a name, else a fault at the first and this one. */
static void
once(struct rules *r, struct gql_table *table, const struct gql_name *name,
    const char *what)
{
	bool fresh;
	struct known *k = know(r, table, name, &fresh);

	if (k != NULL && !fresh)
		fail(r, &k->name.at, name->at, what, name);
}

/* Values and directives ---------------------------------------------------- */

static void
check_value(struct rules *r, const struct gql_value *value)
{
	struct gql_table names;

	if (value->kind == GQL_VALUE_LIST) {
		for (const struct gql_value *v = value->items; v != NULL;
		     v = v->next)
			check_value(r, v);
	} else if (value->kind == GQL_VALUE_OBJECT) {
		gql_table_create(&names, r->b->mem);
		for (const struct gql_object_field *f = value->fields;
		     f != NULL; f = f->next) {
			once(r, &names, &f->name,
			    "There are several input fields of one name");
			check_value(r, f->value);
		}
	}
}

/* All of one name make one fault. */
static void
unique_arguments(struct rules *r, const struct gql_directive *d)
{
	for (const struct gql_argument *a = d->arguments; a != NULL;
	     a = a->next) {
		struct gql_fault *fault = NULL;
		const struct gql_argument *x = d->arguments;

		while (x != a && !gql_name_equal(&x->name, &a->name))
			x = x->next;
		if (x != a)
			continue;
		for (x = a->next; x != NULL; x = x->next) {
			if (!gql_name_equal(&x->name, &a->name))
				continue;
			if (fault == NULL)
				fault = gql_fault_add(r->faults,
				    GQL_SCHEMA_CODE, a->name.at,
				    "There are several arguments \"%.*s\".",
				    (int)a->name.len, a->name.s);
			gql_fault_at(r->faults, fault, x->name.at);
		}
	}
}

static const struct gql_input_definition *
find_input(
    const struct gql_input_definition *inputs, const struct gql_name *name)
{
	while (inputs != NULL && !gql_name_equal(&inputs->name, name))
		inputs = inputs->next;
	return inputs;
}

static bool
given(const struct gql_directive *d, const struct gql_name *name)
{
	const struct gql_argument *a = d->arguments;

	while (a != NULL && !gql_name_equal(&a->name, name))
		a = a->next;
	return a != NULL;
}

static void
check_arguments(struct rules *r, const struct gql_directive *d,
    const struct gql_definition *definition)
{
	for (const struct gql_argument *a = d->arguments; a != NULL;
	     a = a->next) {
		if (find_input(definition->inputs, &a->name) == NULL)
			fail(r, NULL, a->name.at,
			    "The directive has no such argument", &a->name);
	}
	for (const struct gql_input_definition *i = definition->inputs;
	     i != NULL; i = i->next) {
		if (i->type->kind == GQL_REF_NON_NULL &&
		    i->default_value == NULL && !given(d, &i->name))
			fail(r, NULL, d->at, "The directive needs an argument",
			    &i->name);
	}
}

static void
check_directive(struct rules *r, const struct gql_directive *d,
    enum gql_directive_location location, struct gql_table *used)
{
	struct known *k =
	    gql_table_find(&r->directives, d->name.s, d->name.len);
	struct known *before;
	bool fresh;

	unique_arguments(r, d);
	for (const struct gql_argument *a = d->arguments; a != NULL;
	     a = a->next)
		check_value(r, a->value);
	if (k == NULL) {
		fail(r, NULL, d->at, "Unknown directive", &d->name);
		return;
	}
	if ((k->definition->locations >> location & 1) == 0)
		fail(r, NULL, d->at, "The directive may not be used here",
		    &d->name);
	check_arguments(r, d, k->definition);
	if (k->definition->repeatable)
		return;
	before = know(r, used, &d->name, &fresh);
	if (before != NULL && fresh)
		before->directive = d;
	else if (before != NULL)
		fail(r, &before->directive->at, d->at,
		    "The directive can only be used once here", &d->name);
}

static void
check_directives(struct rules *r, const struct gql_directive *directives,
    enum gql_directive_location location, struct gql_table *used)
{
	struct gql_table own;

	gql_table_create(&own, r->b->mem);
	for (const struct gql_directive *d = directives; d != NULL; d = d->next)
		check_directive(r, d, location, used != NULL ? used : &own);
}

/* Types -------------------------------------------------------------------- */

static void
check_ref(struct rules *r, const struct gql_type_ref *ref)
{
	while (ref->of != NULL)
		ref = ref->of;
	if (gql_table_find(&r->types, ref->name.s, ref->name.len) == NULL &&
	    !gql_builtin_type(r->b, &ref->name))
		fail(r, NULL, ref->at, "Unknown type", &ref->name);
}

static void
check_inputs(struct rules *r, const struct gql_input_definition *inputs,
    enum gql_directive_location location)
{
	for (const struct gql_input_definition *i = inputs; i != NULL;
	     i = i->next) {
		check_ref(r, i->type);
		if (i->default_value != NULL)
			check_value(r, i->default_value);
		check_directives(r, i->directives, location, NULL);
	}
}

/* All of one name make one fault. */
static void
unique_inputs(struct rules *r, const struct gql_input_definition *inputs)
{
	struct gql_table names;
	struct gql_fault *fault;

	gql_table_create(&names, r->b->mem);
	for (const struct gql_input_definition *i = inputs; i != NULL;
	     i = i->next) {
		bool fresh;

		if (know(r, &names, &i->name, &fresh) == NULL || !fresh)
			continue;
		fault = NULL;
		for (const struct gql_input_definition *x = i->next; x != NULL;
		     x = x->next) {
			if (!gql_name_equal(&x->name, &i->name))
				continue;
			if (fault == NULL)
				fault = gql_fault_add(r->faults,
				    GQL_SCHEMA_CODE, i->name.at,
				    "The argument \"%.*s\" is defined more "
				    "than once.",
				    (int)i->name.len, i->name.s);
			gql_fault_at(r->faults, fault, x->name.at);
		}
	}
}

static void
check_members(struct rules *r, const struct gql_definition *d, struct known *k)
{
	for (const struct gql_type_ref *t = d->types; t != NULL; t = t->next)
		check_ref(r, t);
	for (const struct gql_field_definition *f = d->fields; f != NULL;
	     f = f->next) {
		once(r, &k->members, &f->name,
		    "The field is defined more than once");
		unique_inputs(r, f->arguments);
		check_ref(r, f->type);
		check_inputs(r, f->arguments, GQL_ON_ARGUMENT_DEFINITION);
		check_directives(
		    r, f->directives, GQL_ON_FIELD_DEFINITION, NULL);
	}
	for (const struct gql_input_definition *i = d->inputs; i != NULL;
	     i = i->next)
		once(r, &k->members, &i->name,
		    "The field is defined more than once");
	check_inputs(r, d->inputs, GQL_ON_INPUT_FIELD_DEFINITION);
	for (const struct gql_enum_value_definition *v = d->values; v != NULL;
	     v = v->next) {
		once(r, &k->members, &v->name,
		    "The value is defined more than once");
		check_directives(r, v->directives, GQL_ON_ENUM_VALUE, NULL);
	}
}

static enum gql_directive_location
type_location(enum gql_definition_kind kind)
{
	static const enum gql_directive_location of[] = {
	    [GQL_DEF_SCALAR] = GQL_ON_SCALAR,
	    [GQL_DEF_OBJECT] = GQL_ON_OBJECT,
	    [GQL_DEF_INTERFACE] = GQL_ON_INTERFACE,
	    [GQL_DEF_UNION] = GQL_ON_UNION,
	    [GQL_DEF_ENUM] = GQL_ON_ENUM,
	    [GQL_DEF_INPUT] = GQL_ON_INPUT_OBJECT,
	    [GQL_DEF_DIRECTIVE] = GQL_ON_DIRECTIVE_DEFINITION,
	};

	return of[kind];
}

static void
check_extension(struct rules *r, const struct gql_definition *d)
{
	const struct known *k =
	    gql_table_find(&r->types, d->name.s, d->name.len);

	if (k == NULL)
		fail(r, NULL, d->name.at, "What is extended is not defined",
		    &d->name);
	else if (k->definition->kind != d->kind)
		fail(r, &k->definition->at, d->at,
		    "What is extended is of another kind", &d->name);
}

static void
check_type(struct rules *r, const struct gql_definition *d)
{
	struct known *k = know(r, &r->members, &d->name, NULL);

	if (k == NULL)
		return;
	if (d->extension)
		check_extension(r, d);
	check_directives(r, d->directives, type_location(d->kind), &k->used);
	check_members(r, d, k);
}

static void
check_directive_type(struct rules *r, const struct gql_definition *d)
{
	struct known *k = know(r, &r->directed, &d->name, NULL);

	if (k == NULL)
		return;
	if (d->extension &&
	    gql_table_find(&r->directives, d->name.s, d->name.len) == NULL)
		fail(r, NULL, d->name.at, "What is extended is not defined",
		    &d->name);
	if (!d->extension)
		once(r, &r->named, &d->name,
		    "There are several directives of one name");
	unique_inputs(r, d->inputs);
	check_inputs(r, d->inputs, GQL_ON_ARGUMENT_DEFINITION);
	check_directives(
	    r, d->directives, GQL_ON_DIRECTIVE_DEFINITION, &k->used);
}

static void
check_schema(struct rules *r, const struct gql_definition *d,
    const struct gql_operation_type *seen[3])
{
	static const struct gql_name name = {"schema", 6, {0, 0}};

	if (!d->extension) {
		if (r->b->schema_node != NULL)
			fail(r, NULL, d->at, "There are several definitions",
			    &name);
		else
			r->b->schema_node = d;
	}
	for (const struct gql_operation_type *o = d->operation_types; o != NULL;
	     o = o->next) {
		check_ref(r, o->type);
		if (seen[o->operation] == NULL)
			seen[o->operation] = o;
		else
			fail(r, &seen[o->operation]->at, o->at,
			    "There are several root types of one operation",
			    &o->type->name);
	}
	check_directives(r, d->directives, GQL_ON_SCHEMA, &r->schema.used);
}

/* First what is defined, for a definition may stand after its use. */
static void
learn(struct rules *r, const struct gql_document *document, bool builtin)
{
	struct known *k;
	bool fresh;

	for (const struct gql_definition *d = document->definitions; d != NULL;
	     d = d->next) {
		if (d->kind == GQL_DEF_DIRECTIVE && !d->extension) {
			k = know(r, &r->directives, &d->name, NULL);
			if (k != NULL)
				k->definition = d;
			continue;
		}
		if (builtin || d->extension || d->kind < GQL_DEF_SCALAR ||
		    d->kind == GQL_DEF_DIRECTIVE)
			continue;
		k = know(r, &r->types, &d->name, &fresh);
		if (k == NULL)
			return;
		k->definition = d;
		if (!fresh)
			fail(r, &k->name.at, d->name.at,
			    "There are several types of one name", &d->name);
	}
}

void
gql_sdl_check(struct gql_builder *b)
{
	const struct gql_operation_type *seen[3] = {NULL, NULL, NULL};
	static const struct gql_name name = {"a schema", 8, {0, 0}};
	struct rules r = {.b = b, .faults = b->faults};

	gql_table_create(&r.types, b->mem);
	gql_table_create(&r.members, b->mem);
	gql_table_create(&r.directives, b->mem);
	gql_table_create(&r.named, b->mem);
	gql_table_create(&r.directed, b->mem);
	gql_table_create(&r.schema.used, b->mem);
	learn(&r, b->builtin, true);
	learn(&r, b->sdl, false);
	for (const struct gql_definition *d = b->sdl->definitions;
	     d != NULL && !mem_failed(b->mem); d = d->next) {
		if (d->kind == GQL_DEF_OPERATION || d->kind == GQL_DEF_FRAGMENT)
			fail(&r, NULL, d->at,
			    "Operations and fragments are no part of", &name);
		else if (d->kind == GQL_DEF_SCHEMA)
			check_schema(&r, d, seen);
		else if (d->kind == GQL_DEF_DIRECTIVE)
			check_directive_type(&r, d);
		else
			check_type(&r, d);
	}
}
