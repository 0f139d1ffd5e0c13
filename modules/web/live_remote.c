/* live_remote.c - executions of other servers.
 *
 * Who listens tells the other servers so with NOTIFY open_watch, at once and
 * every third of WATCH_S; it holds for WATCH_S. A server keeps that as one time
 * in one of 65,536 words of shared memory, and its journals tell (live_tell,
 * NOTIFY open_events) of executions whose word says so. As often as it tells, a
 * listener also looks into the database: nothing is missed for longer.
 */
#include <sys/mman.h>

#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "web/database.h"
#include "web/kore_api.h"
#include "web/live_feed.h"
#include "web/live_topic.h"
#include "web_sql.h"

#define TICK_MS 1000
#define WATCH_S 30
#define WORDS	65536u
#define NAMES	200 /* ids in one note, which has 8,000 bytes */
#define LOOKS	500 /* a tick */

/* Ids for NOTIFY, those of one statement at a time. */
struct notes {
	struct query query;
	struct sql_params params;
	struct mem mem;
	struct buf ids; /* separated by spaces */
	bool sending;
};

static struct {
	_Atomic uint32_t *wanted; /* until when, in seconds; all workers */
	struct notes watch, tell;
	bool watch_again;
	int64_t watched_ns;
	unsigned budget;
} remote;

static uint32_t
now_s(void)
{
	return (uint32_t)(clock_mono_ns() / 1000000000);
}

/* --- sending -------------------------------------------------------------- */

static void
notes_add(struct notes *n, const struct uuid *id)
{
	char text[UUID_TEXT];

	uuid_format(id, text);
	if (n->ids.len > 0)
		buf_putc(&n->ids, ' ');
	buf_puts(&n->ids, text);
}

/* Notes of NAMES each; what can't be sent is lost: who listens looks itself. */
static void
notes_send(struct notes *n, const struct sql *sql, void (*done)(struct query *))
{
	size_t note = NAMES * UUID_TEXT, count = (n->ids.len + note) / note, i;
	const char **items;

	mem_reset(&n->mem);
	memset(&n->params, 0, sizeof(n->params));
	memset(&n->query, 0, sizeof(n->query));
	n->params.mem = &n->mem;
	items = mem_array(&n->mem, count, sizeof(*items));
	for (i = 0; items != NULL && i < count; i++) {
		size_t left = n->ids.len - i * note;

		items[i] = mem_strndup(&n->mem, n->ids.data + i * note,
		    left < note ? left : note - 1);
	}
	buf_reset(&n->ids);
	if (mem_failed(&n->mem))
		return;
	sql_text_array(&n->params, items, count);
	n->query.sql = sql;
	n->query.params = &n->params;
	n->query.done = done;
	n->sending = query_submit(POOL_SYSTEM, &n->query) == 0;
}

static void
watch_sent(struct query *q)
{
	query_clear(q);
	remote.watch.sending = false;
	if (remote.watch_again)
		live_remote_watch();
}

static void
watch_one(void *arg, const struct live_topic *t)
{
	notes_add(arg, &t->execution);
}

void
live_remote_watch(void)
{
	remote.watch_again = remote.watch.sending;
	if (remote.watch.sending)
		return;
	remote.watched_ns = clock_mono_ns();
	live_topics_away(watch_one, &remote.watch);
	if (remote.watch.ids.len > 0)
		notes_send(&remote.watch, &SQL_LIVE_WATCH, watch_sent);
}

static _Atomic uint32_t *
wanted(const struct uuid *id)
{
	return &remote.wanted[live_hash(id) % WORDS];
}

static void
told(struct query *q)
{
	query_clear(q);
	remote.tell.sending = false;
	if (remote.tell.ids.len > 0)
		notes_send(&remote.tell, &SQL_LIVE_TELL, told);
}

void
live_tell(const struct journal_entry *entries, size_t n)
{
	uint32_t now = now_s();
	size_t i;

	for (i = 0; i < n; i++)
		if (atomic_load_explicit(wanted(&entries[i].execution),
			memory_order_relaxed) > now)
			notes_add(&remote.tell, &entries[i].execution);
	if (remote.tell.ids.len > 0 && !remote.tell.sending)
		notes_send(&remote.tell, &SQL_LIVE_TELL, told);
}

/* --- receiving ------------------------------------------------------------ */

/* The next of ids that are separated by spaces; NULL: no more. */
static const char *
next_id(const char *text, struct uuid *id)
{
	if (text == NULL || strlen(text) < UUID_TEXT - 1 ||
	    !uuid_parse(text, UUID_TEXT - 1, id))
		return NULL;
	text += UUID_TEXT - 1;
	return text + (*text == ' ');
}

/* NOTIFY open_watch */
static void
watched(const char *payload)
{
	struct uuid id;

	while ((payload = next_id(payload, &id)) != NULL)
		atomic_store(wanted(&id), now_s() + WATCH_S);
}

/* NOTIFY open_events or open_control; NULL: some may have been missed. */
static void
happened(const char *payload)
{
	struct live_topic *t;
	struct uuid id;

	if (payload == NULL)
		live_topics_look(NULL);
	while ((payload = next_id(payload, &id)) != NULL)
		if ((t = live_topic_find(&id)) != NULL && t->away)
			live_topic_look(t);
}

static bool
is_due(struct live_topic *t)
{
	int64_t limit = clock_mono_ns() - INT64_C(1000000000) * WATCH_S / 3;

	if (!t->away || t->looked_ns > limit || remote.budget == 0)
		return false;
	remote.budget--;
	return true;
}

static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t limit = clock_mono_ns() - INT64_C(1000000000) * WATCH_S / 3;

	(void)arg;
	(void)now_ms;
	remote.budget = LOOKS;
	live_topics_look(is_due);
	if (remote.watched_ns < limit)
		live_remote_watch();
}

/* --- start ---------------------------------------------------------------- */

int
live_feed_create(void)
{
	remote.wanted = mmap(NULL, WORDS * sizeof(*remote.wanted),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return remote.wanted == MAP_FAILED ? -1 : 0;
}

void
live_remote_start(void)
{
	mem_create(&remote.watch.mem, 0);
	mem_create(&remote.tell.mem, 0);
	buf_create(&remote.watch.ids, 0);
	buf_create(&remote.tell.ids, 0);
	database_listen("open_watch", watched);
	database_listen("open_events", happened);
	database_listen("open_control", happened);
	kore_timer_add(tick, TICK_MS, NULL, 0);
}
