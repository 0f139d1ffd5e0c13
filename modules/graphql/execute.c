/* execute.c - documents, plans and statements of a request. */
#include "graphql/execute_steps.h"

#include <assert.h>
#include <string.h>

#include "graphql/bind.h"
#include "graphql/cache.h"
#include "graphql/explain.h"
#include "graphql/introspect.h"
#include "graphql/params.h"
#include "graphql/scalars.h"
#include "graphql/subscribe.h"
#include "graphql/validate.h"
#include "graphql/values.h"
#include "web/subscription.h"

static enum execution_step
refuse(struct writer *w, const struct gql_error *e)
{
	write_error(w, e->at, NULL, e->code, e->message);
	write_refusal(w);
	return EXECUTION_REFUSED;
}

/* --- the plan of a request ------------------------------------------------ */

static enum execution_step
refuse_document(struct writer *w, const struct gql_faults *faults)
{
	const struct gql_fault *f;
	struct gql_place none = {0, 0};

	if (faults->first == NULL)
		write_error(w, none, NULL, "out_of_memory", "Out of memory.");
	for (f = faults->first; f != NULL; f = f->next)
		write_fault(w, f);
	write_refusal(w);
	return EXECUTION_REFUSED;
}

/* NULL: it has no value. */
static const struct json *
variable(const struct json *variables, const struct gql_name *name)
{
	for (uint32_t i = 0; variables != NULL && i < variables->count; i++)
		if (gql_name_is(name, variables->members[i].name,
			variables->members[i].name_len))
			return variables->members[i].value;
	return NULL;
}

static int64_t
int_variable(void *arg, const struct gql_name *name)
{
	const struct execution *x = arg;
	const struct json *v = variable(x->variables, name);

	return v != NULL && v->type == JSON_INTEGER ? v->integer : -1;
}

static int
check_cost(struct flow *f, struct execution *x, const struct found *found,
    struct gql_error *e)
{
	struct gql_cost cost;

	return gql_cost_check(flow_mem(f), found->schema,
	    cached_document(found->document), found->operation, NULL,
	    int_variable, x, &cost, e);
}

static int
coerce_variables(struct flow *f, struct execution *x, const struct found *found,
    struct gql_faults *faults)
{
	struct gql_coercion c = {.mem = flow_mem(f),
	    .schema = found->schema,
	    .faults = faults,
	    .rules = scalar_rules,
	    .rule_count = scalar_rule_count};

	gql_faults_create(faults, flow_mem(f), 0);
	return gql_variables_coerce(
	    &c, found->operation, x->variables, &x->variables);
}

static int
choose_operation(struct flow *f, struct execution *x, struct found *found,
    struct gql_error *e)
{
	found->operation = gql_operation_find(cached_document(found->document),
	    x->operation_name, x->operation_name_len, e);
	if (found->operation == NULL)
		return -1;
	if (subscribe_check(f, found->operation, e) != 0)
		return -1;
	x->mutation = found->operation->operation == GQL_MUTATION;
	x->needs_post = x->mutation && x->reads_only;
	if (x->needs_post)
		return gql_fail(e, "method_not_allowed", found->operation->at,
		    "A mutation is sent by POST.");
	return 0;
}

enum execution_step
execute_find(
    struct flow *f, struct execution *x, struct writer *w, struct found *found)
{
	struct gql_faults faults;
	struct gql_error e = {.code = NULL};
	const char *failure;

	if ((found->schema = bind_schema(&failure)) == NULL) {
		gql_fail(
		    &e, "internal", (struct gql_place){0, 0}, "%s", failure);
		return refuse(w, &e);
	}
	found->document = cache_document(
	    flow_mem(f), found->schema, x->text, x->len, &faults);
	if (found->document == NULL)
		return refuse_document(w, &faults);
	if (choose_operation(f, x, found, &e) != 0)
		return refuse(w, &e);
	if (coerce_variables(f, x, found, &faults) != 0)
		return refuse_document(w, &faults);
	if (check_cost(f, x, found, &e) != 0 ||
	    (found->plan = cache_plan(found->document, found->schema,
		 found->operation, x->variables, &found->uses, &e)) == NULL)
		return refuse(w, &e);
	w->variables = x->variables;
	return EXECUTION_READY;
}

/* --- ask ------------------------------------------------------------------ */

static void
root_error(struct flow *f, struct execution_root *r, const char *code,
    const char *message, struct gql_place at)
{
	r->ask = -1;
	r->code = mem_strdup(flow_mem(f), code);
	r->message = mem_strdup(flow_mem(f), message);
	r->at = at;
}

/* The policy's actions of what a field reads. */
static bool
allowed(struct flow *f, const struct plan_root *root, struct execution_root *r)
{
	const struct actor *a = flow_actor(f);

	for (unsigned i = 0; i < POLICY_COUNT; i++) {
		if (!(root->actions >> i & 1))
			continue;
		switch (policy_judge(
		    policy_get((enum policy_action)i), a->admin, a->scopes)) {
		case POLICY_ALLOWED:
			continue;
		case POLICY_SCOPE:
			root_error(f, r, "insufficient_scope",
			    "The token's scopes don't reach what the field "
			    "reads.",
			    root->at);
			return false;
		case POLICY_ROLE:
			root_error(f, r, "forbidden",
			    "Only admins of the organization may read this.",
			    root->at);
			return false;
		}
	}
	return true;
}

/* A copy that stays while it waits; planned anew the first time, so that what
 * is asked once leaves nothing prepared behind. */
static const struct sql *
copy_statement(struct mem *m, const struct plan_root *root, unsigned uses)
{
	struct sql *sql = mem_alloc(m, sizeof(*sql));

	if (sql == NULL)
		return NULL;
	sql->name = mem_strdup(m, root->sql.name);
	sql->key = mem_strdup(m, uses > 0 ? root->sql.key : "");
	sql->text = mem_strdup(m, root->sql.text);
	sql->params = root->sql.params;
	return sql;
}

bool
execute_ask_root(struct flow *f, const struct execution *x,
    const struct plan_root *root, const struct uuid *result,
    struct execution_root *r, struct flow_ask *ask, unsigned uses)
{
	struct sql_params *params;
	struct gql_error e = {.code = NULL};

	r->ask = -1;
	if (root->sql.text == NULL || !allowed(f, root, r))
		return false;
	params = mem_alloc(flow_mem(f), sizeof(*params));
	if (params == NULL)
		return false;
	params->mem = flow_mem(f);
	if (params_make(root, x->variables, &flow_actor(f)->user,
		result != NULL ? result : subscribe_subject(f), params,
		&e) != 0) {
		root_error(
		    f, r, e.code, e.message, e.at.line != 0 ? e.at : root->at);
		return false;
	}
	ask->params = params;
	ask->sql = copy_statement(flow_mem(f), root, uses);
	return ask->sql != NULL;
}

/* --- subscriptions --------------------------------------------------------- */

static enum execution_step
ask_subscription(struct flow *f, struct execution *x, struct writer *w,
    const struct found *found)
{
	struct gql_error e = {.code = NULL};

	x->subscribes = true;
	switch (subscribe_ask(f, found->plan, x->variables, &e)) {
	case FLOW_WAIT:
		return EXECUTION_WAITS;
	case FLOW_DONE:
		return EXECUTION_ENDED;
	case FLOW_NEXT:
		break;
	}
	return refuse(w, &e);
}

static enum execution_step
accept_subscription(struct flow *f, struct writer *w)
{
	struct gql_error e = {.code = NULL};
	bool there;

	if (subscription_accept(f, &there) == FLOW_DONE)
		return EXECUTION_ENDED;
	gql_fail(&e, "execution_not_found", (struct gql_place){0, 0},
	    "There is no such execution.");
	return refuse(w, &e);
}

/* --- answer --------------------------------------------------------------- */

static void
get_cell(void *arg, unsigned row, unsigned column, struct wire *out)
{
	const struct sql_rows *rows = arg;

	if (sql_is_null(rows, (int)row, (int)column)) {
		*out = (struct wire){NULL, -1};
		return;
	}
	out->data = (const void *)sql_get(rows, (int)row, (int)column);
	out->len = (int32_t)sql_get_len(rows, (int)row, (int)column);
}

static const struct gql_text *
string_variable(void *arg, const struct gql_name *name)
{
	struct writer *w = arg;
	const struct json *v = variable(w->variables, name);
	struct gql_text *text;

	if (v == NULL || v->type != JSON_STRING ||
	    (text = mem_alloc(w->mem, sizeof(*text))) == NULL)
		return NULL;
	text->s = v->string;
	text->len = v->count;
	return text;
}

static bool
boolean_variable(void *arg, const struct gql_name *name)
{
	const struct writer *w = arg;
	const struct json *v = variable(w->variables, name);

	return v != NULL && v->type == JSON_TRUE;
}

static bool
write_introspection(
    struct writer *w, const struct found *found, const struct plan_root *root)
{
	struct gql_collector collector;
	struct gql_introspection in = {
	    .collector = &collector, .string = string_variable, .arg = w};
	struct write_path path = {.name = &root->response};
	struct gql_error e = {.code = NULL};
	struct buf value;
	bool written;

	buf_create(&value, 0);
	written =
	    gql_collector_create(&collector, w->mem, found->schema,
		cached_document(found->document), boolean_variable, w) == 0 &&
	    gql_introspect(&in, root->collected, &value, &e) == 0 &&
	    !buf_failed(&value);
	if (written)
		write_root_json(w, root, value.data, value.len);
	else
		write_error(w, root->at, &path,
		    e.code != NULL ? e.code : "out_of_memory",
		    e.code != NULL ? e.message : "Out of memory.");
	buf_free(&value);
	return written || write_root_null(w, root);
}

bool
execute_write_rows(
    struct flow *f, struct writer *w, const struct plan_root *root, unsigned i)
{
	struct write_path path = {.name = &root->response};
	struct write_rows rows = {.cell = get_cell};
	const struct sql_rows *result = flow_rows_of(f, i);
	struct flow_error e;

	if (result == NULL) {
		flow_error_of(f, i, &e);
		write_error(w, root->at, &path, e.code, e.detail);
		return write_root_null(w, root);
	}
	rows.count = (unsigned)sql_count(result);
	rows.arg = (void *)(uintptr_t)result;
	return write_root(w, root, &rows);
}

static bool
answer_root(struct flow *f, struct writer *w, const struct found *found,
    const struct plan_root *root, struct execution_root *r)
{
	struct write_path path = {.name = &root->response};
	struct write_rows rows = {.cell = get_cell};

	if (root->kind == ROOT_INTROSPECTION)
		return write_introspection(w, found, root);
	if (found->operation->operation == GQL_MUTATION)
		return mutate_write_root(w, root, r);
	if (r->code != NULL) {
		write_error(w, r->at, &path, r->code, r->message);
		return write_root_null(w, root);
	}
	if (r->ask < 0)
		return write_root(w, root, &rows);
	explain_read(f, root, r);
	return execute_write_rows(f, w, root, (unsigned)r->ask);
}

static void
write_answer(struct flow *f, struct execution *x, struct writer *w,
    const struct found *found)
{
	const struct plan_root *root = found->plan->roots;
	bool data = true;

	write_data_begin(w);
	for (unsigned i = 0; root != NULL && data; root = root->next)
		data = answer_root(f, w, found, root, &x->roots[i++]);
	if (explain_wanted(x))
		w->extensions = explain_write(
		    flow_mem(f), found->plan, x, &w->extensions_len);
	write_data_end(w, data);
}

/* --- ask, again ------------------------------------------------------------ */

/* Behind the statements themselves; how many there are then. */
static unsigned
ask_explained(struct flow *f, struct execution *x, const struct found *found,
    struct flow_ask *asks, unsigned count)
{
	unsigned all = count;

	if (!explain_wanted(x) || found->operation->operation != GQL_QUERY)
		return count;
	for (unsigned i = 0; i < x->root_count; i++) {
		const struct flow_ask *of;

		if (x->roots[i].ask < 0)
			continue;
		of = &asks[x->roots[i].ask];
		asks[all].params = of->params;
		asks[all].sql = explain_statement(flow_mem(f), of->sql);
		x->roots[i].explain = all++;
	}
	return all;
}

static enum execution_step
ask_roots(struct flow *f, struct execution *x, struct writer *w,
    const struct found *found, struct flow_ask *asks)
{
	const struct plan_root *root;
	unsigned count = 0, i = 0;

	for (root = found->plan->roots; root != NULL; root = root->next, i++)
		if (execute_ask_root(f, x, root, NULL, &x->roots[i],
			&asks[count], found->uses))
			x->roots[i].ask = (int)count++;
	count = ask_explained(f, x, found, asks, count);
	if (mem_failed(flow_mem(f)))
		return EXECUTION_READY; /* the flow tells */
	if (count == 0) {
		write_answer(f, x, w, found);
		return EXECUTION_ANSWERED;
	}
	switch (flow_ask_all(f, asks, count)) {
	case FLOW_WAIT:
		return EXECUTION_WAITS;
	case FLOW_NEXT:
		return EXECUTION_READY;
	case FLOW_DONE:
		break;
	}
	return EXECUTION_ENDED;
}

enum execution_step
execute_ask(struct flow *f, struct execution *x, struct writer *w)
{
	struct found found = {.uses = 0};
	enum execution_step step = execute_find(f, x, w, &found);
	struct flow_ask *asks;

	if (step != EXECUTION_READY)
		return step;
	assert(found.plan != NULL);
	if (subscribe_wanted(f, found.operation))
		return ask_subscription(f, x, w, &found);
	x->hash = found.plan->hash;
	x->root_count = found.plan->root_count;
	x->roots = mem_array(flow_mem(f), x->root_count + 1, sizeof(*x->roots));
	asks = mem_array(flow_mem(f), 2 * x->root_count + 1, sizeof(*asks));
	if (x->roots == NULL || asks == NULL)
		return EXECUTION_READY; /* the flow tells */
	if (x->mutation)
		return EXECUTION_READY;
	return ask_roots(f, x, w, &found, asks);
}

enum execution_step
execute_more(struct flow *f, struct execution *x, struct writer *w)
{
	return x->mutation ? mutate_step(f, x, w) : EXECUTION_READY;
}

enum execution_step
execute_answer(struct flow *f, struct execution *x, struct writer *w)
{
	struct found found = {.uses = 0};
	enum execution_step step;

	if (x->subscribes)
		return accept_subscription(f, w);
	step = execute_find(f, x, w, &found);
	if (step != EXECUTION_READY)
		return step;
	assert(found.plan != NULL);
	if (found.plan->hash != x->hash ||
	    found.plan->root_count != x->root_count) {
		struct gql_error e = {.code = NULL};

		gql_fail(&e, "try_again", found.operation->at,
		    "The server was renewed meanwhile; try again.");
		return refuse(w, &e);
	}
	write_answer(f, x, w, &found);
	return EXECUTION_READY;
}
