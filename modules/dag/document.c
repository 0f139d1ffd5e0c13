/* document.c - reads a document: the root's keys, then each node, then what
 * holds between nodes. */
#include "dag/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "dag/names.h"
#include "dag/read.h"
#include "dag/yaml.h"

#define DESCRIPTION_MAX 10000

const struct document_limits document_limits_default = {
    (size_t)4 << 20, 100000, 1000000};

const char *const durability_names[DURABILITY_COUNT] = {
    [DURABILITY_BATCH] = "batch",
    [DURABILITY_SYNC] = "sync",
    [DURABILITY_MEMORY] = "memory"};

static const char *const root_keys[] = {
    "name", "description", "timeout", "durability", "priority", "nodes", NULL};
static const char *const definition_keys[] = {
    "timeout", "durability", "priority", "nodes", NULL};

/* Faults ------------------------------------------------------------------ */

/* Appends "/name", with RFC 6901's escapes; cuts what does not fit. */
static size_t
pointer_push(char *pointer, size_t len, const char *name, size_t name_len)
{
	size_t max = ERR_POINTER_MAX - 1;

	if (len < max)
		pointer[len++] = '/';
	for (size_t i = 0; i < name_len && len + 1 < max; i++) {
		if (name[i] == '~' || name[i] == '/') {
			pointer[len++] = '~';
			pointer[len++] = name[i] == '~' ? '0' : '1';
		} else {
			pointer[len++] = name[i];
		}
	}
	utf8_cut(pointer, len);
	return strlen(pointer);
}

static size_t
pointer_push_index(char *pointer, size_t len, uint32_t index)
{
	char text[12];
	int n = snprintf(text, sizeof(text), "%u", index);

	return pointer_push(pointer, len, text, (size_t)n);
}

/* Extends the pointer to base by the way from base to v; false: not in it. */
static bool
pointer_find(
    const struct json *base, const struct json *v, char *pointer, size_t len)
{
	if (base == v)
		return true;
	if (base->type != JSON_ARRAY && base->type != JSON_OBJECT)
		return false;
	for (uint32_t i = 0; i < base->count; i++) {
		const struct json *child;
		size_t n;

		if (base->type == JSON_ARRAY) {
			n = pointer_push_index(pointer, len, i);
			child = base->items[i];
		} else {
			const struct json_member *m = &base->members[i];

			n = pointer_push(pointer, len, m->name, m->name_len);
			child = m->value;
		}
		if (pointer_find(child, v, pointer, n))
			return true;
		pointer[len] = '\0';
	}
	return false;
}

static size_t
pointer_to(
    const struct reader *r, uint32_t node, const struct json *v, char *pointer)
{
	const struct json *base = r->root;
	size_t len = 0;

	pointer[0] = '\0';
	if (node != NO_NODE) {
		len = pointer_push(pointer, 0, "nodes", 5);
		len = pointer_push_index(pointer, len, node);
		base = r->doc->nodes[node].source;
	}
	pointer_find(base, v, pointer, len);
	return strlen(pointer);
}

static bool
is_full(struct reader *r)
{
	if (r->faults->kept < r->faults->max)
		return false;
	r->faults->count++;
	return true;
}

void
fault_at(struct reader *r, uint32_t node, const struct json *v,
    const char *code, const char *fmt, ...)
{
	char pointer[ERR_POINTER_MAX], message[ERR_MESSAGE_MAX];
	va_list ap;

	if (is_full(r))
		return;
	pointer_to(r, node, v, pointer);
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	utf8_cut(message, strlen(message));
	faults_add(r->faults, v, pointer, code, "%s", message);
}

void
fault_member(struct reader *r, uint32_t node, const struct json *object,
    const struct json_member *member, const char *code, const char *fmt, ...)
{
	struct json at = {.line = member->line, .column = member->column};
	char pointer[ERR_POINTER_MAX], message[ERR_MESSAGE_MAX];
	va_list ap;

	if (is_full(r))
		return;
	pointer_push(pointer, pointer_to(r, node, object, pointer),
	    member->name, member->name_len);
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	utf8_cut(message, strlen(message));
	faults_add(r->faults, &at, pointer, code, "%s", message);
}

void
fault_memory(struct reader *r)
{
	faults_add(r->faults, NULL, NULL, "out_of_memory", "Out of memory.");
}

/* The root ---------------------------------------------------------------- */

static bool
is_name_valid(const struct json *v, bool count_characters)
{
	size_t n =
	    count_characters ? name_characters(v->string, v->count) : v->count;

	return n >= 1 && n <= NAME_MAX_LENGTH &&
	       name_is_valid(v->string, v->count);
}

static void
read_name(struct reader *r)
{
	const struct json *v = read_optional(r->root, "name");

	if (v == NULL)
		fault_at(r, NO_NODE, r->root, "missing_key",
		    "A document needs the key \"name\".");
	else if (v->type != JSON_STRING)
		fault_at(r, NO_NODE, v, "invalid_type",
		    "\"name\" must be a string; quote it.");
	else if (!is_name_valid(v, true))
		fault_at(r, NO_NODE, v, "invalid_name",
		    "A name has 1 to 200 characters, no control characters, "
		    "quotes or backslashes, and no blank at either end.");
	else
		r->doc->name = v->string;
}

static void
read_description(struct reader *r)
{
	const struct json *v = read_optional(r->root, "description");

	r->doc->description = "";
	if (v == NULL)
		return;
	if (v->type != JSON_STRING)
		fault_at(r, NO_NODE, v, "invalid_type",
		    "\"description\" must be a string.");
	else if (v->count > DESCRIPTION_MAX)
		fault_at(r, NO_NODE, v, "invalid_description",
		    "A description has at most %d bytes.", DESCRIPTION_MAX);
	else
		r->doc->description = v->string;
}

static void
read_durability(struct reader *r)
{
	const struct json *v = read_optional(r->root, "durability");

	if (v == NULL)
		return;
	for (int i = 0; i < DURABILITY_COUNT; i++)
		if (json_is_string(v, durability_names[i])) {
			r->doc->durability = (enum durability)i;
			return;
		}
	fault_at(r, NO_NODE, v, "invalid_durability",
	    "\"durability\" is sync, batch or memory.");
}

static void
read_priority(struct reader *r)
{
	const struct json *v = read_optional(r->root, "priority");
	int64_t n;

	if (v == NULL)
		return;
	if (!json_as_integer(v, &n) || n < PRIORITY_MIN || n > PRIORITY_MAX)
		fault_at(r, NO_NODE, v, "invalid_priority",
		    "\"priority\" must be an integer from %d to %d.",
		    PRIORITY_MIN, PRIORITY_MAX);
	else
		r->doc->priority = (int)n;
}

/* The array of nodes, or NULL and a fault. */
static const struct json *
read_nodes_array(struct reader *r)
{
	const struct json *v = read_optional(r->root, "nodes");

	if (v == NULL)
		fault_at(r, NO_NODE, r->root, "missing_key",
		    "A document needs the key \"nodes\".");
	else if (v->type != JSON_ARRAY)
		fault_at(r, NO_NODE, v, "invalid_type",
		    "\"nodes\" must be a list of nodes.");
	else if (v->count == 0)
		fault_at(r, NO_NODE, v, "missing_key",
		    "A DAG needs at least one node.");
	else if (v->count > r->limits->nodes)
		fault_at(r, NO_NODE, v, "too_many_nodes",
		    "%u nodes are more than the limit of %u.", v->count,
		    r->limits->nodes);
	else
		return v;
	return NULL;
}

static void
read_nodes(struct reader *r, const struct json *nodes)
{
	struct document *d = r->doc;

	d->nodes = mem_array(r->mem, nodes->count, sizeof(*d->nodes));
	r->seen = mem_array(r->mem, nodes->count, sizeof(*r->seen));
	if (d->nodes == NULL || r->seen == NULL)
		return;
	d->node_count = nodes->count;
	for (uint32_t i = 0; i < nodes->count; i++)
		d->nodes[i].source = nodes->items[i];
	for (uint32_t i = 0; i < nodes->count; i++)
		read_node(r, i, nodes->items[i]);
	read_names(r);
	if (mem_failed(r->mem) || !read_dependencies(r))
		return;
	for (uint32_t i = 0; i < nodes->count; i++)
		read_expressions(r, i);
	read_order(r);
	read_references(r);
}

static void
read_root(struct reader *r)
{
	const struct json *nodes, *timeout;
	bool alone = r->options->name_required;

	if (r->root->type != JSON_OBJECT) {
		fault_at(r, NO_NODE, r->root, "invalid_type",
		    "A document must be an object with the key \"nodes\".");
		return;
	}
	read_known_keys(
	    r, NO_NODE, r->root, alone ? root_keys : definition_keys);
	if (alone) {
		read_name(r);
		read_description(r);
	}
	timeout = read_optional(r->root, "timeout");
	if (timeout != NULL)
		r->doc->timeout_ns = read_duration(r, NO_NODE, timeout);
	read_durability(r);
	read_priority(r);
	nodes = read_nodes_array(r);
	if (nodes != NULL)
		read_nodes(r, nodes);
}

int
document_read(struct mem *m, const struct json *root,
    const struct document_options *options, struct faults *faults,
    struct document **out)
{
	struct reader r = {.mem = m,
	    .options = options,
	    .faults = faults,
	    .root = root,
	    .key = hash_process_key()};
	size_t before = faults->count;

	r.limits = options->limits != NULL ? options->limits
					   : &document_limits_default;
	r.doc = mem_alloc(m, sizeof(*r.doc));
	r.lua = lua_checker_new();
	if (r.doc != NULL && r.lua != NULL) {
		r.doc->description = "";
		read_root(&r);
	}
	if (mem_failed(m) || r.lua == NULL)
		fault_memory(&r);
	lua_checker_free(r.lua);
	free(r.references);
	faults_sort(faults);
	if (faults->count > before)
		return -1;
	*out = r.doc;
	return 0;
}

int
document_parse(struct mem *m, enum document_format format, const char *bytes,
    size_t len, const struct document_options *options, struct faults *faults,
    struct document **out)
{
	const struct document_limits *limits = options->limits != NULL
						   ? options->limits
						   : &document_limits_default;
	const struct json *root = NULL;
	struct err e, *kept;
	int ret;

	if (len > limits->bytes) {
		faults_add(faults, NULL, NULL, "document_too_large",
		    "%zu bytes are more than the limit of %zu.", len,
		    limits->bytes);
		return -1;
	}
	ret = format == DOCUMENT_YAML
		  ? yaml_parse(m, bytes, len, NULL, &root, &e)
		  : json_parse(m, bytes, len, NULL, &root, &e);
	if (ret == 0)
		return document_read(m, root, options, faults, out);
	kept = faults_add(faults, NULL, NULL, e.code, "%s", e.message);
	if (kept != NULL) {
		kept->line = e.line;
		kept->column = e.column;
	}
	return -1;
}

int
document_hash(const char *canonical, size_t len, uint8_t hash[SHA256_SIZE])
{
	return SHA256((const unsigned char *)canonical, len, hash) != NULL ? 0
									   : -1;
}
