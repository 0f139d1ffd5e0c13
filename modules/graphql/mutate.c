/* mutate.c - the root fields of a mutation, one after the other: the route that
 * a field means, then the row that it answered with. What a field came to is
 * kept as text, for rows are only there until the next question.
 */
#include <string.h>

#include "graphql/execute_steps.h"
#include "graphql/explain.h"
#include "graphql/mutation.h"

/* --- what a field came to -------------------------------------------------- */

static void
part_begin(struct flow *f, struct execution *x, struct writer *w)
{
	write_begin(w, flow_mem(f), x->variables);
	buf_putc(&w->out, '{'); /* so that its key has no comma before it */
}

static void
part_end(struct flow *f, struct writer *w, struct execution_root *r, bool data)
{
	bool failed = buf_failed(&w->out) || buf_failed(&w->errors);

	r->ended = true;
	r->data = data && !failed;
	r->part_len = w->out.len - 1;
	r->part = failed
		      ? NULL
		      : mem_strndup(flow_mem(f), w->out.data + 1, r->part_len);
	r->error_count = w->error_count;
	r->errors_len = w->errors.len;
	r->errors = w->errors.len == 0 ? ""
				       : mem_strndup(flow_mem(f),
					     w->errors.data, w->errors.len);
	buf_free(&w->out);
	buf_free(&w->errors);
}

bool
mutate_write_root(struct writer *w, const struct plan_root *root,
    const struct execution_root *r)
{
	struct write_path path = {.name = &root->response};

	if (!r->ended) /* a field before it may not be null, and is */
		return write_root_null(w, root);
	if (r->part == NULL || r->errors == NULL) {
		write_error(
		    w, root->at, &path, "out_of_memory", "Out of memory.");
		return write_root_null(w, root);
	}
	write_part(
	    w, r->part, r->part_len, r->errors, r->errors_len, r->error_count);
	return r->data;
}

/* --- the route's answer ---------------------------------------------------- */

static const char *
text_of(const struct json *object, const char *name, const char *otherwise)
{
	const struct json *v = json_get(object, name);

	return v != NULL && v->type == JSON_STRING ? v->string : otherwise;
}

static void
tell_error(struct flow *f, struct writer *w, const struct plan_root *root,
    const struct graph_mutation *m, const struct json *error)
{
	struct write_path path = {.name = &root->response};
	const struct json *source = json_get(error, "source");
	const char *pointer =
	    source == NULL ? NULL : text_of(source, "pointer", NULL);

	if (pointer != NULL)
		pointer = mutation_pointer(flow_mem(f), m, pointer);
	write_argument_error(w, root->at, &path,
	    text_of(error, "code", "internal"),
	    text_of(error, "detail", text_of(error, "title", "It failed.")),
	    pointer);
}

static void
tell_errors(struct flow *f, struct writer *w, const struct plan_root *root,
    const struct graph_mutation *m, const struct json *answer)
{
	static const struct json none = {.type = JSON_NULL};
	const struct json *errors =
	    answer == NULL ? NULL : json_get(answer, "errors");
	uint32_t count =
	    errors != NULL && errors->type == JSON_ARRAY ? errors->count : 0;

	if (count == 0)
		tell_error(f, w, root, m, &none);
	for (uint32_t i = 0; i < count; i++)
		tell_error(f, w, root, m, errors->items[i]);
}

static bool
result_of(const struct json *answer, struct uuid *id)
{
	const struct json *data =
	    answer == NULL ? NULL : json_get(answer, "data");
	const char *text = data == NULL ? NULL : text_of(data, "id", NULL);

	return text != NULL && uuid_parse(text, strlen(text), id);
}

/* --- the steps of a field -------------------------------------------------- */

struct step {
	struct flow *flow;
	struct execution *x;
	const struct plan_root *root;
	struct execution_root *r;
	unsigned uses;
};

static void
end_null(struct step *d, struct writer *w)
{
	bool data = write_root_null(w, d->root);

	part_end(d->flow, w, d->r, data);
}

static enum execution_step
call(struct step *d)
{
	struct mutation_request request;
	struct flow_call c;

	if (mutation_request(flow_mem(d->flow), d->root->collected,
		d->x->variables, &request) != 0)
		return EXECUTION_READY; /* the flow tells */
	c.method = request.method;
	c.path = request.path;
	c.body = request.body;
	c.body_len = request.body_len;
	c.idempotency_key = request.idempotency_key;
	d->r->called = true;
	flow_again(d->flow);
	return flow_call(d->flow, &c) == FLOW_WAIT ? EXECUTION_WAITS
						   : EXECUTION_ENDED;
}

/* Asks for the row; READY: the field has ended. */
static enum execution_step
ask(struct step *d, const struct uuid *id)
{
	struct write_path path = {.name = &d->root->response};
	struct flow_ask asks[2];
	unsigned count = 1;
	struct writer w;

	d->r->read = true;
	if (execute_ask_root(
		d->flow, d->x, d->root, id, d->r, &asks[0], d->uses)) {
		asks[1].params = asks[0].params;
		if (explain_wanted(d->x) &&
		    (asks[1].sql = explain_statement(
			 flow_mem(d->flow), asks[0].sql)) != NULL)
			d->r->explain = count++;
		flow_again(d->flow);
		switch (flow_ask_all(d->flow, asks, count)) {
		case FLOW_WAIT:
			return EXECUTION_WAITS;
		case FLOW_DONE:
			return EXECUTION_ENDED;
		case FLOW_NEXT: /* no database: its error is there */
			return EXECUTION_READY;
		}
	}
	part_begin(d->flow, d->x, &w);
	if (d->r->code != NULL)
		write_error(&w, d->root->at, &path, d->r->code, d->r->message);
	end_null(d, &w);
	return EXECUTION_READY;
}

static enum execution_step
called(struct step *d)
{
	const struct graph_mutation *m =
	    graph_mutation_find(d->root->collected->field->name.s,
		d->root->collected->field->name.len);
	const struct json *answer = NULL;
	const char *body;
	struct writer w;
	struct uuid id;
	size_t len;
	int status = flow_called(d->flow, &body, &len);

	if (body != NULL && len > 0)
		json_parse(flow_mem(d->flow), body, len, NULL, &answer, NULL);
	if (status < 300 && d->root->kind != ROOT_DONE &&
	    result_of(answer, &id))
		return ask(d, &id);
	part_begin(d->flow, d->x, &w);
	if (status < 300 && d->root->kind == ROOT_DONE) {
		write_root_json(&w, d->root, "true", 4);
		part_end(d->flow, &w, d->r, true);
		return EXECUTION_READY;
	}
	tell_errors(d->flow, &w, d->root, m, answer);
	end_null(d, &w);
	return EXECUTION_READY;
}

static enum execution_step
step_run(struct step *d)
{
	struct writer w;
	bool data;

	if (d->root->kind == ROOT_TYPENAME) {
		part_begin(d->flow, d->x, &w);
		write_root_json(&w, d->root, "\"Mutation\"", 10);
		part_end(d->flow, &w, d->r, true);
		return EXECUTION_READY;
	}
	if (!d->r->called)
		return call(d);
	if (!d->r->read)
		return called(d);
	explain_read(d->flow, d->root, d->r);
	part_begin(d->flow, d->x, &w);
	data = execute_write_rows(d->flow, &w, d->root, 0);
	part_end(d->flow, &w, d->r, data);
	return EXECUTION_READY;
}

enum execution_step
mutate_step(struct flow *f, struct execution *x, struct writer *w)
{
	struct found found = {.uses = 0};
	enum execution_step next = execute_find(f, x, w, &found);
	const struct plan_root *root;
	unsigned i = 0;

	if (next != EXECUTION_READY)
		return next;
	if (found.plan->hash != x->hash ||
	    found.plan->root_count != x->root_count)
		return EXECUTION_READY; /* execute_answer tells */
	for (root = found.plan->roots; root != NULL; root = root->next) {
		struct step d = {f, x, root, &x->roots[i++], found.uses};

		while (next == EXECUTION_READY && !d.r->ended &&
		       !mem_failed(flow_mem(f)))
			next = step_run(&d);
		if (next != EXECUTION_READY || !d.r->data)
			return next;
	}
	return EXECUTION_READY;
}
