/* live_client.c - a check is a request of the client's that only asks who it
 * is: what refuses requests refuses it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/database.h"
#include "web/kore_api.h"
#include "web/live_client.h"
#include "web/origin.h"
#include "web/request.h"

#define TICK_MS	 1000
#define CHECK_NS INT64_C(5000000000)
#define BUDGET	 4000 /* checks a tick */

static struct live_client *clients;

/* --- texts ---------------------------------------------------------------- */

static size_t
size_of(const char *text)
{
	return text == NULL ? 0 : strlen(text) + 1;
}

static const char *
put(char **to, const char *text)
{
	char *at = *to;
	size_t n = size_of(text);

	if (n == 0)
		return NULL;
	memcpy(at, text, n);
	*to += n;
	return at;
}

/* In one piece. */
static bool
keep(struct live_client *c, const struct call_origin *o)
{
	size_t size = size_of(o->authorization) + size_of(o->cookie) +
		      size_of(o->origin) + size_of(o->host) +
		      size_of(o->address) + 1;
	char *texts = malloc(size), *to = texts;

	if (texts == NULL)
		return false;
	c->origin =
	    (struct call_origin){.authorization = put(&to, o->authorization),
		.cookie = put(&to, o->cookie),
		.origin = put(&to, o->origin),
		.host = put(&to, o->host),
		.address = put(&to, o->address)};
	free(c->texts);
	c->texts = texts;
	return true;
}

bool
live_client_begin(struct live_client *c, struct flow *f,
    void (*checked)(struct live_client *, bool counts))
{
	struct call_origin o = {
	    .authorization = flow_header(f, "authorization"),
	    .cookie = flow_header(f, "cookie"),
	    .origin = flow_header(f, "origin"),
	    .host = flow_header(f, "host"),
	    .address = flow_address(f)};

	if (o.cookie != NULL && !origin_check(f))
		o.cookie = NULL;
	if (!keep(c, &o))
		return false;
	c->checked = checked;
	c->next = clients;
	c->at = &clients;
	if (clients != NULL)
		clients->at = &c->next;
	clients = c;
	c->listed = true;
	return true;
}

bool
live_client_authorize(struct live_client *c, const char *value, size_t len)
{
	struct call_origin o = c->origin;
	char *text = strndup(value, len);
	bool kept;

	if (text == NULL)
		return false;
	o.authorization = text;
	kept = keep(c, &o);
	free(text);
	return kept;
}

void
live_client_end(struct live_client *c)
{
	if (c->check != NULL)
		call_forget(c->check);
	c->check = NULL;
	if (c->listed) {
		*c->at = c->next;
		if (c->next != NULL)
			c->next->at = c->at;
	}
	c->listed = false;
	free(c->texts);
	c->texts = NULL;
}

/* --- checks --------------------------------------------------------------- */

static enum flow_next
known(struct flow *f)
{
	return flow_reply_empty(f, 204);
}

static const struct flow_step check_steps[] = {FLOW_STEP(known), FLOW_END};

static void
done(void *arg, int status, const char *body, size_t len)
{
	struct live_client *c = arg;

	(void)body;
	(void)len;
	c->check = NULL;
	c->checked_ns = clock_mono_ns();
	if (c->again) {
		c->again = false;
		live_client_check(c);
	} else if (status < 300 || status == 401 || status == 403) {
		c->checked(c, status < 300);
	} /* else nobody can tell now: at the next tick */
}

bool
live_client_check(struct live_client *c)
{
	struct call_request r = {.from = &c->origin,
	    .method = "POST",
	    .path = "/graphql",
	    .done = done,
	    .arg = c};

	if (c->check != NULL) {
		c->again = true;
		return true;
	}
	c->check = call_steps(&r, POLICY_GRAPHQL, check_steps, 0);
	return c->check != NULL;
}

/* The cache was emptied before us. */
static void
tokens_changed(const char *payload)
{
	struct live_client *c;

	if (payload != NULL && strncmp(payload, "beat ", 5) == 0)
		return;
	for (c = clients; c != NULL; c = c->next)
		live_client_check(c);
}

/* Those that expire, and what a notification could have missed. */
static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t limit = clock_mono_ns() - CHECK_NS;
	unsigned budget = BUDGET;
	struct live_client *c;

	(void)arg;
	(void)now_ms;
	for (c = clients; c != NULL && budget > 0; c = c->next)
		if (c->check == NULL && c->checked_ns != 0 &&
		    c->checked_ns < limit) {
			live_client_check(c);
			budget--;
		}
}

void
live_client_start(void)
{
	database_listen("open_tokens", tokens_changed);
	kore_timer_add(tick, TICK_MS, NULL, 0);
}
