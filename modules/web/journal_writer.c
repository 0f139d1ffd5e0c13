/* journal_writer.c - from the arena's journal to PostgreSQL, one batch at a
 * time.
 *
 *   idle ──(journal_fd, or more to collect)──► writing ──► idle
 *                                                 │ database away, full
 *                                                 └──► waiting ──(timer)──► idle
 *
 * What could not be written stays in shared memory and is offered again; when
 * that is full the executor refuses new executions. A batch that the database
 * refuses for what is in it is halved down to the one entry at fault, which is
 * then written without results, or given up with an error in the log.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/database.h"
#include "web/journal_batch.h"
#include "web/kore_api.h"
#include "web/lease.h"
#include "web/live_feed.h"
#include "web/log.h"
#include "web/server.h"
#include "web_sql.h"

#define ENTRIES_MAX    512
#define BYTES_MAX      (8u << 20)
#define TICK_MS	       50
#define CALM_MS	       5  /* from one batch to the next, */
#define CALM_BUSY_MS   10 /* after one of so many: */
#define BUSY	       8
#define BACKOFF_MIN_NS (INT64_C(100) * 1000000)
#define BACKOFF_MAX_NS (INT64_C(2000) * 1000000)

static struct {
	struct kore_event event; /* first: Kore's event loop asks for it */
	struct query query;
	struct journal_batch batch;
	struct journal_entry entries[ENTRIES_MAX];
	size_t count; /* entries under way; 0: idle */
	size_t limit; /* of a batch; lower while one entry is looked for */
	bool bare;    /* the entry at fault is tried without results */
	bool more;    /* something came while a batch was under way */
	/* The last batch held only runs that had ended: so long after it was
	 * sent the next may wait. 0: it is written at once. */
	int64_t calm_ms;
	bool soon; /* a timer will write the next batch */
	int64_t sent_ns;
	int64_t backoff_ns, wait_until; /* 0: the database answers */
} writer;

static void written(struct query *);
static void write_batch(void);

static void
give_back(const char *why)
{
	journal_failed(server.exec, writer.entries, writer.count);
	writer.count = 0;
	writer.more = true;
	atomic_fetch_add(&server.mine->journal_failures, 1);
	if (writer.backoff_ns == 0)
		log_error("journal: %s; it waits", why);
	writer.backoff_ns =
	    writer.backoff_ns == 0 ? BACKOFF_MIN_NS : writer.backoff_ns * 2;
	if (writer.backoff_ns > BACKOFF_MAX_NS)
		writer.backoff_ns = BACKOFF_MAX_NS;
	writer.wait_until = clock_mono_ns() + writer.backoff_ns;
}

static void
soon(void *arg, u_int64_t now)
{
	(void)arg;
	(void)now;
	writer.soon = false;
	write_batch();
}

/* Short runs, one after the other: a commit for each takes the database's time
 * from the starts that it should follow, so they wait for one another a little.
 * Whatever still runs may wait for the journal and is written at once. */
static bool
is_calm(void)
{
	int64_t left =
	    writer.calm_ms - (clock_mono_ns() - writer.sent_ns) / 1000000;

	if (writer.calm_ms == 0 || left <= 0)
		return false;
	writer.more = true;
	if (!writer.soon)
		kore_timer_add(soon, (u_int64_t)left, NULL, KORE_TIMER_ONESHOT);
	writer.soon = true;
	return true;
}

static void
write_batch(void)
{
	struct database_status status;
	size_t n, fits;

	if (writer.count != 0 || writer.wait_until != 0 || is_calm() ||
	    lease_epoch() == 0)
		return;
	/* Without a connection its type is unknown. */
	database_status(POOL_JOURNAL, &status);
	if (!status.reached)
		return;
	writer.more = false;
	n = journal_collect(server.exec, writer.entries, writer.limit);
	if (n == 0)
		return;
	fits = journal_batch_encode(&writer.batch, server.exec, writer.entries,
	    n, database_entry_oid(POOL_JOURNAL), BYTES_MAX, writer.bare);
	if (fits < n) {
		journal_failed(server.exec, writer.entries + fits, n - fits);
		writer.more = true;
	}
	writer.count = fits;
	writer.sent_ns = clock_mono_ns();
	if (fits == 0) {
		give_back("out of memory");
		return;
	}
	writer.query.sql =
	    writer.batch.statuses > 0 ? &SQL_JOURNAL : &SQL_JOURNAL_HISTORY;
	sql_uuid(&writer.batch.params, &server.id);
	sql_int(&writer.batch.params, lease_epoch());
	if (writer.batch.statuses > 0)
		sql_int(&writer.batch.params, (int64_t)server.worker);
	writer.query.params = &writer.batch.params;
	writer.query.done = written;
	if (query_submit(POOL_JOURNAL, &writer.query) != 0)
		give_back("no database");
}

static bool
have_ended(const struct journal_entry *e, size_t n)
{
	while (n > 0 && e->status_changed && e->completed_us != 0) {
		e++;
		n--;
	}
	return n == 0;
}

static void
batch_done(void)
{
	writer.calm_ms = 0;
	if (have_ended(writer.entries, writer.count))
		writer.calm_ms = writer.count < BUSY ? CALM_MS : CALM_BUSY_MS;
	atomic_fetch_add(&server.mine->journal_batches, 1);
	atomic_fetch_add(&server.mine->journal_entries, writer.count);
	atomic_fetch_add(&server.mine->journal_nodes, writer.batch.nodes);
	live_tell(writer.entries, writer.count);
	journal_committed_quietly(server.exec, writer.entries, writer.count);
	if (writer.backoff_ns != 0)
		log_info("journal: the database takes it again");
	writer.backoff_ns = 0;
	writer.bare = false;
	writer.limit =
	    writer.limit * 2 > ENTRIES_MAX ? ENTRIES_MAX : writer.limit * 2;
	writer.more = true; /* nobody tells of what is there by now */
	writer.count = 0;
}

/* The database will never take these bytes. */
static void
batch_refused(const struct query *q)
{
	char id[UUID_TEXT];

	uuid_format(&writer.entries[0].execution, id);
	log_error("journal: %zu entries, first of execution %s: %s %s",
	    writer.count, id, q->sqlstate, q->message);
	if (writer.count > 1) {
		writer.limit = (writer.count + 1) / 2;
	} else if (!writer.bare && strcmp(q->sqlstate, "23503") != 0) {
		writer.bare = true;
		writer.limit = 1;
	} else {
		log_error("journal: execution %s: %u completions of nodes are "
			  "not recorded",
		    id, writer.entries[0].count);
		writer.batch.nodes = 0;
		batch_done();
		return;
	}
	journal_failed(server.exec, writer.entries, writer.count);
	writer.count = 0;
	writer.more = true;
}

static void
written(struct query *q)
{
	if (q->outcome == QUERY_OK)
		batch_done();
	else if (lease_refused(q))
		give_back("the lease is over");
	else if (query_refused(q))
		batch_refused(q);
	else
		give_back(q->message);
	query_clear(q);
	write_batch();
}

static void
readable(void *arg, int error)
{
	uint64_t n;

	(void)arg;
	(void)error;
	writer.event.flags = 0;
	if (read(journal_fd(server.exec), &n, sizeof(n)) != sizeof(n))
		return;
	writer.more = true;
	write_batch();
}

static void
tick(void *arg, u_int64_t now)
{
	(void)arg;
	(void)now;
	if (writer.wait_until != 0 && clock_mono_ns() >= writer.wait_until)
		writer.wait_until = 0;
	if (writer.more)
		write_batch();
}

void
journal_start(void)
{
	writer.event.type = KORE_TYPE_TASK;
	writer.event.handle = readable;
	writer.limit = ENTRIES_MAX;
	writer.more = true;
	journal_batch_create(&writer.batch);
	kore_platform_event_schedule(
	    journal_fd(server.exec), EPOLLIN, 0, &writer);
	kore_timer_add(tick, TICK_MS, NULL, 0);
}

void
journal_flush(int timeout_ms)
{
	int64_t end = clock_mono_ns() + (int64_t)timeout_ms * 1000000;

	do {
		writer.more = true;
		writer.calm_ms = 0;
		tick(NULL, 0);
		if (writer.count == 0)
			return; /* nothing to write, or nowhere */
		database_pump(20);
	} while (clock_mono_ns() < end);
}
