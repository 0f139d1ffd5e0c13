/* plan.c - an operation's root fields, each a statement. */
#include "graphql/plan.h"

#include <stdio.h>
#include <string.h>

#include <openssl/sha.h>

#include "graphql/select.h"

/* The statement's name on a connection: of its whole text, so that two have the
 * same only if they are the same. */
static bool
name_statement(struct mem *m, struct query_plan *plan, struct plan_root *root)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	uint64_t key = 0;

	SHA256((const unsigned char *)root->sql.text, strlen(root->sql.text),
	    hash);
	for (unsigned i = 0; i < 8; i++)
		key = key << 8 | hash[i];
	root->sql.name = "graphql";
	root->sql.key = mem_printf(m, "s%016llx", (unsigned long long)key);
	plan->hash = (plan->hash << 5 | plan->hash >> 59) ^ key;
	plan->statement_count++;
	return root->sql.key != NULL;
}

static struct plan_root *
root_new(struct mem *m, const struct gql_collected *f)
{
	struct plan_root *root = mem_alloc(m, sizeof(*root));

	if (root == NULL)
		return NULL;
	root->response = f->response;
	root->at = f->nodes[0]->at;
	root->collected = f;
	root->not_null = f->field->type->kind == GQL_NON_NULL;
	root->out.key =
	    mem_printf(m, "\"%.*s\":", (int)f->response.len, f->response.s);
	root->out.key_len = f->response.len + 3;
	root->out.response = f->response;
	root->out.at = root->at;
	root->out.not_null = root->not_null;
	root->out.type = "Query";
	root->out.field = mem_strndup(m, f->field->name.s, f->field->name.len);
	return mem_failed(m) ? NULL : root;
}

static bool
plan_root(struct compiler *c, struct query_plan *plan, struct plan_root *root)
{
	const struct gql_collected *f = root->collected;

	if (f->field == &c->collector->schema->meta_typename) {
		root->kind = ROOT_TYPENAME;
		return true;
	}
	if (f->field == &c->collector->schema->meta_schema ||
	    f->field == &c->collector->schema->meta_type) {
		root->kind = ROOT_INTROSPECTION;
		return true;
	}
	if (!select_root(c, root, f))
		return false;
	return root->kind == ROOT_DONE || name_statement(c->mem, plan, root);
}

int
plan_make(struct gql_collector *collector,
    const struct gql_definition *operation, const struct json *variables,
    struct query_plan **out, struct gql_error *e)
{
	static struct plan_param params[PLAN_PARAMS_MAX];
	struct mem *m = collector->mem;
	struct compiler c = {.mem = m,
	    .collector = collector,
	    .variables = variables,
	    .e = e,
	    .params = params};
	struct query_plan *plan = mem_alloc(m, sizeof(*plan));
	struct plan_root **last;
	struct gql_collected *f;

	e->code = NULL;
	if (plan == NULL || gql_collect(collector,
				collector->schema->roots[operation->operation],
				operation->set, &f) != 0)
		return gql_fail(
		    e, "out_of_memory", operation->at, "Out of memory.");
	plan->operation = operation;
	for (last = &plan->roots; f != NULL; f = f->next) {
		struct plan_root *root = root_new(m, f);

		if (root == NULL || !plan_root(&c, plan, root))
			break;
		*last = root;
		last = &root->next;
		plan->root_count++;
	}
	if (mem_failed(m))
		return gql_fail(
		    e, "out_of_memory", operation->at, "Out of memory.");
	if (e->code != NULL || f != NULL) {
		if (e->code == NULL)
			gql_fail(e, "internal", f->nodes[0]->at,
			    "The field can't be answered.");
		if (e->at.line == 0)
			e->at = f != NULL ? f->nodes[0]->at : operation->at;
		return -1;
	}
	*out = plan;
	return 0;
}
