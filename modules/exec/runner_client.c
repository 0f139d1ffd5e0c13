/* runner_client.c - an arena's end of the connection: calls become frames,
 * frames become outcomes. Nothing here blocks. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/guard.h"
#include "exec/op_value.h"
#include "exec/runner.h"
#include "exec/runner_address.h"
#include "exec/runner_wire.h"

#define READ_BYTES (256u << 10)

/* A command that was started; hangs at call->driver. */
struct pending {
	struct pending *next, **link;
	struct op_call *call;
	uint64_t id;
};

#define BUCKETS 256u /* by id, which counts up: evenly filled */

struct runner_client {
	char *socket;
	size_t result_bytes, frame_max;
	runner_done done;
	void *ctx;
	int fd;
	uint64_t connections; /* made so far: tells one from the next */
	struct buf in, out;
	uint64_t last_id;
	struct pending *pending[BUCKETS];
	char chunk[READ_BYTES];
};

struct runner_client *
runner_client_new(
    const struct runner_settings *settings, runner_done done, void *ctx)
{
	struct runner_client *c = mem_heap(sizeof(*c));
	size_t len = strlen(settings->socket) + 1;

	if (c == NULL)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->socket = mem_heap(len);
	if (c->socket == NULL) {
		free(c);
		return NULL;
	}
	memcpy(c->socket, settings->socket, len);
	c->result_bytes = settings->result_bytes;
	c->frame_max = settings->result_bytes + settings->log_bytes + 65536;
	c->done = done;
	c->ctx = ctx;
	c->fd = -1;
	buf_create(&c->in, 0);
	buf_create(&c->out, 0);
	c->in.wipe = c->out.wipe = true; /* may hold secrets */
	return c;
}

/* --- pending calls --------------------------------------------------------------- */

static void
add(struct runner_client *c, struct pending *p)
{
	struct pending **bucket = &c->pending[p->id % BUCKETS];

	p->next = *bucket;
	p->link = bucket;
	if (p->next != NULL)
		p->next->link = &p->next;
	*bucket = p;
}

/* Takes the call out and hands it back. */
static void
give_back(struct runner_client *c, struct pending *p)
{
	struct op_call *call = p->call;

	*p->link = p->next;
	if (p->next != NULL)
		p->next->link = p->link;
	call->driver = NULL;
	if (atomic_load(&call->stop))
		op_call_cancelled(call);
	c->done(c->ctx, call);
}

static struct pending *
find(struct runner_client *c, uint64_t id)
{
	struct pending *p = c->pending[id % BUCKETS];

	while (p != NULL && p->id != id)
		p = p->next;
	return p;
}

/* --- connection ------------------------------------------------------------------ */

/* The runner is gone, and with it what it ran. done may start calls, which
 * connect anew and must not be taken for lost ones. */
static void
disconnect(struct runner_client *c)
{
	uint64_t last = c->last_id;
	struct pending *p;

	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	buf_free(&c->in);
	buf_free(&c->out);
	for (unsigned i = 0; i < BUCKETS; i++)
		for (p = c->pending[i]; p != NULL;) {
			if (p->id > last) {
				p = p->next;
				continue;
			}
			op_call_fail(p->call, true, "runner_lost",
			    "The process that runs commands ended.");
			give_back(c, p);
			p = c->pending[i];
		}
}

static int
connect_to(struct runner_client *c)
{
	struct runner_address a;
	int rc = -1;

	if (c->fd >= 0)
		return 0;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd >= 0 && runner_address(&a, c->socket) == 0) {
		rc = connect(c->fd, (struct sockaddr *)&a.sun, sizeof(a.sun));
		runner_address_close(&a);
	}
	if (rc != 0 && c->fd >= 0) {
		close(c->fd);
		c->fd = -1;
	}
	c->connections += rc == 0;
	return rc;
}

int
runner_client_fd(const struct runner_client *c)
{
	return c->fd;
}

short
runner_client_events(const struct runner_client *c)
{
	return c->out.len > 0 ? POLLIN | POLLOUT : POLLIN;
}

/* --- from call to frame ---------------------------------------------------------- */

static void
put_string(struct buf *b, const struct json *v)
{
	wire_put_text(b, v->string, v->count);
}

static void
put_argv(struct buf *b, const struct json *params)
{
	const struct json *argv = json_get(params, "argv");

	if (argv == NULL) {
		wire_put_u32(b, 3);
		wire_put_text(b, "/bin/sh", 7);
		wire_put_text(b, "-c", 2);
		put_string(b, json_get(params, "shell"));
		return;
	}
	wire_put_u32(b, argv->count);
	for (uint32_t i = 0; i < argv->count; i++)
		put_string(b, argv->items[i]);
}

static void
put_env(struct buf *b, const struct json *env)
{
	const struct json_member *m;
	struct buf text;

	wire_put_u32(b, env != NULL ? env->count : 0);
	if (env == NULL)
		return;
	buf_create(&text, 0);
	text.wipe = true;
	for (uint32_t i = 0; i < env->count; i++) {
		m = &env->members[i];
		buf_reset(&text);
		buf_put(&text, m->name, m->name_len);
		buf_putc(&text, '=');
		buf_put(&text, m->value->string, m->value->count);
		if (buf_failed(&text))
			b->failed = true;
		else
			wire_put_text(b, text.data, text.len);
	}
	buf_free(&text);
}

/* input as JSON on a line, stdin as it stands, or nothing. */
static void
put_input(struct buf *b, const struct json *params)
{
	const struct json *input = json_get(params, "input");
	const struct json *text = json_get(params, "stdin");
	struct buf json;

	wire_put_u32(b, input != NULL || text != NULL);
	if (input == NULL) {
		wire_put_text(b, text != NULL ? text->string : "",
		    text != NULL ? text->count : 0);
		return;
	}
	buf_create(&json, WIRE_FRAME_MAX);
	json.wipe = true;
	json_write(&json, input);
	buf_putc(&json, '\n');
	if (buf_failed(&json))
		b->failed = true;
	else
		wire_put_text(b, json.data, json.len);
	buf_free(&json);
}

static bool
is_string_list(const struct json *v)
{
	if (v->type != JSON_ARRAY || v->count == 0)
		return false;
	for (uint32_t i = 0; i < v->count; i++)
		if (v->items[i]->type != JSON_STRING)
			return false;
	return true;
}

static bool
is_string_object(const struct json *v)
{
	if (v->type != JSON_OBJECT)
		return false;
	for (uint32_t i = 0; i < v->count; i++)
		if (v->members[i].value->type != JSON_STRING)
			return false;
	return true;
}

/* The document was checked, but a template's value is only known now. */
static const char *
complaint(const struct json *params)
{
	const struct json *argv = json_get(params, "argv");
	const struct json *shell = json_get(params, "shell");
	const struct json *env = json_get(params, "env");
	const struct json *text = json_get(params, "stdin");

	if ((argv == NULL) == (shell == NULL))
		return "A command takes exactly one of argv and shell.";
	if (argv != NULL && !is_string_list(argv))
		return "argv must be a list of strings.";
	if (shell != NULL && shell->type != JSON_STRING)
		return "shell must be a string.";
	if (env != NULL && !is_string_object(env))
		return "The values of env must be strings.";
	if (text != NULL && text->type != JSON_STRING)
		return "stdin must be a string.";
	return NULL;
}

static void
put_start(struct buf *b, const struct op_call *call, uint64_t id)
{
	size_t frame = wire_begin(b, WIRE_START, id);
	const char *node = plan_node_name(call->scope.plan, call->node);
	char execution[UUID_TEXT];

	uuid_format(&call->scope.execution, execution);
	wire_put_text(b, execution, UUID_TEXT - 1);
	wire_put_text(b, node, strlen(node));
	wire_put_u32(b, call->attempt);
	wire_put_u32(b, call->tenant);
	wire_put_u32(b, (uint32_t)(call->priority - PRIORITY_MIN));
	put_argv(b, call->params);
	put_env(b, json_get(call->params, "env"));
	put_input(b, call->params);
	wire_end(b, frame);
}

/* Makes the call's frame in b, or fills the outcome with why it can't be. */
static struct pending *
make_frame(struct runner_client *c, struct op_call *call, struct buf *b)
{
	const char *why = complaint(call->params);
	struct pending *p;

	if (why != NULL) {
		op_call_fail(call, false, "invalid_parameter", "%s", why);
		return NULL;
	}
	p = mem_alloc(&call->mem, sizeof(*p));
	if (p == NULL) {
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
		return NULL;
	}
	p->call = call;
	p->id = c->last_id + 1;
	put_start(b, call, p->id);
	if (!buf_failed(b))
		return p;
	op_call_fail(call, false, "invalid_parameter",
	    "The command's parameters are too large.");
	return NULL;
}

void
runner_client_start(struct runner_client *c, struct op_call *call)
{
	struct pending *p;
	struct buf b;

	buf_create(&b, WIRE_FRAME_MAX + 1024);
	b.wipe = true;
	p = make_frame(c, call, &b);
	if (p != NULL && connect_to(c) != 0) {
		op_call_fail(call, true, "runner_lost",
		    "The process that runs commands can't be reached.");
		p = NULL;
	}
	if (p == NULL) {
		buf_free(&b);
		c->done(c->ctx, call);
		return;
	}
	c->last_id = p->id;
	call->driver = p;
	add(c, p);
	buf_put(&c->out, b.data, b.len);
	buf_free(&b);
	if (!wire_flush(c->fd, &c->out))
		disconnect(c);
}

void
runner_client_stop(struct runner_client *c, struct op_call *call)
{
	struct pending *p = call->driver;

	atomic_store(&call->stop, true);
	if (p == NULL || c->fd < 0)
		return;
	wire_end(&c->out, wire_begin(&c->out, WIRE_STOP, p->id));
	if (!wire_flush(c->fd, &c->out))
		disconnect(c);
}

/* --- from frame to outcome ------------------------------------------------------- */

/* JSON if it is some, else text without its last line's end. */
static void
take_output(struct runner_client *c, struct op_call *call, struct wire_text t)
{
	const struct json *v;

	if (t.len == 0) {
		op_call_result(call, NULL, c->result_bytes);
		return;
	}
	v = op_value_json(&call->mem, t.data, t.len);
	if (v == NULL)
		v = op_value_text(
		    &call->mem, t.data, t.len - (t.data[t.len - 1] == '\n'));
	if (v == NULL)
		op_call_fail(call, true, "out_of_memory", "Out of memory.");
	else
		op_call_result(call, v, c->result_bytes);
}

static const char *
signal_name(uint32_t number)
{
	const char *name = number < 65 ? sigabbrev_np((int)number) : NULL;

	return name != NULL ? name : "RT";
}

static void
take_exit(struct runner_client *c, struct op_call *call, uint32_t code,
    struct wire_text output)
{
	if (code == 0)
		take_output(c, call, output);
	else if (code == 127)
		op_call_fail(call, true, "command_failed",
		    "The command ended with exit code 127: a program was not "
		    "found.");
	else if (code > 128 && code <= 128 + 64)
		op_call_fail(call, true, "command_failed",
		    "The command ended with exit code %u (signal %u, SIG%s).",
		    code, code - 128, signal_name(code - 128));
	else
		op_call_fail(call, true, "command_failed",
		    "The command ended with exit code %u.", code);
}

static void
take_end(struct runner_client *c, struct op_call *call, uint32_t end,
    uint32_t value, struct wire_text output)
{
	switch ((enum wire_end)end) {
	case WIRE_EXITED:
		take_exit(c, call, value, output);
		return;
	case WIRE_SIGNALLED:
		op_call_fail(call, true, "command_failed",
		    "The command was ended by signal %u (SIG%s).", value,
		    signal_name(value));
		return;
	case WIRE_TOO_LARGE:
		op_call_fail(call, false, "result_too_large",
		    "The command printed more than the limit of %zu bytes.",
		    c->result_bytes);
		return;
	case WIRE_NOT_STARTED:
		op_call_fail(call, true, "command_not_started",
		    "The command could not be started: %s.",
		    strerrordesc_np((int)value) != NULL
			? strerrordesc_np((int)value)
			: "unknown error");
		return;
	}
	op_call_fail(call, true, "runner_lost", "The runner said nonsense.");
}

/* False: a malformed frame. */
static bool
handle_done(
    struct runner_client *c, const struct wire_header *h, const char *payload)
{
	struct wire_reader r = {.at = payload, .end = payload + h->length};
	struct pending *p = find(c, h->id);
	uint32_t end = wire_u32(&r), value = wire_u32(&r);
	uint64_t cpu = wire_u64(&r);
	struct wire_text output = wire_text(&r), log = wire_text(&r);
	struct op_call *call;

	if (h->type != WIRE_DONE || !wire_finished(&r) || p == NULL)
		return false;
	call = p->call;
	call->outcome.cpu_ns += (int64_t)cpu;
	if (!atomic_load(&call->stop))
		take_end(c, call, end, value, output);
	if (log.len > 0)
		call->outcome.log = op_text(
		    &call->mem, log.data, log.len, &call->outcome.log_len);
	give_back(c, p);
	return true;
}

static bool
is_still(const struct runner_client *c, uint64_t connection)
{
	return c->fd >= 0 && c->connections == connection;
}

/* done may start and stop calls: while the frames are handled the buffer is
 * ours, and the connection may be another afterwards. */
static bool
handle_frames(struct runner_client *c)
{
	struct buf in = c->in;
	struct wire_header h;
	size_t at = 0;
	uint64_t mine = c->connections;
	int got = 0;

	buf_create(&c->in, 0);
	c->in.wipe = true;
	while (is_still(c, mine) && (got = wire_frame(in.data + at, in.len - at,
					 (uint32_t)c->frame_max, &h)) == 1) {
		if (!handle_done(c, &h, in.data + at + sizeof(h))) {
			got = -1;
			break;
		}
		at += sizeof(h) + h.length;
	}
	if (is_still(c, mine) && got == 0)
		buf_put(&c->in, in.data + at, in.len - at);
	buf_free(&in);
	return !is_still(c, mine) || (got == 0 && !buf_failed(&c->in));
}

void
runner_client_ready(struct runner_client *c)
{
	ssize_t n;

	if (c->fd < 0)
		return;
	if (!wire_flush(c->fd, &c->out)) {
		disconnect(c);
		return;
	}
	n = recv(c->fd, c->chunk, sizeof(c->chunk), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		buf_put(&c->in, c->chunk, (size_t)n);
		guard_wipe(c->chunk, (size_t)n);
	}
	if (n <= 0 || buf_failed(&c->in) || !handle_frames(c))
		disconnect(c);
}

void
runner_client_free(struct runner_client *c)
{
	if (c == NULL)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct pending *p = c->pending[i]; p != NULL; p = p->next)
			atomic_store(&p->call->stop, true);
	disconnect(c);
	free(c->socket);
	free(c);
}
