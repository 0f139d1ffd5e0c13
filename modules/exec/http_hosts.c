/* http_hosts.c - addresses of hosts: asked for once, however many wait for them,
 * and known for a while. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "exec/http_client.h"

#define NAME_NS	   INT64_C(30000000000) /* an answer is good for so long */
#define NAMES_KEPT 1024

/* A host's addresses: asked for, or known. */
struct name {
	struct name *next;
	struct lookup *lookup; /* NULL while it is asked for */
	struct lookup *asked;
	struct transfer *waiting;
	int64_t until_ns;
	char host[NAMES_HOST];
};

static void
name_free(struct http_client *c, struct name **link)
{
	struct name *n = *link;

	*link = n->next;
	c->host_count--;
	lookup_free(n->lookup);
	free(n);
}

/* FNV-1a. */
static struct name **
bucket(struct http_client *c, const char *host)
{
	uint32_t hash = 2166136261u;

	for (; *host != '\0'; host++)
		hash = (hash ^ (unsigned char)*host) * 16777619u;
	return &c->hosts[hash % HTTP_HOSTS];
}

/* Known or asked for, or NULL; those of the list that are too old are forgotten
 * on the way. */
static struct name *
list_find(
    struct http_client *c, struct name **link, const char *host, int64_t now)
{
	while (*link != NULL) {
		struct name *n = *link;

		if (n->asked == NULL && n->until_ns <= now)
			name_free(c, link);
		else if (host != NULL && strcmp(n->host, host) == 0)
			return n;
		else
			link = &n->next;
	}
	return NULL;
}

/* Where there are too many, all that nobody waits for are forgotten. */
static bool
has_room(struct http_client *c)
{
	unsigned max = NAMES_KEPT + 2 * c->settings.concurrency;

	for (unsigned i = 0; i < HTTP_HOSTS && c->host_count >= max; i++)
		(void)list_find(c, &c->hosts[i], NULL, INT64_MAX);
	return c->host_count < max;
}

static bool
name_ask(struct http_client *c, struct name *n, const struct uuid *owner)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return false;
	memcpy(l->host, n->host, sizeof(l->host));
	l->owner = *owner;
	l->ctx = n;
	n->asked = l;
	names_ask(c->names, l);
	return true;
}

static struct name *
name_new(struct http_client *c, const struct transfer *t)
{
	struct name *n = calloc(1, sizeof(*n)), **list;

	if (n == NULL)
		return NULL;
	strncpy(n->host, t->request.host, sizeof(n->host) - 1);
	if (!name_ask(c, n, &t->pool->organization)) {
		free(n);
		return NULL;
	}
	list = bucket(c, n->host);
	n->next = *list;
	*list = n;
	c->host_count++;
	return n;
}

enum host_answer
host_find(struct transfer *t, const char **addresses)
{
	struct http_client *c = t->client;
	const char *host = t->request.host;
	int64_t now = clock_mono_ns();
	struct name *n = list_find(c, bucket(c, host), host, now);

	if (n == NULL && has_room(c))
		n = name_new(c, t);
	if (n == NULL)
		return HOST_REFUSED;
	if (n->asked == NULL) {
		*addresses = n->lookup->addresses;
		return HOST_KNOWN;
	}
	t->name = n;
	atomic_store(&n->asked->dropped, false);
	transfer_list_add(&n->waiting, t);
	return HOST_ASKED;
}

void
host_leave(struct transfer *t)
{
	struct name *n = t->name;

	if (n == NULL)
		return;
	t->name = NULL;
	transfer_list_remove(&n->waiting, t);
	if (n->waiting == NULL && n->asked != NULL)
		atomic_store(&n->asked->dropped, true);
}

/* Whoever waited goes on; a name that failed is asked for again by the next. */
static void
name_answered(struct http_client *c, struct name *n, struct lookup *l)
{
	struct transfer *t;

	n->asked = NULL;
	if (l->addresses == NULL && l->error == NULL && n->waiting != NULL) {
		struct uuid owner = n->waiting->pool->organization;

		if (name_ask(c, n, &owner)) { /* it was dropped too early */
			lookup_free(l);
			return;
		}
		l->error = "out of memory";
	}
	n->lookup = l;
	n->until_ns = l->addresses != NULL ? clock_mono_ns() + NAME_NS : 0;
	while ((t = n->waiting) != NULL) {
		t->name = NULL;
		transfer_list_remove(&n->waiting, t);
		if (l->addresses != NULL) {
			transfer_run(t, l->addresses);
			continue;
		}
		op_call_fail(t->call, true, "name_not_resolved",
		    "The address of %s is not known: %s.", t->request.host,
		    l->error);
		transfer_finish(t);
	}
}

void
hosts_take(struct http_client *c)
{
	struct lookup *l = names_answers(c->names);

	while (l != NULL) {
		struct lookup *next = l->next;

		name_answered(c, l->ctx, l);
		l = next;
	}
}

void
hosts_free(struct http_client *c)
{
	for (unsigned i = 0; i < HTTP_HOSTS; i++)
		while (c->hosts[i] != NULL)
			name_free(c, &c->hosts[i]);
}
