/* eval.c - templates and conditions of dag/template.h become values.
 *
 * Plain paths are looked up in the JSON of the scope, parsed once per call; for
 * Lua expressions the call's driver must be a struct lua_sandbox. A path means
 * what the same text means in Lua: the last step may lead to nothing (null),
 * a look into null or a scalar fails. */
#include <stdio.h>
#include <string.h>

#include "dag/template.h"
#include "exec/list.h"
#include "exec/lua_sandbox.h"

/* A text of the scope and what it was parsed to. */
struct eval_root {
	const struct eval_root *next;
	const struct json *value;
	uint32_t kind, node;
};

static const struct json nothing = {.type = JSON_NULL};

static const struct json *value_of(
    struct op_call *, const struct template_value *);

static const struct json *
out_of_memory(struct op_call *call)
{
	op_call_fail(call, true, "out_of_memory",
	    "The parameters need more memory than there is.");
	return NULL;
}

static const struct json *
or_memory(struct op_call *call, const struct json *v)
{
	return v != NULL ? v : out_of_memory(call);
}

/* The JSON of a root that is text; NULL: there is none. */
static const char *
root_text(
    const struct op_call *call, const struct template_step *s, size_t *len)
{
	*len = 0;
	switch ((enum template_root)s->value) {
	case ROOT_CONTEXT:
		return call->scope.context(&call->scope, len);
	case ROOT_NODE_RESULT:
		return call->scope.result(&call->scope, s->at, len);
	case ROOT_ITEM:
		*len = call->item_len;
		return call->item;
	case ROOT_NODE_STATUS:
	case ROOT_EXECUTION_ID:
	case ROOT_SECRET:
	case ROOT_INDEX:
		break;
	}
	return NULL;
}

static const struct json *
parse_root(struct op_call *call, const struct template_step *s)
{
	static const struct json_options options = {.allow_duplicates = true};
	const struct json *v;
	const char *text;
	size_t len = 0;
	struct err e;

	text = root_text(call, s, &len);
	if (text == NULL)
		return &nothing;
	if (json_parse(&call->mem, text, len, &options, &v, &e) == 0)
		return v;
	op_call_fail(call, false, "invalid_json", "%s: %s",
	    s->value == ROOT_CONTEXT ? "context"
	    : s->value == ROOT_ITEM  ? "item"
				     : "A node's result",
	    e.message);
	return NULL;
}

static const struct json *
known_root(const struct op_call *call, const struct template_step *s)
{
	for (const struct eval_root *r = call->roots; r != NULL; r = r->next)
		if (r->kind == s->value && r->node == s->at)
			return r->value;
	return NULL;
}

static const struct json *
parsed_root(struct op_call *call, const struct template_step *s)
{
	struct eval_root *root;
	const struct json *v = known_root(call, s);

	if (v != NULL)
		return v;
	v = parse_root(call, s);
	if (v == NULL)
		return NULL;
	root = mem_alloc(&call->mem, sizeof(*root));
	if (root == NULL)
		return out_of_memory(call);
	*root = (struct eval_root){
	    .next = call->roots, .value = v, .kind = s->value, .node = s->at};
	call->roots = root;
	return v;
}

/* The name is the step behind the root. */
static const struct json *
secret_value(struct op_call *call, const struct template_step *s)
{
	const char *name = plan_at(call->scope.plan, s[1].at);
	const struct secret_value *v =
	    secret_set_find(call->secrets, name, s[1].value);

	if (v != NULL && v->state == SECRET_KNOWN)
		return or_memory(
		    call, json_string(&call->mem, v->text, v->len));
	if (v != NULL && v->state == SECRET_UNREADABLE)
		op_call_fail(call, true, "secret_unreadable",
		    "secret_unreadable: the secret \"%s\" can't be decrypted; "
		    "its key is missing or it was changed.",
		    name);
	else
		op_call_fail(call, false, "secret_not_found",
		    "secret_not_found: the organization has no secret \"%s\".",
		    name);
	return NULL;
}

static const struct json *
root_value(struct op_call *call, const struct template_step *s)
{
	char id[UUID_TEXT];
	const char *status;

	switch ((enum template_root)s->value) {
	case ROOT_CONTEXT:
	case ROOT_NODE_RESULT:
	case ROOT_ITEM:
		return parsed_root(call, s);
	case ROOT_INDEX:
		return or_memory(call, json_integer(&call->mem, call->element));
	case ROOT_NODE_STATUS:
		status = call->scope.status(&call->scope, s->at);
		if (status == NULL)
			return &nothing;
		return or_memory(
		    call, json_string(&call->mem, status, strlen(status)));
	case ROOT_EXECUTION_ID:
		uuid_format(&call->scope.execution, id);
		return or_memory(
		    call, json_string(&call->mem, id, UUID_TEXT - 1));
	case ROOT_SECRET:
		return secret_value(call, s);
	}
	return &nothing;
}

/* One step down. NULL: v is no array or object. */
static const struct json *
step_into(const struct op_call *call, const struct json *v,
    const struct template_step *s)
{
	const struct json *found;

	if (v->type != JSON_ARRAY && v->type != JSON_OBJECT)
		return NULL;
	if (s->kind == STEP_INDEX) {
		if (v->type == JSON_ARRAY && s->value >= 1 &&
		    s->value <= v->count)
			return v->items[s->value - 1];
		return &nothing;
	}
	if (v->type != JSON_OBJECT)
		return &nothing;
	found = NULL;
	for (uint32_t i = v->count; found == NULL && i-- > 0;)
		if (v->members[i].name_len == s->value &&
		    memcmp(v->members[i].name, plan_at(call->scope.plan, s->at),
			s->value) == 0)
			found = v->members[i].value;
	return found != NULL ? found : &nothing;
}

/* The first count steps as a person would write them. */
static const char *
path_text(struct op_call *call, const struct template_step *s, uint32_t count)
{
	const struct plan *p = call->scope.plan;
	const char *text = "execution.id";

	if (s->value == ROOT_CONTEXT)
		text = "context";
	else if (s->value == ROOT_ITEM)
		text = "item";
	else if (s->value != ROOT_EXECUTION_ID)
		text = mem_printf(&call->mem, "nodes[\"%s\"].%s",
		    plan_node_name(p, s->at),
		    s->value == ROOT_NODE_RESULT ? "result" : "status");
	for (uint32_t i = 1; i < count && text != NULL; i++)
		text = s[i].kind == STEP_INDEX
			   ? mem_printf(&call->mem, "%s[%u]", text, s[i].value)
			   : mem_printf(&call->mem, "%s[\"%.*s\"]", text,
				 (int)s[i].value,
				 (const char *)plan_at(p, s[i].at));
	return text != NULL ? text : "a value";
}

static const struct json *
path_value(struct op_call *call, const struct template_value *t)
{
	const struct template_step *s =
	    plan_at(call->scope.plan, (uint32_t)t->offset);
	const struct json *at = root_value(call, s), *next;

	if (s->value == ROOT_SECRET)
		return at;
	for (uint32_t i = 1; at != NULL && i < t->count; i++) {
		next = step_into(call, at, &s[i]);
		if (next == NULL)
			op_call_fail(call, false, "invalid_reference",
			    "%s is %s: there is nothing to look up in it.",
			    path_text(call, s, i),
			    at->type == JSON_NULL ? "null" : "a single value");
		at = next;
	}
	return at;
}

static const struct json *
concat_value(struct op_call *call, const struct template_value *t)
{
	const struct template_value *parts =
	    plan_at(call->scope.plan, (uint32_t)t->offset);
	const struct json *v = NULL;
	struct buf b;

	buf_create(&b, 0);
	b.wipe = call->mem.guarded;
	for (uint32_t i = 0; i < t->count; i++) {
		v = value_of(call, &parts[i]);
		if (v == NULL)
			goto out;
		if (v->type == JSON_STRING)
			buf_put(&b, v->string, v->count);
		else if (v->type != JSON_NULL)
			json_write(&b, v);
	}
	v = buf_failed(&b) || b.len > UINT32_MAX
		? out_of_memory(call)
		: or_memory(call, json_string(&call->mem,
				      b.data != NULL ? b.data : "", b.len));
out:
	buf_free(&b);
	return v;
}

static const struct json *
array_value(struct op_call *call, const struct template_value *t)
{
	const struct template_value *items =
	    plan_at(call->scope.plan, (uint32_t)t->offset);
	struct json *v = json_array(&call->mem, t->count);

	if (v == NULL)
		return out_of_memory(call);
	for (uint32_t i = 0; i < t->count; i++) {
		v->items[i] = value_of(call, &items[i]);
		if (v->items[i] == NULL)
			return NULL;
	}
	return v;
}

static const struct json *
object_value(struct op_call *call, const struct template_value *t)
{
	const struct template_value *pairs =
	    plan_at(call->scope.plan, (uint32_t)t->offset);
	struct json *v = json_object(&call->mem, t->count);
	struct json_member *m;

	if (v == NULL)
		return out_of_memory(call);
	for (uint32_t i = 0; i < t->count; i++) {
		m = &v->members[i];
		m->name = mem_strndup(&call->mem,
		    plan_at(call->scope.plan, (uint32_t)pairs[2 * i].offset),
		    pairs[2 * i].count);
		m->name_len = pairs[2 * i].count;
		if (m->name == NULL)
			return out_of_memory(call);
		m->value = value_of(call, &pairs[2 * i + 1]);
		if (m->value == NULL)
			return NULL;
	}
	return v;
}

static const struct json *
value_of(struct op_call *call, const struct template_value *t)
{
	struct mem *m = &call->mem;

	switch ((enum template_type)t->type) {
	case TEMPLATE_NULL:
		return &nothing;
	case TEMPLATE_FALSE:
	case TEMPLATE_TRUE:
		return or_memory(call, json_bool(m, t->type == TEMPLATE_TRUE));
	case TEMPLATE_INTEGER:
		return or_memory(call, json_integer(m, t->integer));
	case TEMPLATE_NUMBER:
		return or_memory(call, json_number(m, t->number));
	case TEMPLATE_STRING:
		return or_memory(
		    call, json_string(m,
			      plan_at(call->scope.plan, (uint32_t)t->offset),
			      t->count));
	case TEMPLATE_ARRAY:
		return array_value(call, t);
	case TEMPLATE_OBJECT:
		return object_value(call, t);
	case TEMPLATE_CONCAT:
		return concat_value(call, t);
	case TEMPLATE_PATH:
		return path_value(call, t);
	case TEMPLATE_LUA:
		return lua_sandbox_value(call->driver, call,
		    plan_at(call->scope.plan, (uint32_t)t->offset), t->count);
	}
	return &nothing;
}

static bool
has_when(const struct op_call *call)
{
	return call->part == CALL_NODE || call->part == CALL_LIST;
}

int
eval_when(struct op_call *call)
{
	const struct plan_node *node =
	    &plan_nodes(call->scope.plan)[call->node];
	const struct template_value *t;
	const struct json *v;

	if (node->when == 0)
		return 1;
	t = plan_at(call->scope.plan, node->when);
	if (t->type == TEMPLATE_LUA)
		return lua_sandbox_condition(call->driver, call,
		    plan_at(call->scope.plan, (uint32_t)t->offset), t->count);
	v = value_of(call, t);
	if (v == NULL)
		return -1;
	return v->type != JSON_NULL && v->type != JSON_FALSE;
}

int
eval_params(struct op_call *call)
{
	const struct plan_node *node =
	    &plan_nodes(call->scope.plan)[call->node];

	if (node->with == 0)
		call->params = or_memory(call, json_object(&call->mem, 0));
	else
		call->params =
		    value_of(call, plan_at(call->scope.plan, node->with));
	return call->params != NULL ? 0 : -1;
}

static bool
holds_lua(const struct plan *p, const struct template_value *t)
{
	const struct template_value *parts = plan_at(p, (uint32_t)t->offset);
	uint32_t count = t->count;

	if (t->type == TEMPLATE_LUA)
		return true;
	if (t->type == TEMPLATE_OBJECT)
		count *= 2;
	else if (t->type != TEMPLATE_ARRAY && t->type != TEMPLATE_CONCAT)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (holds_lua(p, &parts[i]))
			return true;
	return false;
}

/* --- lists ---------------------------------------------------------------- */

/* Parses what the paths in a template look at. */
static bool
take_roots(struct op_call *call, const struct template_value *t)
{
	const struct template_value *parts =
	    plan_at(call->scope.plan, (uint32_t)t->offset);
	const struct template_step *s = (const void *)parts;
	uint32_t count = t->count;

	if (t->type == TEMPLATE_PATH)
		return (s->value != ROOT_CONTEXT &&
			   s->value != ROOT_NODE_RESULT) ||
		       parsed_root(call, s) != NULL;
	if (t->type == TEMPLATE_OBJECT)
		count *= 2;
	else if (t->type != TEMPLATE_ARRAY && t->type != TEMPLATE_CONCAT)
		return true;
	for (uint32_t i = 0; i < count; i++)
		if (!take_roots(call, &parts[i]))
			return false;
	return true;
}

static int
eval_roots(struct op_call *call)
{
	const struct plan *p = call->scope.plan;
	const struct plan_node *n = &plan_nodes(p)[call->node];

	if (n->with == 0 || (n->flags & PLAN_NODE_STATIC) != 0)
		return 0;
	return take_roots(call, plan_at(p, n->with)) ? 0 : -1;
}

static const char *
type_name(const struct json *v)
{
	switch (v->type) {
	case JSON_NULL:
		return "null";
	case JSON_FALSE:
	case JSON_TRUE:
		return "true or false";
	case JSON_INTEGER:
	case JSON_NUMBER:
		return "a number";
	case JSON_STRING:
		return "a text";
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		break;
	}
	return "a list";
}

/* Where the elements begin in the list's text, and what they will look at. */
static int
split(struct op_call *call, uint32_t count)
{
	const struct op_outcome *o = &call->outcome;

	call->count = count;
	call->starts =
	    mem_array(&call->mem, (size_t)count + 1, sizeof(*call->starts));
	if (call->starts == NULL) {
		out_of_memory(call);
		return -1;
	}
	list_split(o->result, o->result_len, call->starts, count);
	return eval_roots(call);
}

static int
eval_list(struct op_call *call)
{
	const struct plan *p = call->scope.plan;
	const struct json *v =
	    value_of(call, plan_at(p, plan_nodes(p)[call->node].for_each));

	if (v == NULL)
		return -1;
	/* Lua's empty table is an object to JSON. */
	if (v->type == JSON_OBJECT && v->count == 0)
		v = json_array(&call->mem, 0);
	if (v == NULL) {
		out_of_memory(call);
		return -1;
	}
	if (v->type != JSON_ARRAY)
		op_call_fail(call, false, "not_a_list",
		    "not_a_list: for_each is %s, not a list.", type_name(v));
	else if (v->count > call->count_max)
		op_call_fail(call, false, "too_many_elements",
		    "too_many_elements: for_each has %u elements, more than "
		    "the limit of %u.",
		    v->count, call->count_max);
	else
		op_call_result(call, v, call->list_bytes);
	if (call->outcome.state != OUTCOME_SUCCESS)
		return -1;
	return split(call, v->count);
}

int
eval_prepare(struct op_call *call)
{
	int holds = 1;

	if (has_when(call))
		holds = eval_when(call);
	if (holds == 0)
		call->outcome.state = OUTCOME_SKIPPED;
	if (holds != 1)
		return holds;
	if (call->part == CALL_LIST)
		return eval_list(call) == 0 ? 1 : -1;
	if (call->part == CALL_ROOTS)
		return eval_roots(call) == 0 ? 1 : -1;
	return eval_params(call) == 0 ? 1 : -1;
}

/* --- what it costs -------------------------------------------------------- */

/* Bytes that the paths in a template have parsed, each text counted as often as
 * it is named. */
static size_t
bytes_read(const struct op_call *call, const struct template_value *t)
{
	const struct plan *p = call->scope.plan;
	const struct template_value *parts = plan_at(p, (uint32_t)t->offset);
	const struct template_step *root;
	uint32_t count = t->count;
	size_t bytes = 0;

	if (t->type == TEMPLATE_PATH) {
		root = plan_at(p, (uint32_t)t->offset);
		if (known_root(call, root) == NULL)
			root_text(call, root, &bytes);
		return bytes;
	}
	if (t->type == TEMPLATE_OBJECT)
		count *= 2;
	else if (t->type != TEMPLATE_ARRAY && t->type != TEMPLATE_CONCAT)
		return 0;
	for (uint32_t i = 0; i < count; i++)
		bytes += bytes_read(call, &parts[i]);
	return bytes;
}

static size_t
values_in(const struct plan *p, const struct template_value *t)
{
	const struct template_value *parts = plan_at(p, (uint32_t)t->offset);
	uint32_t count = t->count;
	size_t values = 1;

	if (t->type == TEMPLATE_OBJECT)
		count *= 2;
	else if (t->type != TEMPLATE_ARRAY)
		return values;
	for (uint32_t i = 0; i < count; i++)
		values += values_in(p, &parts[i]);
	return values;
}

size_t
eval_bytes(const struct op_call *call)
{
	const struct plan *p = call->scope.plan;
	const struct plan_node *n = &plan_nodes(p)[call->node];
	size_t bytes = 0;

	if (n->when != 0 && has_when(call))
		bytes += bytes_read(call, plan_at(p, n->when));
	if (call->part == CALL_LIST)
		bytes += bytes_read(call, plan_at(p, n->for_each)) +
			 values_in(p, plan_at(p, n->for_each)) * 16;
	if (n->with != 0 && (n->flags & PLAN_NODE_STATIC) == 0)
		bytes += bytes_read(call, plan_at(p, n->with));
	return bytes;
}

bool
eval_needs_lua(const struct op_call *call)
{
	const struct plan *p = call->scope.plan;
	const struct plan_node *n = &plan_nodes(p)[call->node];

	if (n->when != 0 && has_when(call) && holds_lua(p, plan_at(p, n->when)))
		return true;
	if (call->part == CALL_LIST || call->part == CALL_ROOTS)
		return call->part == CALL_LIST &&
		       holds_lua(p, plan_at(p, n->for_each));
	return n->with != 0 && (n->flags & PLAN_NODE_STATIC) == 0 &&
	       holds_lua(p, plan_at(p, n->with));
}
