/* cache.c - documents and plans by hash, in order of their last use. */
#include "graphql/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "graphql/input.h"
#include "graphql/shape.h"
#include "graphql/validate.h"

#define BYTES_MAX (16u * 1024 * 1024)
#define BUCKETS	  1024
#define PLANS_MAX 32 /* of a document */

struct cached_plan {
	struct cached_plan *next; /* the last one used is first */
	uint64_t shape;
	unsigned uses;
	struct query_plan *plan;
	struct mem mem;
};

struct cached {
	struct cached *newer, *older, *chain;
	uint64_t hash;
	struct gql_document *document;
	struct cached_plan *plans;
	struct mem mem;
};

static struct cached *buckets[BUCKETS];
static struct cached *newest, *oldest;
static size_t bytes;

static size_t
size_of(const struct cached *d)
{
	size_t size = d->mem.used + sizeof(*d);

	for (const struct cached_plan *p = d->plans; p != NULL; p = p->next)
		size += p->mem.used + sizeof(*p);
	return size;
}

static void
unlink_use(struct cached *d)
{
	if (d->newer != NULL)
		d->newer->older = d->older;
	else
		newest = d->older;
	if (d->older != NULL)
		d->older->newer = d->newer;
	else
		oldest = d->newer;
	d->newer = d->older = NULL;
}

static void
link_use(struct cached *d)
{
	d->older = newest;
	d->newer = NULL;
	if (newest != NULL)
		newest->newer = d;
	else
		oldest = d;
	newest = d;
}

static void
plan_free(struct cached_plan *p)
{
	mem_destroy(&p->mem);
	free(p);
}

static void
drop(struct cached *d)
{
	struct cached **at = &buckets[d->hash % BUCKETS];
	struct cached_plan *p;

	bytes -= size_of(d);
	while (*at != d)
		at = &(*at)->chain;
	*at = d->chain;
	unlink_use(d);
	while ((p = d->plans) != NULL) {
		d->plans = p->next;
		plan_free(p);
	}
	mem_destroy(&d->mem);
	free(d);
}

static void
make_room(const struct cached *keep)
{
	while (bytes > BYTES_MAX && oldest != NULL && oldest != keep)
		drop(oldest);
}

void
cache_free(void)
{
	while (oldest != NULL)
		drop(oldest);
}

static struct cached *
find(uint64_t hash, const char *text, size_t len)
{
	struct cached *d = buckets[hash % BUCKETS];

	for (; d != NULL; d = d->chain)
		if (d->hash == hash && d->document->len == len &&
		    memcmp(d->document->text, text, len) == 0)
			return d;
	return NULL;
}

/* Parses and validates in the entry's own memory; faults in the request's. */
static bool
read_document(struct cached *d, struct mem *m, const struct gql_schema *schema,
    const char *text, size_t len, struct gql_faults *faults)
{
	struct gql_error e = {.code = NULL};
	char *copy = mem_strndup(&d->mem, text, len);

	gql_faults_create(faults, m, 0);
	if (copy == NULL)
		return false;
	if (gql_parse(&d->mem, copy, len, NULL, &d->document, &e) != 0) {
		gql_fault_add(faults, e.code, e.at, "%s", e.message);
		return false;
	}
	return gql_validate(schema, d->document, faults) == 0;
}

struct cached *
cache_document(struct mem *m, const struct gql_schema *schema, const char *text,
    size_t len, struct gql_faults *faults)
{
	uint64_t hash = hash_sip(hash_process_key(), text, len);
	struct cached *d = find(hash, text, len);

	if (d != NULL) {
		unlink_use(d);
		link_use(d);
		return d;
	}
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	mem_create(&d->mem, 0);
	if (!read_document(d, m, schema, text, len, faults)) {
		mem_destroy(&d->mem);
		free(d);
		return NULL;
	}
	d->hash = hash;
	d->chain = buckets[hash % BUCKETS];
	buckets[hash % BUCKETS] = d;
	link_use(d);
	bytes += size_of(d);
	make_room(d);
	return d;
}

const struct gql_document *
cached_document(const struct cached *d)
{
	return d->document;
}

/* --- plans ---------------------------------------------------------------- */

static bool
boolean(void *arg, const struct gql_name *name)
{
	struct gql_value value = {
	    .kind = GQL_VALUE_VARIABLE, .text = name->s, .len = name->len};
	const struct json *const *variables = arg;
	struct mem m;
	struct plan_input in;
	bool yes = false;

	mem_create(&m, 0);
	in = input_of(&m, *variables, &value);
	(void)input_boolean(&in, &yes);
	mem_destroy(&m);
	return yes;
}

static struct cached_plan *
find_plan(struct cached *d, uint64_t shape)
{
	struct cached_plan **at = &d->plans, *p;

	for (; (p = *at) != NULL; at = &p->next)
		if (p->shape == shape) {
			*at = p->next;
			p->next = d->plans;
			d->plans = p;
			return p;
		}
	return NULL;
}

static void
keep_plan(struct cached *d, struct cached_plan *p)
{
	struct cached_plan **at = &d->plans;
	unsigned count = 0;

	bytes -= size_of(d);
	p->next = d->plans;
	d->plans = p;
	while (*at != NULL && count++ < PLANS_MAX)
		at = &(*at)->next;
	while ((p = *at) != NULL) {
		*at = p->next;
		plan_free(p);
	}
	bytes += size_of(d);
	make_room(d);
}

const struct query_plan *
cache_plan(struct cached *d, const struct gql_schema *schema,
    const struct gql_definition *operation, const struct json *variables,
    unsigned *uses, struct gql_error *e)
{
	uint64_t shape = shape_of(schema, operation, variables);
	struct cached_plan *p = find_plan(d, shape);
	struct gql_collector collector;

	if (p != NULL) {
		*uses = ++p->uses;
		return p->plan;
	}
	*uses = 0;
	if ((p = calloc(1, sizeof(*p))) == NULL) {
		gql_fail(e, "out_of_memory", operation->at, "Out of memory.");
		return NULL;
	}
	mem_create(&p->mem, 0);
	p->shape = shape;
	if (gql_collector_create(&collector, &p->mem, schema, d->document,
		boolean, &variables) != 0 ||
	    plan_make(&collector, operation, variables, &p->plan, e) != 0) {
		plan_free(p);
		return NULL;
	}
	keep_plan(d, p);
	return p->plan;
}
