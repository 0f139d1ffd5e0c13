/* read_node.c - one node's keys, all but its dependencies. */
#include "dag/read.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "dag/expression.h"
#include "dag/names.h"

static const char *const node_keys[] = {"name", "op", "with", "when", "trigger",
    "retry", "timeout", "dependencies", "for_each", "concurrency", "pool",
    NULL};
static const char *const retry_keys[] = {
    "limit", "backoff", "factor", "max", "jitter", "on", NULL};
static const char *const trigger_names[] = {
    "all_success", "all_done", "any_success", "any_failed", "none_failed"};

const struct json *
read_optional(const struct json *object, const char *name)
{
	const struct json *v = json_get(object, name);

	return v != NULL && v->type != JSON_NULL ? v : NULL;
}

static bool
is_known(const char *name, const char *const *known)
{
	for (; *known != NULL; known++)
		if (strcmp(*known, name) == 0)
			return true;
	return false;
}

void
read_known_keys(struct reader *r, uint32_t node, const struct json *object,
    const char *const *known)
{
	for (uint32_t i = 0; i < object->count; i++) {
		const struct json_member *m = &object->members[i];
		bool beside = strcmp(m->name, "name") == 0 ||
			      strcmp(m->name, "description") == 0;

		if (is_known(m->name, known))
			continue;
		fault_member(r, node, object, m, "unknown_key",
		    node == NO_NODE && beside
			? "The key \"%.200s\" stands beside a definition, not "
			  "inside."
			: "There is no key \"%.200s\" here.",
		    m->name);
	}
}

int64_t
read_duration(struct reader *r, uint32_t node, const struct json *v)
{
	int64_t ns;

	if (v->type != JSON_STRING)
		fault_at(r, node, v, "invalid_type",
		    "A duration is a number and a unit, such as \"250ms\", "
		    "\"5s\", \"2m\", \"1h\" or \"1d\".");
	else if (!duration_parse(v->string, v->count, &ns))
		fault_at(r, node, v, "invalid_duration",
		    "\"%.40s\" is no duration such as 250ms, 5s, 2m, 1h or "
		    "1d (at most 3650d).",
		    v->string);
	else if (ns == 0)
		fault_at(r, node, v, "invalid_duration",
		    "This duration must be more than zero.");
	else
		return ns;
	return 0;
}

static void
read_node_name(struct reader *r, uint32_t node, const struct json *source)
{
	const struct json *v = read_optional(source, "name");

	if (v == NULL)
		fault_at(r, node, source, "missing_key",
		    "A node needs the key \"name\".");
	else if (v->type != JSON_STRING)
		fault_at(r, node, v, "invalid_type",
		    "\"name\" must be a string; quote it.");
	else if (v->count > NAME_MAX_LENGTH ||
		 !name_is_valid(v->string, v->count))
		fault_at(r, node, v, "invalid_name",
		    "A node's name has 1 to 200 bytes, no control characters, "
		    "quotes or backslashes, and no blank at either end.");
	else
		r->doc->nodes[node].name = v->string;
}

static void
read_trigger(struct reader *r, uint32_t node, const struct json *source)
{
	const struct json *v = read_optional(source, "trigger");

	if (v == NULL)
		return;
	for (size_t i = 0; i < 5; i++)
		if (json_is_string(v, trigger_names[i])) {
			r->doc->nodes[node].trigger = (enum trigger)i;
			return;
		}
	fault_at(r, node, v, "invalid_trigger",
	    "A trigger is all_success, all_done, any_success, any_failed or "
	    "none_failed.");
}

/* Retry ------------------------------------------------------------------- */

/* A number in min..max, or fallback if it is left out or wrong. */
static double
retry_number(struct reader *r, uint32_t node, const struct json *retry,
    const char *key, double min, double max, double fallback)
{
	const struct json *v = read_optional(retry, key);
	double n;

	if (v == NULL)
		return fallback;
	n = v->type == JSON_INTEGER ? (double)v->integer : v->number;
	if ((v->type == JSON_INTEGER || v->type == JSON_NUMBER) && n >= min &&
	    n <= max)
		return n;
	fault_at(r, node, v, "invalid_retry",
	    "\"%s\" must be a number from %g to %g.", key, min, max);
	return fallback;
}

static int64_t
retry_duration(struct reader *r, uint32_t node, const struct json *retry,
    const char *key, int64_t fallback)
{
	const struct json *v = read_optional(retry, key);
	int64_t ns = v != NULL ? read_duration(r, node, v) : fallback;

	return ns > 0 ? ns : fallback;
}

static void
read_retry_limit(struct reader *r, uint32_t node, const struct json *v)
{
	const struct json *limit = read_optional(v, "limit");
	int64_t n;

	if (limit == NULL)
		fault_at(r, node, v, "missing_key",
		    "\"retry\" needs the key \"limit\".");
	else if (!json_as_integer(limit, &n) || n < 0 || n > 100)
		fault_at(r, node, limit, "invalid_retry",
		    "\"limit\" must be an integer from 0 to 100.");
	else
		r->doc->nodes[node].retry.limit = (uint32_t)n;
}

static bool
is_code(const struct json *v)
{
	if (v->type != JSON_STRING || v->count < 1 || v->count > RETRY_CODE_MAX)
		return false;
	return strspn(v->string, "abcdefghijklmnopqrstuvwxyz_") == v->count;
}

/* Puts a code in its place; false: it is there already. */
static bool
code_insert(struct retry *retry, const char *code)
{
	uint32_t at = retry->on_count;

	while (at > 0 && strcmp(retry->on[at - 1], code) > 0)
		at--;
	if (at > 0 && strcmp(retry->on[at - 1], code) == 0)
		return false;
	memmove(&retry->on[at + 1], &retry->on[at],
	    (retry->on_count - at) * sizeof(*retry->on));
	retry->on[at] = code;
	retry->on_count++;
	return true;
}

static void
read_retry_on(struct reader *r, uint32_t node, const struct json *v)
{
	const struct json *on = read_optional(v, "on");
	struct retry *retry = &r->doc->nodes[node].retry;

	if (on == NULL)
		return;
	if (on->type != JSON_ARRAY || on->count < 1 ||
	    on->count > RETRY_ON_MAX) {
		fault_at(r, node, on, "invalid_retry",
		    "\"on\" must be a list of 1 to %d error codes, such as "
		    "[timeout, http_status].",
		    RETRY_ON_MAX);
		return;
	}
	retry->on = mem_array(r->mem, on->count, sizeof(*retry->on));
	if (retry->on == NULL)
		return;
	for (uint32_t i = 0; i < on->count; i++) {
		if (!is_code(on->items[i]))
			fault_at(r, node, on->items[i], "invalid_retry",
			    "An error code has 1 to %d lower-case letters and "
			    "underscores, such as timeout or command_failed.",
			    RETRY_CODE_MAX);
		else if (!code_insert(retry, on->items[i]->string))
			fault_at(r, node, on->items[i], "invalid_retry",
			    "\"%s\" stands here twice.", on->items[i]->string);
	}
}

static void
retry_default(struct retry *retry)
{
	retry->backoff_ns = RETRY_BACKOFF_NS;
	retry->max_ns = RETRY_MAX_NS;
	retry->factor = RETRY_FACTOR;
	retry->jitter = 0;
}

static void
read_retry(struct reader *r, uint32_t node, const struct json *source)
{
	struct retry *retry = &r->doc->nodes[node].retry;
	const struct json *v = read_optional(source, "retry");
	int64_t max = RETRY_MAX_NS;

	retry_default(retry);
	if (v == NULL)
		return;
	if (v->type != JSON_OBJECT) {
		fault_at(r, node, v, "invalid_type",
		    "\"retry\" must be an object such as {limit: 3}.");
		return;
	}
	read_known_keys(r, node, v, retry_keys);
	read_retry_limit(r, node, v);
	read_retry_on(r, node, v);
	retry->backoff_ns =
	    retry_duration(r, node, v, "backoff", RETRY_BACKOFF_NS);
	if (max < retry->backoff_ns)
		max = retry->backoff_ns;
	retry->max_ns = retry_duration(r, node, v, "max", max);
	retry->factor =
	    retry_number(r, node, v, "factor", 1, 1000, RETRY_FACTOR);
	retry->jitter = retry_number(r, node, v, "jitter", 0, 1, 0);
	if (retry->max_ns < retry->backoff_ns)
		fault_at(r, node, read_optional(v, "max"), "invalid_retry",
		    "\"max\" must not be less than \"backoff\".");
	if (retry->limit == 0) /* one form for what means the same */
		retry_default(retry);
}

/* Op ---------------------------------------------------------------------- */

static void
check_permission(struct reader *r, uint32_t node, const struct json *at)
{
	const struct document_node *n = &r->doc->nodes[node];
	const struct op_schema *op = r->options->ops->ops[n->op];
	const struct json *allowed;

	if (op->permission == NULL || r->options->settings == NULL)
		return;
	allowed = json_get(r->options->settings, op->permission);
	if (allowed == NULL || allowed->type != JSON_TRUE)
		fault_at(r, node, at, "op_not_allowed",
		    "The op \"%s\" needs the organization's setting \"%s\".",
		    op->name, op->permission);
}

/* False if the op is not known: then nothing is known of its parameters. */
static bool
read_op(struct reader *r, uint32_t node, const struct json *source)
{
	const struct json *v = read_optional(source, "op");
	const char *name = "noop";
	int op;

	if (v != NULL && v->type != JSON_STRING) {
		fault_at(r, node, v, "invalid_type",
		    "\"op\" must be the name of an op.");
		return false;
	}
	if (v != NULL)
		name = v->string;
	op = op_find(r->options->ops, name);
	if (op < 0) {
		fault_at(r, node, v != NULL ? v : source, "unknown_op",
		    "There is no op \"%.200s\".", name);
		return false;
	}
	r->doc->nodes[node].op = (uint32_t)op;
	check_permission(r, node, v != NULL ? v : source);
	return true;
}

static void
read_when(struct reader *r, uint32_t node, const struct json *source)
{
	const struct json *v = read_optional(source, "when");

	if (v == NULL)
		return;
	if (v->type != JSON_STRING)
		fault_at(r, node, v, "invalid_type",
		    "\"when\" must be a Lua expression in a string.");
	else
		r->doc->nodes[node].when = v->string;
}

/* Fan-out ----------------------------------------------------------------- */

static void
read_concurrency(struct reader *r, uint32_t node, const struct json *source)
{
	struct document_node *n = &r->doc->nodes[node];
	const struct json *v = read_optional(source, "concurrency");
	int64_t count;

	if (v == NULL)
		return;
	if (read_optional(source, "for_each") == NULL)
		fault_at(r, node, v, "invalid_concurrency",
		    "\"concurrency\" says how many elements of \"for_each\" "
		    "run at once; this node has none.");
	else if (!json_as_integer(v, &count) || count < 1 ||
		 count > CONCURRENCY_MAX)
		fault_at(r, node, v, "invalid_concurrency",
		    "\"concurrency\" must be an integer from 1 to %d.",
		    CONCURRENCY_MAX);
	else
		n->concurrency = (uint32_t)count;
}

static void
read_for_each(struct reader *r, uint32_t node, const struct json *source)
{
	struct document_node *n = &r->doc->nodes[node];
	const struct json *v = read_optional(source, "for_each");
	bool text = v != NULL && v->type == JSON_STRING;

	if (v != NULL && v->type != JSON_ARRAY &&
	    (!text || text_kind(v->string, v->count) != TEXT_EXPRESSION)) {
		fault_at(r, node, v, "invalid_for_each",
		    "\"for_each\" must be a list, or a string that is one "
		    "expression and nothing else: \"${{ … }}\".");
	} else if (v != NULL) {
		n->for_each = v;
		n->concurrency = CONCURRENCY_DEFAULT;
	}
	read_concurrency(r, node, source);
}

bool
pool_name_is_valid(const char *name, size_t len)
{
	return len > 0 && len <= POOL_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

static void
read_pool(struct reader *r, uint32_t node, const struct json *source)
{
	const struct json *v = read_optional(source, "pool");
	const struct json *pools;

	if (v == NULL)
		return;
	if (v->type != JSON_STRING ||
	    !pool_name_is_valid(v->string, v->count)) {
		fault_at(r, node, v, "invalid_pool",
		    "\"pool\" is a name of 1 to %d letters, digits, \".\", "
		    "\"_\" and \"-\".",
		    POOL_NAME_MAX);
		return;
	}
	r->doc->nodes[node].pool = v->string;
	if (r->options->settings == NULL)
		return;
	pools = json_get(r->options->settings, "pools");
	if (pools == NULL || pools->type != JSON_OBJECT ||
	    json_get(pools, v->string) == NULL)
		fault_at(r, node, v, "unknown_pool",
		    "The organization has no pool \"%s\": its setting "
		    "\"pools\" names them.",
		    v->string);
}

void
read_node(struct reader *r, uint32_t node, const struct json *source)
{
	const struct json *timeout;

	if (source->type != JSON_OBJECT) {
		fault_at(r, node, source, "invalid_type",
		    "A node must be an object with the key \"name\".");
		return;
	}
	read_known_keys(r, node, source, node_keys);
	read_node_name(r, node, source);
	read_trigger(r, node, source);
	read_retry(r, node, source);
	timeout = read_optional(source, "timeout");
	if (timeout != NULL)
		r->doc->nodes[node].timeout_ns =
		    read_duration(r, node, timeout);
	read_when(r, node, source);
	read_for_each(r, node, source);
	read_pool(r, node, source);
	if (read_op(r, node, source))
		read_params(r, node, source);
}
