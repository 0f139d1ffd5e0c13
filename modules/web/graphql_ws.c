/* graphql_ws.c - messages of graphql-transport-ws.
 *
 *   new ──connection_init──► checking ──known──► ready
 *    │ 4408 after INIT_NS        │ 4403           │ subscribe, complete
 *
 * Nothing closes a client in the middle of telling others: one that is too slow
 * is marked, and goes at the end of the turn (`late`).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "dag/json.h"
#include "web/graphql_ws.h"
#include "web/kore_api.h"
#include "web/live_client.h"
#include "web/operation.h"
#include "web/request.h"
#include "web/websocket.h"

#define PROTOCOL       "graphql-transport-ws"
#define INIT_NS	       INT64_C(10000000000)
#define TICK_MS	       100
#define ID_MAX	       256
#define OPERATIONS_MAX 1000

enum state {
	CLIENT_NEW,
	CLIENT_CHECKING,
	CLIENT_READY
};

struct client;

struct entry { /* an operation of a client */
	struct client *client;
	struct operation *operation;
	struct entry *next, **at;
	size_t head_len; /* of {"id":"…","type":"next","payload": */
	size_t id_len;
	char text[]; /* the id, then the head */
};

struct client {
	struct live_client credentials;
	struct websocket *socket;
	enum state state;
	int64_t since_ns;
	struct entry *entries;
	unsigned count;
	bool late; /* to be closed */
	unsigned late_code;
	struct client *late_next;
	struct client *next, **at;
};

static struct client *clients, *late;

/* --- the end of a client -------------------------------------------------- */

static void
entry_free(struct entry *e)
{
	*e->at = e->next;
	if (e->next != NULL)
		e->next->at = e->at;
	e->client->count--;
	free(e);
}

static void
client_free(struct client *c)
{
	struct client **at;
	struct entry *e, *next;

	for (e = c->entries; e != NULL; e = next) {
		next = e->next;
		if (e->operation != NULL)
			operation_end(e->operation);
		entry_free(e);
	}
	if (c->late)
		for (at = &late; *at != NULL; at = &(*at)->late_next)
			if (*at == c) {
				*at = c->late_next;
				break;
			}
	live_client_end(&c->credentials);
	*c->at = c->next;
	if (c->next != NULL)
		c->next->at = c->at;
	free(c);
}

static void
gone(void *arg)
{
	client_free(arg);
}

static void
client_close(struct client *c, unsigned code, const char *reason)
{
	websocket_close(c->socket, code, reason);
	client_free(c);
}

/* Not now: somebody may be going through a list that it is in. */
static void
close_later(struct client *c, unsigned code)
{
	if (c->late)
		return;
	c->late = true;
	c->late_code = code;
	c->late_next = late;
	late = c;
}

static void
close_late(void)
{
	struct client *c;

	while ((c = late) != NULL) {
		late = c->late_next;
		c->late = false;
		client_close(c, c->late_code,
		    c->late_code == 4403 ? "Forbidden"
					 : "The client is too slow");
	}
}

/* --- to the client -------------------------------------------------------- */

static void
client_send(struct client *c, const char *text, size_t len)
{
	if (!c->late && !websocket_send(c->socket, text, len))
		close_later(c, WS_TRY_AGAIN);
}

static void
send_whole(struct client *c, struct buf *b)
{
	if (buf_failed(b))
		close_later(c, WS_TRY_AGAIN);
	else
		client_send(c, b->data, b->len);
	buf_free(b);
}

static void
on_next(void *arg, const char *payload, size_t len)
{
	struct entry *e = arg;
	struct buf b;

	buf_create(&b, 0);
	buf_put(&b, e->text + e->id_len, e->head_len);
	buf_put(&b, payload, len);
	buf_putc(&b, '}');
	send_whole(e->client, &b);
}

static void
send_end(struct entry *e, const char *type, const char *payload, size_t len)
{
	struct buf b;

	buf_create(&b, 0);
	buf_puts(&b, "{\"id\":");
	json_write_string(&b, e->text, e->id_len);
	buf_printf(&b, ",\"type\":\"%s\"", type);
	if (payload != NULL) {
		buf_puts(&b, ",\"payload\":");
		buf_put(&b, payload, len);
	}
	buf_putc(&b, '}');
	send_whole(e->client, &b);
}

static void
on_error(void *arg, const char *errors, size_t len)
{
	send_end(arg, "error", errors, len);
	entry_free(arg);
}

static void
on_complete(void *arg)
{
	send_end(arg, "complete", NULL, 0);
	entry_free(arg);
}

static void
on_refused(void *arg)
{
	struct entry *e = arg;

	close_later(e->client, 4403);
	entry_free(e);
}

static const struct operation_events operation_events = {
    on_next, on_error, on_complete, on_refused};

/* --- from the client ------------------------------------------------------ */

static void
bad_message(struct client *c, const char *why)
{
	client_close(c, 4400, why);
}

static void
checked(struct live_client *l, bool counts)
{
	static const char ack[] = "{\"type\":\"connection_ack\"}";
	struct client *c = (struct client *)(void *)l;

	if (!counts) {
		client_close(c, 4403, "Forbidden");
		return;
	}
	if (c->state != CLIENT_CHECKING)
		return;
	c->state = CLIENT_READY;
	client_send(c, ack, sizeof(ack) - 1);
}

static const char *
payload_authorization(const struct json *payload)
{
	static const char *const names[] = {"Authorization", "authorization"};
	const struct json *v;
	size_t i;

	for (i = 0; i < 2; i++) {
		v = json_get(payload, names[i]);
		if (v != NULL && v->type == JSON_STRING)
			return v->string;
	}
	return NULL;
}

static void
take_init(struct client *c, const struct json *m)
{
	const struct json *payload = json_get(m, "payload");
	const char *value;

	if (c->state != CLIENT_NEW) {
		client_close(c, 4429, "Too many initialisation requests");
		return;
	}
	if (payload != NULL && payload->type != JSON_OBJECT &&
	    payload->type != JSON_NULL) {
		bad_message(c, "The payload must be an object");
		return;
	}
	value = payload_authorization(payload);
	c->state = CLIENT_CHECKING;
	if ((value != NULL && !live_client_authorize(
				  &c->credentials, value, strlen(value))) ||
	    !live_client_check(&c->credentials))
		client_close(c, WS_TRY_AGAIN, "Out of memory");
}

static void
take_ping(struct client *c, const struct json *m)
{
	const struct json *payload = json_get(m, "payload");
	struct buf b;

	if (payload != NULL && payload->type != JSON_OBJECT &&
	    payload->type != JSON_NULL) {
		bad_message(c, "The payload must be an object");
		return;
	}
	buf_create(&b, 0);
	buf_puts(&b, "{\"type\":\"pong\"");
	if (payload != NULL) {
		buf_puts(&b, ",\"payload\":");
		json_write(&b, payload);
	}
	buf_putc(&b, '}');
	send_whole(c, &b);
}

static struct entry *
entry_find(struct client *c, const struct json *id)
{
	struct entry *e;

	for (e = c->entries; e != NULL; e = e->next)
		if (e->id_len == id->count &&
		    memcmp(e->text, id->string, id->count) == 0)
			return e;
	return NULL;
}

static struct entry *
entry_new(struct client *c, const struct json *id)
{
	struct entry *e = NULL;
	struct buf head;

	buf_create(&head, 0);
	buf_puts(&head, "{\"id\":");
	json_write_string(&head, id->string, id->count);
	buf_puts(&head, ",\"type\":\"next\",\"payload\":");
	if (!buf_failed(&head))
		e = malloc(sizeof(*e) + id->count + head.len);
	if (e != NULL) {
		e->client = c;
		e->operation = NULL;
		e->id_len = id->count;
		e->head_len = head.len;
		memcpy(e->text, id->string, id->count);
		memcpy(e->text + id->count, head.data, head.len);
		e->next = c->entries;
		e->at = &c->entries;
		if (e->next != NULL)
			e->next->at = &e->next;
		c->entries = e;
		c->count++;
	}
	buf_free(&head);
	return e;
}

static const struct json *
id_of(const struct json *m)
{
	const struct json *id = json_get(m, "id");

	return id != NULL && id->type == JSON_STRING && id->count > 0 &&
		       id->count <= ID_MAX
		   ? id
		   : NULL;
}

/* What of the payload is allowed to be there is judged by POST /graphql; here
 * only what the protocol says. */
static const char *
payload_fault(const struct json *p)
{
	const struct json *query = json_get(p, "query");

	if (p == NULL || p->type != JSON_OBJECT)
		return "The payload must be an object";
	if (query == NULL || query->type != JSON_STRING)
		return "The payload's query must be a string";
	return NULL;
}

static void
operation_begin(struct client *c, struct entry *e, const struct json *payload)
{
	struct buf b;

	buf_create(&b, 0);
	json_write(&b, payload);
	if (!buf_failed(&b))
		e->operation = operation_start(&c->credentials.origin, b.data,
		    b.len, &operation_events, e);
	if (e->operation == NULL) {
		entry_free(e);
		close_later(c, WS_TRY_AGAIN);
	}
	buf_free(&b);
}

static void
take_subscribe(struct client *c, const struct json *m)
{
	const struct json *id = id_of(m), *payload = json_get(m, "payload");
	char reason[ID_MAX + 40];
	struct entry *e;

	if (id == NULL || payload_fault(payload) != NULL) {
		bad_message(c, id == NULL ? "The id must be a string of 1 to "
					    "256 bytes"
					  : payload_fault(payload));
		return;
	}
	if (c->state != CLIENT_READY) {
		client_close(c, 4401, "Unauthorized");
		return;
	}
	if (entry_find(c, id) != NULL) {
		snprintf(reason, sizeof(reason),
		    "Subscriber for %.*s already exists",
		    id->count > 80 ? 80 : (int)id->count, id->string);
		client_close(c, 4409, reason);
		return;
	}
	if (c->count >= OPERATIONS_MAX) {
		client_close(c, WS_TRY_AGAIN, "Too many operations at once");
		return;
	}
	if ((e = entry_new(c, id)) == NULL)
		close_later(c, WS_TRY_AGAIN);
	else
		operation_begin(c, e, payload);
}

static void
take_complete(struct client *c, const struct json *m)
{
	const struct json *id = id_of(m);
	struct entry *e;

	if (id == NULL) {
		bad_message(c, "The id must be a string of 1 to 256 bytes");
		return;
	}
	/* One that ended just now may be unknown. */
	if ((e = entry_find(c, id)) == NULL)
		return;
	operation_end(e->operation);
	entry_free(e);
}

static void
take(struct client *c, const struct json *m)
{
	const struct json *type = json_get(m, "type");

	if (type == NULL || type->type != JSON_STRING)
		bad_message(c, "The message has no type");
	else if (json_is_string(type, "connection_init"))
		take_init(c, m);
	else if (json_is_string(type, "ping"))
		take_ping(c, m);
	else if (json_is_string(type, "subscribe"))
		take_subscribe(c, m);
	else if (json_is_string(type, "complete"))
		take_complete(c, m);
	else if (!json_is_string(type, "pong"))
		bad_message(c, "The message's type is unknown");
}

static void
message(void *arg, char *text, size_t len, bool binary)
{
	struct client *c = arg;
	const struct json *m;
	struct mem mem;
	struct err e;

	if (c->late)
		return;
	mem_create(&mem, 0);
	err_clear(&e);
	if (binary || json_parse(&mem, text, len, NULL, &m, &e) != 0)
		bad_message(c, "The message is not JSON");
	else
		take(c, m);
	mem_destroy(&mem);
}

static const struct websocket_events socket_events = {message, gone};

/* --- the start ------------------------------------------------------------ */

static enum flow_next
no_memory(struct flow *f, struct client *c)
{
	if (c != NULL)
		live_client_end(&c->credentials);
	free(c);
	return flow_fail(f, 503, "overloaded", "The server has no memory.");
}

enum flow_next
graphql_ws_accept(struct flow *f)
{
	bool offered = websocket_offers(f, PROTOCOL);
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL || !live_client_begin(&c->credentials, f, checked))
		return no_memory(f, c);
	c->since_ns = clock_mono_ns();
	c->socket =
	    websocket_accept(f, offered ? PROTOCOL : NULL, &socket_events, c);
	if (c->socket == NULL) { /* and that is answered */
		live_client_end(&c->credentials);
		free(c);
		return FLOW_DONE;
	}
	c->next = clients;
	c->at = &clients;
	if (clients != NULL)
		clients->at = &c->next;
	clients = c;
	if (!offered)
		client_close(c, 4406, "Subprotocol not acceptable");
	return FLOW_DONE;
}

static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t limit = clock_mono_ns() - INIT_NS;
	struct client *c, *next;

	(void)arg;
	(void)now_ms;
	close_late();
	/* The newest stand first. */
	for (c = clients; c != NULL; c = next) {
		next = c->next;
		if (c->state == CLIENT_NEW && c->since_ns < limit)
			client_close(
			    c, 4408, "Connection initialisation timeout");
	}
}

void
graphql_ws_start(void)
{
	websocket_init();
	kore_timer_add(tick, TICK_MS, NULL, 0);
}

void
graphql_ws_stop(void)
{
	while (clients != NULL)
		client_close(clients, WS_GOING_AWAY, "The server ends");
}
