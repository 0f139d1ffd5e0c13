/* secrets.c - an arena's store of values: asked, fresh, forgotten. */
#include "exec/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exec/arena.h"
#include "exec/redact.h"

struct entry {
	struct entry *next;
	struct secret_value *value; /* NULL: not answered yet */
	bool asked, again;	    /* under way; changed meanwhile */
	int64_t until_ns;	    /* fresh until */
	uint64_t used;
	struct uuid organization;
	char name[SECRET_NAME_MAX + 1];
};

struct secrets {
	struct entry *list;
	uint32_t count;
	uint64_t changes; /* counts what made values stale */
	uint64_t uses;
	struct local *waiting;
};

/* Of a run whose plan names secrets. */
struct run_secrets {
	struct uuid organization;
	struct secret_set *set; /* the newest; NULL: never answered */
	uint64_t changes;	/* the store's, when the set was made */
	int64_t until_ns;
	uint32_t count;
	const char *names[SECRETS_MAX]; /* in the plan */
};

/* A request, and then what came of it: so an answer needs no memory. */
struct secret_note {
	struct secret_request request; /* first */
	struct secret_note *next;
	bool changed; /* else: an answer */
	bool all;
	struct secret_value *value; /* NULL: out of memory */
};

/* --- the host's side --- */

static void
post(struct exec *e, struct secret_note *n)
{
	struct secret_note *head = atomic_load(&e->secret_notes);

	do {
		n->next = head;
	} while (!atomic_compare_exchange_weak(&e->secret_notes, &head, n));
	if (e->arena != NULL)
		arena_wake(e->arena->shared);
}

void
exec_secret_answer(struct exec *e, struct secret_request *request,
    enum secret_state state, const char *text, size_t len)
{
	struct secret_note *n = (void *)request;

	n->value = secret_value_new(
	    &request->organization, request->name, state, text, len);
	post(e, n);
}

void
exec_secret_changed(
    struct exec *e, const struct uuid *organization, const char *name)
{
	struct secret_note *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return; /* values grow stale by themselves */
	n->changed = true;
	n->all = organization == NULL;
	if (organization != NULL) {
		n->request.organization = *organization;
		strncpy(n->request.name, name, SECRET_NAME_MAX);
	}
	post(e, n);
}

void
secret_notes_free(struct exec *e)
{
	struct secret_note *n = atomic_exchange(&e->secret_notes, NULL);

	while (n != NULL) {
		struct secret_note *next = n->next;

		secret_value_unref(n->value);
		free(n);
		n = next;
	}
}

/* --- the store --- */

static struct entry *
entry_find(struct secrets *s, const struct uuid *organization, const char *name)
{
	struct entry *e = s->list;

	while (e != NULL && (strcmp(e->name, name) != 0 ||
				!uuid_equal(&e->organization, organization)))
		e = e->next;
	return e;
}

static void
entry_drop(struct secrets *s, struct entry *gone)
{
	struct entry **p = &s->list;

	while (*p != gone)
		p = &(*p)->next;
	*p = gone->next;
	s->count--;
	secret_value_unref(gone->value);
	free(gone);
}

/* Makes room: what was not used for longest goes. */
static void
entry_evict(struct secrets *s)
{
	struct entry *oldest = NULL;

	for (struct entry *e = s->list; e != NULL; e = e->next)
		if (!e->asked && (oldest == NULL || e->used < oldest->used))
			oldest = e;
	if (oldest != NULL)
		entry_drop(s, oldest);
}

static struct entry *
entry_new(struct secrets *s, const struct uuid *organization, const char *name)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	if (s->count >= SECRETS_KEPT)
		entry_evict(s);
	e->organization = *organization;
	strncpy(e->name, name, SECRET_NAME_MAX);
	e->next = s->list;
	s->list = e;
	s->count++;
	return e;
}

/* Where no host has secrets, there is none. */
static void
entry_ask(struct arena *a, struct entry *e)
{
	const struct secret_source *source = &a->exec->settings.secrets;
	struct secret_note *n = calloc(1, sizeof(*n));
	struct secret_request *r;

	if (n == NULL)
		return; /* asked by the next check */
	r = &n->request;
	e->asked = true;
	e->again = false;
	r->organization = e->organization;
	memcpy(r->name, e->name, sizeof(r->name));
	if (source->ask != NULL)
		source->ask(source->ctx, r);
	else
		exec_secret_answer(a->exec, r, SECRET_ABSENT, NULL, 0);
}

/* The fresh value of a name, or NULL after asking for it. */
static struct entry *
entry_fresh(struct arena *a, const struct uuid *organization, const char *name)
{
	struct secrets *s = a->secrets;
	struct entry *e = entry_find(s, organization, name);

	if (e == NULL)
		e = entry_new(s, organization, name);
	if (e == NULL)
		return NULL;
	e->used = ++s->uses;
	if (e->value != NULL && !e->asked && a->now_ns < e->until_ns)
		return e;
	if (!e->asked)
		entry_ask(a, e);
	return NULL;
}

/* --- a run's --- */

static void
name_note(void *ctx, const char *name, uint32_t len)
{
	struct run_secrets *r = ctx;

	if (len > SECRET_NAME_MAX || r->count == SECRETS_MAX)
		return;
	for (uint32_t i = 0; i < r->count; i++)
		if (strcmp(r->names[i], name) == 0)
			return;
	r->names[r->count++] = name;
}

bool
secrets_named(const struct plan *p)
{
	for (uint32_t i = 0; i < p->node_count; i++)
		if ((plan_nodes(p)[i].flags & PLAN_NODE_SECRET) != 0)
			return true;
	return false;
}

bool
secrets_open(struct arena *a, struct local *l)
{
	const struct plan *p = l->run.plan;
	struct run_secrets *r = NULL;

	secrets_close(l);
	for (uint32_t i = 0; i < p->node_count; i++) {
		if ((plan_nodes(p)[i].flags & PLAN_NODE_SECRET) == 0)
			continue;
		if (r == NULL && (r = calloc(1, sizeof(*r))) == NULL)
			return false;
		plan_secrets(p, i, name_note, r);
	}
	if (r == NULL)
		return true;
	l->secrets = r;
	r->organization = a->exec->slots.list[l->slot].organization;
	for (uint32_t i = 0; i < r->count; i++)
		entry_fresh(a, &r->organization, r->names[i]);
	return true;
}

void
secrets_close(struct local *l)
{
	if (l->secrets == NULL)
		return;
	secret_set_unref(l->secrets->set);
	free(l->secrets);
	l->secrets = NULL;
}

static void
forget_oldest(struct secret_set *s)
{
	for (int i = 0; s != NULL && i < SECRETS_OLDER; i++) {
		if (i == SECRETS_OLDER - 1) {
			secret_set_unref(s->older);
			s->older = NULL;
		}
		s = s->older;
	}
}

static bool
set_differs(const struct secret_set *s, struct entry *const *entries)
{
	for (uint32_t i = 0; s != NULL && i < s->count; i++)
		if (entries[i] == NULL ||
		    !secret_value_equal(s->values[i], entries[i]->value))
			return true;
	return s == NULL;
}

/* The run's set becomes that of the entries; false: out of memory. */
static bool
set_make(struct run_secrets *r, struct entry *const *entries)
{
	struct secret_set *s;

	if (!set_differs(r->set, entries))
		return true;
	s = calloc(1, sizeof(*s) + r->count * sizeof(s->values[0]));
	if (s == NULL)
		return false;
	s->refs = 1;
	s->count = r->count;
	for (uint32_t i = 0; i < r->count; i++)
		s->values[i] = secret_value_ref(entries[i]->value);
	s->older = r->set;
	r->set = s;
	forget_oldest(s);
	return true;
}

static bool
set_fresh(struct arena *a, struct run_secrets *r)
{
	struct entry *entries[SECRETS_MAX] = {NULL};
	int64_t until = INT64_MAX;
	bool all = true;

	if (r->set != NULL && r->changes == a->secrets->changes &&
	    a->now_ns < r->until_ns)
		return true;
	for (uint32_t i = 0; i < r->count; i++) {
		entries[i] = entry_fresh(a, &r->organization, r->names[i]);
		if (entries[i] == NULL)
			all = false;
		else if (entries[i]->until_ns < until)
			until = entries[i]->until_ns;
	}
	if (!all || !set_make(r, entries))
		return false;
	r->changes = a->secrets->changes;
	r->until_ns = until;
	return true;
}

static void
wait(struct arena *a, struct local *l)
{
	if (l->secrets_waiting)
		return;
	l->secrets_waiting = true;
	l->secrets_next = a->secrets->waiting;
	a->secrets->waiting = l;
}

bool
secrets_ready(struct arena *a, struct attempt *t)
{
	struct local *l = t->local;
	const struct plan_node *n;

	if (l->secrets == NULL)
		return true;
	if (!set_fresh(a, l->secrets)) {
		t->stage = ATTEMPT_SECRETS;
		wait(a, l);
		return false;
	}
	n = &plan_nodes(l->run.plan)[t->node];
	t->call->secrets = secret_set_ref(l->secrets->set);
	if ((n->flags & PLAN_NODE_SECRET) != 0)
		mem_guard(&t->call->mem);
	return true;
}

/* --- what came in --- */

static void
go_on(struct arena *a, struct local *l)
{
	struct attempt *t = l->attempts;

	while (t != NULL) {
		struct attempt *next = t->next;

		if (t->stage == ATTEMPT_SECRETS)
			attempt_go_on(a, t);
		t = next;
	}
	arena_settle(a, l);
}

static void
take_answer(struct arena *a, struct secret_note *n)
{
	struct secrets *s = a->secrets;
	struct entry *e =
	    entry_find(s, &n->request.organization, n->request.name);

	if (e == NULL || !e->asked || n->value == NULL) {
		secret_value_unref(n->value);
		if (e != NULL)
			e->asked = false;
		return;
	}
	e->asked = false;
	secret_value_unref(e->value);
	e->value = n->value;
	/* What can't be read may be cured soon. */
	e->until_ns = e->again ? 0
		      : n->value->state == SECRET_UNREADABLE
			  ? a->now_ns + SECRETS_FRESH_NS / 60
			  : a->now_ns + SECRETS_FRESH_NS;
}

static void
take_change(struct secrets *s, const struct secret_note *n)
{
	s->changes++;
	for (struct entry *e = s->list; e != NULL; e = e->next) {
		if (!n->all && (strcmp(e->name, n->request.name) != 0 ||
				   !uuid_equal(&e->organization,
				       &n->request.organization)))
			continue;
		e->until_ns = 0;
		e->again = true;
	}
}

static void
take(struct arena *a, struct secret_note *n)
{
	if (n->changed)
		take_change(a->secrets, n);
	else
		take_answer(a, n);
	free(n);
}

void
secrets_collect(struct arena *a)
{
	struct secret_note *n = atomic_exchange(&a->exec->secret_notes, NULL);
	struct secret_note *first = NULL;
	struct local *l;

	while (n != NULL) { /* the stack has the newest on top */
		struct secret_note *next = n->next;

		n->next = first;
		first = n;
		n = next;
	}
	a->now_ns = clock_mono_ns();
	while (first != NULL) {
		struct secret_note *next = first->next;

		take(a, first);
		first = next;
	}
	l = a->secrets->waiting;
	a->secrets->waiting = NULL;
	while (l != NULL) {
		struct local *next = l->secrets_next;

		l->secrets_waiting = false;
		if (l->open)
			go_on(a, l);
		l = next;
	}
}

void
secrets_check(struct arena *a)
{
	if (a->secrets->waiting != NULL)
		secrets_collect(a);
}

/* --- life --- */

struct secrets *
secrets_new(void)
{
	return calloc(1, sizeof(struct secrets));
}

void
secrets_free(struct arena *a)
{
	for (uint32_t i = 0; i < a->exec->settings.max_runs; i++)
		secrets_close(&a->locals[i]);
	if (a->secrets == NULL)
		return;
	while (a->secrets->list != NULL)
		entry_drop(a->secrets, a->secrets->list);
	free(a->secrets);
	a->secrets = NULL;
}

/* --- redaction --- */

/* Lua's is 64 KiB, a command's a setting; bytes that were replaced count
 * more. */
static bool
log_is_cut(const struct arena *a, size_t len)
{
	size_t most = a->exec->settings.runner.log_bytes;

	if (most > 65536)
		most = 65536;
	return len + 4 > most;
}

static bool
redact(const struct secret_set *set, struct mem *m, unsigned cut,
    const char **text, size_t *len)
{
	return *text == NULL || redact_text(set, m, *text, *len, cut, text,
				    len) != REDACT_MEMORY;
}

void
secrets_redact(const struct arena *a, const struct local *l, struct mem *m,
    struct op_outcome *o)
{
	const struct secret_set *set =
	    l->secrets != NULL ? l->secrets->set : NULL;
	size_t error_len = o->error != NULL ? strlen(o->error) : 0;
	bool good;

	if (set == NULL)
		return;
	good = o->result == NULL ||
	       redact_json(set, m, o->result, o->result_len, &o->result,
		   &o->result_len) != REDACT_MEMORY;
	good = good && redact(set, m, REDACT_CUT_END, &o->error, &error_len) &&
	       redact(set, m, log_is_cut(a, o->log_len) ? REDACT_CUT_START : 0,
		   &o->log, &o->log_len);
	if (good)
		return;
	o->state = OUTCOME_FAILED;
	o->result = o->log = NULL;
	o->error_code = "out_of_memory";
	o->error = "There was no memory to keep secrets out of the node's "
		   "result.";
}
