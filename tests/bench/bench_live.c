/* bench_live - from the end of a node to the client that is told, over
 * WebSockets; and what a subscription costs that waits.
 *
 * A node's end is what the event says (completedAt, the server's clock: this
 * machine's), being told is when the client has read its message.
 *
 * Environment: OPEN_BENCH_ADDRESS, _TOKEN, _DATABASE, _DAGS, _SERVER.
 */
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "load.h"
#include "server.h"
#include "stats.h"
#include "table.h"

#define MANY	   2000
#define IDLE	   10000
#define IDLE_RUNS  100
#define TICKS	   40 /* nodes of the DAG "ticks", one each 50 ms */
#define FRAME_MAX  65536
#define COMPLETED  "\"completedAt\":\""
#define TIME_BYTES 27

static const char query[] =
    "subscription ($id: ID!) { nodeExecutionUpdated(executionId: $id) "
    "{ nodeName status completedAt } }";

struct client {
	int fd;
	size_t got;
	char *buffer; /* FRAME_MAX bytes */
	bool ended;
};

static void
send_frame(int fd, const char *text)
{
	size_t len = strlen(text), n = 6;
	unsigned char frame[4096] = {0x81};

	if (len > sizeof(frame) - 8)
		die("frame", "too long");
	if (len < 126) {
		frame[1] = (unsigned char)(0x80 | len);
	} else { /* a mask of zeros changes nothing */
		frame[1] = 0x80 | 126;
		frame[2] = (unsigned char)(len >> 8);
		frame[3] = (unsigned char)len;
		n = 8;
	}
	memcpy(frame + n, text, len);
	if (write(fd, frame, n + len) != (ssize_t)(n + len))
		die("write", strerror(errno));
}

/* Until what was read has the text. */
static void
await(int fd, const char *text)
{
	char answer[8192];
	size_t got = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, answer + got, sizeof(answer) - 1 - got);
		if (n <= 0)
			die("no answer with", text);
		got += (size_t)n;
		answer[got] = '\0';
		for (size_t i = 0; i < got; i++)
			if (answer[i] == '\0')
				answer[i] = ' ';
		if (strstr(answer, text) != NULL)
			return;
	}
}

static void
client_open(struct client *c, const char *execution, bool buffered)
{
	char text[2048];

	c->fd = http_connect(setting("OPEN_BENCH_ADDRESS"));
	c->got = 0;
	c->ended = false;
	c->buffer = buffered ? malloc(FRAME_MAX) : NULL;
	snprintf(text, sizeof(text),
	    "GET /graphql HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\n"
	    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n"
	    "Authorization: Bearer %s\r\n\r\n",
	    setting("OPEN_BENCH_TOKEN"));
	if (write(c->fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("write", strerror(errno));
	await(c->fd, "\r\n\r\n");
	send_frame(c->fd, "{\"type\":\"connection_init\"}");
	await(c->fd, "connection_ack");
	snprintf(text, sizeof(text),
	    "{\"id\":\"s\",\"type\":\"subscribe\",\"payload\":{\"query\":\"%"
	    "s\","
	    "\"variables\":{\"id\":\"%s\"}}}",
	    query, execution);
	send_frame(c->fd, text);
}

static void
client_close(struct client *c)
{
	close(c->fd);
	free(c->buffer);
}

/* A message: how late it is, if it tells of an end. */
static void
take(struct client *c, const char *text, size_t len, struct samples *late)
{
	int64_t told = clock_real_us(), ended;
	const char *at = memmem(text, len, COMPLETED, sizeof(COMPLETED) - 1);
	const char *end;

	if (memmem(text, len, "\"complete\"", 10) != NULL)
		c->ended = true;
	if (at == NULL)
		return;
	at += sizeof(COMPLETED) - 1;
	end = memchr(at, '"', (size_t)(text + len - at));
	if (end == NULL || !time_parse(at, (size_t)(end - at), &ended))
		die("not a time", at);
	samples_add(late, (double)(told - ended) / 1000);
}

static void
receive(struct client *c, struct samples *late)
{
	ssize_t n = read(c->fd, c->buffer + c->got, FRAME_MAX - c->got);
	unsigned char *b = (unsigned char *)c->buffer;

	if (n <= 0)
		die("read", n == 0 ? "the server hung up" : strerror(errno));
	c->got += (size_t)n;
	for (;;) {
		size_t head = 2, len = b[1] & 0x7f;

		if (c->got < 4)
			return;
		if (len == 126) {
			len = (size_t)b[2] << 8 | b[3];
			head = 4;
		}
		if (c->got < head + len)
			return;
		take(c, c->buffer + head, len, late);
		c->got -= head + len;
		memmove(c->buffer, c->buffer + head + len, c->got);
	}
}

/* Until all are told that the execution has ended. */
static void
listen_all(struct client *clients, unsigned count, struct samples *late)
{
	struct epoll_event event, ready[256];
	int poll = epoll_create1(0), n;
	unsigned left = count;

	for (unsigned i = 0; i < count; i++) {
		event = (struct epoll_event){.events = EPOLLIN, .data.u32 = i};
		if (epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &event) != 0)
			die("epoll", strerror(errno));
	}
	while (left > 0) {
		n = epoll_wait(poll, ready, 256, 30000);
		if (n <= 0)
			die("events", "none came for 30 s");
		for (int i = 0; i < n; i++) {
			struct client *c = &clients[ready[i].data.u32];
			bool before = c->ended;

			receive(c, late);
			left -= c->ended && !before;
		}
	}
	close(poll);
}

static void
start(struct http *h, const char *dag, char execution[37])
{
	char name[37], request[2048];
	const char *id;
	size_t len;

	dag_id(dag, name);
	len = http_start_request(
	    request, sizeof(request), setting("OPEN_BENCH_TOKEN"), name);
	http_send(h, request, len);
	while (!http_receive(h))
		;
	if ((id = strstr(h->response, "\"id\":\"")) == NULL)
		die("no id in", h->response);
	memcpy(execution, id + 6, 36);
	execution[36] = '\0';
}

static void
measure(struct http *h, unsigned count, const char *what, double limit)
{
	struct client *clients = calloc(count, sizeof(*clients));
	struct samples late = {0};
	char execution[37], note[128];

	/* It waits 3 s before its first tick. */
	start(h, "ticks", execution);
	for (unsigned i = 0; i < count; i++)
		client_open(&clients[i], execution, true);
	listen_all(clients, count, &late);
	if (late.count < (size_t)TICKS * count)
		die(what, "not everybody was told of everything");
	table_row(&(struct row){.what = what,
	    .ours = samples_quantile(&late, 0.99),
	    .unit = "ms",
	    .limit = limit});
	snprintf(note, sizeof(note), "%s; p50 %.2f ms", what,
	    samples_quantile(&late, 0.5));
	table_note(note);
	for (unsigned i = 0; i < count; i++)
		client_close(&clients[i]);
	free(clients);
	samples_free(&late);
}

static void
measure_idle(struct http *h)
{
	struct client *clients = calloc(IDLE, sizeof(*clients));
	static char executions[IDLE_RUNS][37];
	double before;

	for (unsigned i = 0; i < IDLE_RUNS; i++)
		start(h, "rest", executions[i]);
	client_open(&clients[0], executions[0], false);
	before = server_use().private_bytes;
	for (unsigned i = 1; i < IDLE; i++)
		client_open(&clients[i], executions[i % IDLE_RUNS], false);
	pause_us(1000000);
	table_row(&(struct row){
	    .what = "memory of each of 10,000 subscriptions",
	    .ours = (server_use().private_bytes - before) / (IDLE - 1) / 1024,
	    .unit = "KiB",
	    .limit = 20});
	for (unsigned i = 0; i < IDLE; i++)
		client_close(&clients[i]);
	free(clients);
}

int
main(void)
{
	struct rlimit files = {IDLE + 1000, IDLE + 1000};
	struct http h = {.fd = http_connect(setting("OPEN_BENCH_ADDRESS"))};

	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		die("descriptors", strerror(errno));
	table_head();
	measure(&h, 1, "node ended → told, 1 subscriber: p99", 5);
	measure(&h, MANY, "node ended → told, 2,000 subscribers: p99", 25);
	measure_idle(&h);
	close(h.fd);
	return 0;
}
