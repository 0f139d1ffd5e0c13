/* lease.c - begin, renewal and end of this server's lease. */

#include <sys/mman.h>

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/kore_api.h"
#include "web/lease.h"
#include "web/log.h"
#include "web/server.h"
#include "web_sql.h"

#define TICK_MS 200
#define VERSION "0.3"

struct shared {
	_Atomic int64_t epoch; /* 0: none yet */
	_Atomic int64_t guard_ns;
	_Atomic int64_t asked_ns;   /* the last question was sent; 0: none */
	_Atomic int64_t renewed_ns; /* the last that was granted was sent */
	_Atomic uint32_t others;
	_Atomic bool fenced;
};

static struct shared *shared;
static char host[256];
static struct {
	struct query query;
	struct sql_params params;
	struct mem mem;
	bool asking;
	int64_t sent_ns;
} state;

int
lease_create(struct err *e)
{
	void *p = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return err_set(e, "shared_memory", "%s", strerror(errno));
	shared = p;
	gethostname(host, sizeof(host) - 1); /* the workers may not */
	return 0;
}

const _Atomic int64_t *
lease_guard(void)
{
	return &shared->guard_ns;
}

int64_t
lease_epoch(void)
{
	return atomic_load(&shared->fenced) ? 0 : atomic_load(&shared->epoch);
}

bool
lease_fenced(void)
{
	return atomic_load(&shared->fenced);
}

unsigned
lease_others(void)
{
	return atomic_load(&shared->others);
}

int64_t
lease_age_ns(void)
{
	int64_t renewed = atomic_load(&shared->renewed_ns);

	return renewed == 0 ? -1 : clock_mono_ns() - renewed;
}

/* --- fenced --------------------------------------------------------------- */

static void
fenced(void)
{
	atomic_store(&shared->guard_ns, 0);
	if (atomic_exchange(&shared->fenced, true))
		return;
	log_error("lease: epoch %" PRId64 " of this server is over: it was "
		  "away for longer than its lease, and others have taken over "
		  "its executions. It ends now and must be started again.",
	    atomic_load(&shared->epoch));
	kore_shutdown();
}

bool
lease_refused(const struct query *q)
{
	if (q->outcome != QUERY_ERROR || strcmp(q->sqlstate, "OP001") != 0)
		return false;
	fenced();
	return true;
}

/* --- begin and renewal ---------------------------------------------------- */

/* A tenth less than the database counts: for what was decided just before the
 * end and is still on its way. */
static void
grant(int64_t sent_ns)
{
	int64_t lease = server.config.lease;

	atomic_store(&shared->renewed_ns, sent_ns);
	atomic_store(&shared->guard_ns, sent_ns + lease - lease / 10);
}

static void
begun(const struct sql_rows *rows)
{
	int64_t epoch = sql_get_int(rows, 0, 0);

	log_info("lease: this server's epoch is %" PRId64, epoch);
	grant(state.sent_ns);
	atomic_store(&shared->others, (uint32_t)sql_get_int(rows, 0, 1));
	atomic_store(&shared->epoch, epoch);
}

static void
renewed(const struct sql_rows *rows)
{
	if (!sql_get_bool(rows, 0, 0)) {
		fenced();
		return;
	}
	atomic_store(&shared->others, (uint32_t)sql_get_int(rows, 0, 1));
	grant(state.sent_ns);
}

static void
answered(struct query *q)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;

	state.asking = false;
	if (q->outcome == QUERY_ERROR)
		log_error("lease: %s %s", q->sqlstate, q->message);
	if (q->outcome == QUERY_OK && !lease_fenced()) {
		if (q->sql == &SQL_LEASE_BEGIN)
			begun(rows);
		else
			renewed(rows);
	}
	query_clear(q);
}

static void
ask(const struct sql *sql)
{
	char lease[32];
	int64_t epoch = atomic_load(&shared->epoch);

	mem_reset(&state.mem);
	memset(&state.params, 0, sizeof(state.params));
	state.params.mem = &state.mem;
	snprintf(lease, sizeof(lease), "%lld milliseconds",
	    (long long)(server.config.lease / 1000000));
	sql_uuid(&state.params, &server.id);
	sql_text(&state.params, mem_strdup(&state.mem, lease));
	if (sql == &SQL_LEASE_RENEW) {
		sql_int(&state.params, epoch);
	} else {
		sql_text(&state.params, VERSION);
		sql_text(&state.params, host);
		sql_text(&state.params, server.config.listen);
	}
	state.query.sql = sql;
	state.query.params = &state.params;
	state.query.done = answered;
	state.sent_ns = clock_mono_ns();
	atomic_store(&shared->asked_ns, state.sent_ns);
	state.asking = !mem_failed(&state.mem) &&
		       query_submit(POOL_SYSTEM, &state.query) == 0;
}

/* Which worker asks: whoever finds that it is time. */
static bool
my_turn(int64_t now)
{
	int64_t asked = atomic_load(&shared->asked_ns);

	return now - asked >= server.config.lease / 3 &&
	       atomic_compare_exchange_strong(&shared->asked_ns, &asked, now);
}

/* Alone, nobody takes over while the database is away; but a guard that is over
 * is renewed only by the database. */
static void
go_on_alone(int64_t now)
{
	int64_t guard = atomic_load(&shared->guard_ns);
	int64_t lease = server.config.lease;

	if (atomic_load(&shared->others) == 0 && now < guard &&
	    guard < now + lease / 2)
		atomic_compare_exchange_strong(
		    &shared->guard_ns, &guard, now + lease / 2);
}

static void
tick(void *arg, u_int64_t now_ms)
{
	int64_t now = clock_mono_ns();

	(void)arg;
	(void)now_ms;
	if (atomic_load(&shared->fenced))
		return;
	if (atomic_load(&shared->epoch) == 0) {
		/* One worker only, for each question makes an epoch. */
		if (server.worker == 0 && !state.asking)
			ask(&SQL_LEASE_BEGIN);
		return;
	}
	go_on_alone(now);
	if (!state.asking && my_turn(now))
		ask(&SQL_LEASE_RENEW);
}

void
lease_start(void)
{
	mem_create(&state.mem, 0);
	tick(NULL, 0);
	kore_timer_add(tick, TICK_MS, NULL, 0);
}

/* --- the end -------------------------------------------------------------- */

static PGconn *
connect_now(void)
{
	const char *keys[] = {"dbname", "connect_timeout", "options", NULL};
	const char *values[] = {
	    NULL, "3", "-c role=open_system -c statement_timeout=3000", NULL};
	struct buf url;
	PGconn *db = NULL;

	buf_create(&url, 0);
	config_database(&server.config, false, &url);
	values[0] = url.data;
	if (!buf_failed(&url))
		db = PQconnectdbParams(keys, values, 1);
	buf_free(&url);
	return db;
}

void
lease_end(void)
{
	char id[UUID_TEXT], epoch[24];
	const char *values[] = {id, epoch};
	PGconn *db;
	PGresult *r;

	if (lease_epoch() == 0 || (db = connect_now()) == NULL)
		return;
	uuid_format(&server.id, id);
	snprintf(epoch, sizeof(epoch), "%" PRId64, lease_epoch());
	r = PQexecParams(
	    db, SQL_LEASE_END.text, 2, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_TUPLES_OK)
		log_warning("lease: not ended, so others wait until it is "
			    "over: %s",
		    PQerrorMessage(db));
	PQclear(r);
	PQfinish(db);
}
