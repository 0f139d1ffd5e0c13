/* secrets.c - requests of the arena, in batches, to the database; what comes
 * back is opened and handed to the arena.
 *
 *   arena's thread ─ask─► queue ─eventfd─► one statement ─► exec_secret_answer
 *                                             │ database away
 *                                             └──► the timer asks again
 */

#include <sys/eventfd.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "web/database.h"
#include "web/kore_api.h"
#include "web/log.h"
#include "web/request.h"
#include "web/secrets.h"
#include "web_sql.h"

#define BATCH_MAX 256
#define TICK_MS	  250

static struct {
	struct kore_event event; /* first: Kore's event loop asks for it */
	int fd;
	pthread_mutex_t mutex;
	struct secret_request *asked; /* the newest first */
	/* The event loop's: */
	struct secret_request *batch[BATCH_MAX];
	unsigned count; /* under way; 0: idle */
	struct query query;
	struct sql_params params;
	struct mem mem;
} queue = {.fd = -1, .mutex = PTHREAD_MUTEX_INITIALIZER};

static void answered(struct query *);

/* --- the arena's thread --------------------------------------------------- */

static void
ask(void *ctx, struct secret_request *r)
{
	uint64_t one = 1;

	(void)ctx;
	pthread_mutex_lock(&queue.mutex);
	r->next = queue.asked;
	queue.asked = r;
	pthread_mutex_unlock(&queue.mutex);
	/* A full counter wakes the loop as well. */
	if (write(queue.fd, &one, sizeof(one)) != sizeof(one))
		return;
}

struct secret_source
secrets_source(void)
{
	return (struct secret_source){.ask = ask};
}

/* --- the event loop ------------------------------------------------------- */

static unsigned
take_batch(void)
{
	pthread_mutex_lock(&queue.mutex);
	while (queue.asked != NULL && queue.count < BATCH_MAX) {
		queue.batch[queue.count++] = queue.asked;
		queue.asked = queue.asked->next;
	}
	pthread_mutex_unlock(&queue.mutex);
	return queue.count;
}

static void
params_put(void)
{
	const char **organizations, **names;
	unsigned i;
	char *id;

	mem_reset(&queue.mem);
	memset(&queue.params, 0, sizeof(queue.params));
	queue.params.mem = &queue.mem;
	organizations =
	    mem_array(&queue.mem, queue.count, sizeof(*organizations));
	names = mem_array(&queue.mem, queue.count, sizeof(*names));
	for (i = 0; i < queue.count && names != NULL; i++) {
		if ((id = mem_alloc(&queue.mem, UUID_TEXT)) == NULL)
			return;
		uuid_format(&queue.batch[i]->organization, id);
		organizations[i] = id;
		names[i] = queue.batch[i]->name;
	}
	if (mem_failed(&queue.mem))
		return;
	sql_text_array(&queue.params, organizations, queue.count);
	sql_text_array(&queue.params, names, queue.count);
}

/* What can't be sent now waits for the tick. */
static void
send_batch(void)
{
	if (queue.query.done != NULL || take_batch() == 0)
		return;
	params_put();
	if (mem_failed(&queue.mem))
		return;
	queue.query.sql = &SQL_SECRET_VALUES;
	queue.query.params = &queue.params;
	queue.query.done = answered;
	if (query_submit(POOL_SYSTEM, &queue.query) != 0)
		queue.query.done = NULL;
}

static void
tell(unsigned i, enum secret_state state, const char *text, size_t len)
{
	exec_secret_answer(server.exec, queue.batch[i], state, text, len);
	queue.batch[i] = NULL;
}

/* ring NULL: its keys could not be read. */
static void
open_row(const struct secret_ring *ring, unsigned i, int row)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)queue.query.result;
	const struct secret_request *r = queue.batch[i];
	char id[UUID_TEXT], *value;
	struct err e;
	const void *sealed;
	size_t len = 0, value_len = 0;
	bool good;

	err_clear(&e);
	sealed = sql_get_bytes(rows, row, 1, &queue.mem, &len);
	value = malloc(len + 1);
	good =
	    ring != NULL && sealed != NULL && value != NULL &&
	    secret_open(ring, &r->organization, r->name, sql_get(rows, row, 2),
		sealed, len, value, &value_len, &e) == 0;
	if (!good && e.code != NULL) {
		uuid_format(&r->organization, id);
		log_error("secrets: %s of organization %s: %s", r->name, id,
		    e.message);
	}
	tell(i, good ? SECRET_KNOWN : SECRET_UNREADABLE, value, value_len);
	if (value != NULL)
		OPENSSL_cleanse(value, len + 1);
	free(value);
}

static void
open_rows(void)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)queue.query.result;
	struct secret_ring ring;
	struct err e;
	bool good;
	int row;

	err_clear(&e);
	good = secret_ring_load(&server.config, &ring, &e) == 0;
	if (!good)
		log_error("secrets: %s", e.message);
	for (row = 0; row < sql_count(rows); row++) {
		int64_t place = sql_get_int(rows, row, 0);

		if (place >= 1 && place <= queue.count &&
		    queue.batch[place - 1] != NULL)
			open_row(good ? &ring : NULL, (unsigned)place - 1, row);
	}
	secret_ring_wipe(&ring);
}

static void
answered(struct query *q)
{
	unsigned i;

	queue.query.done = NULL;
	if (q->outcome == QUERY_ERROR)
		log_error("secrets: %s %s", q->sqlstate, q->message);
	if (q->outcome != QUERY_OK) {
		query_clear(q);
		return; /* the tick asks again */
	}
	if (sql_count((const struct sql_rows *)(const void *)q->result) > 0)
		open_rows();
	for (i = 0; i < queue.count; i++)
		if (queue.batch[i] != NULL)
			tell(i, SECRET_ABSENT, NULL, 0);
	queue.count = 0;
	query_clear(q);
	send_batch();
}

static void
readable(void *arg, int error)
{
	uint64_t n;

	(void)arg;
	(void)error;
	queue.event.flags = 0;
	if (read(queue.fd, &n, sizeof(n)) == sizeof(n))
		send_batch();
}

static void
tick(void *arg, u_int64_t now)
{
	(void)arg;
	(void)now;
	send_batch();
}

/* NOTIFY open_secrets: "organization name"; NULL: some may have been missed. */
static void
changed(const char *payload)
{
	struct uuid organization;

	if (payload != NULL && strlen(payload) > UUID_TEXT &&
	    uuid_parse(payload, UUID_TEXT - 1, &organization))
		exec_secret_changed(
		    server.exec, &organization, payload + UUID_TEXT);
	else
		exec_secret_changed(server.exec, NULL, NULL);
}

int
secrets_init(void)
{
	queue.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return queue.fd == -1 ? -1 : 0;
}

void
secrets_start(void)
{
	mem_create(&queue.mem, 0);
	queue.event.type = KORE_TYPE_TASK;
	queue.event.handle = readable;
	kore_platform_event_schedule(queue.fd, EPOLLIN, 0, &queue);
	kore_timer_add(tick, TICK_MS, NULL, 0);
	database_listen("open_secrets", changed);
}

/* --- who writes one ------------------------------------------------------- */

bool
secrets_seal(struct flow *f, const char *name, const char *value, size_t len,
    struct sealed_secret *out)
{
	uint8_t *sealed = mem_alloc(flow_mem(f), len + SECRET_OVERHEAD);
	struct secret_ring ring;
	struct err e;
	const char *body;
	size_t body_len = 0;
	bool good;

	err_clear(&e);
	good =
	    sealed != NULL && secret_ring_load(&server.config, &ring, &e) == 0;
	if (good) {
		good = secret_seal(&ring, &flow_actor(f)->organization, name,
			   value, len, sealed, &e) == 0;
		memcpy(out->key_id, ring.keys[0].id, sizeof(out->key_id));
		secret_ring_wipe(&ring);
	}
	out->bytes = sealed;
	out->len = len + SECRET_OVERHEAD;
	OPENSSL_cleanse((char *)(uintptr_t)value, len);
	body = flow_body(f, &body_len);
	if (body != NULL)
		OPENSSL_cleanse((char *)(uintptr_t)body, body_len);
	if (good)
		return true;
	log_error("secrets: %s", e.code != NULL ? e.message : "out of memory");
	flow_fail(f, 503, "secrets_unavailable",
	    "The server can't encrypt secrets now; its log says why.");
	return false;
}
