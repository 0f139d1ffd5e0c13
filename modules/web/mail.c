/* mail.c - the outbox: takes mails that are due, renders them, hands them to
 * the SMTP thread, and writes down what became of them.
 *
 *   tick, NOTIFY open_outbox ─► claim ─► render ─► smtp thread
 *                                 ▲                   │ eventfd
 *                                 └── all recorded ◄── record, one by one
 */
#include "web/mail.h"

#include <sys/eventfd.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "web/credential.h"
#include "web/database.h"
#include "web/kore_api.h"
#include "web/log.h"
#include "web/mail_message.h"
#include "web/mail_smtp.h"
#include "web/mail_text.h"
#include "web/server.h"
#include "web_sql.h"

#define TICK_MS	     1000
#define STATUS_TICKS 10
#define LEASE_EXTRA  (INT64_C(30) * 1000000000) /* beyond twice mail_timeout */
#define RETRY_MAX    (INT64_C(3600) * 1000000000)

static struct smtp_settings settings; /* url NULL: there is no server */
static char from_address[MAIL_ADDRESS_MAX + 1];

int
mail_create(struct err *e)
{
	const struct config *c = &server.config;
	struct err why;

	if (mail_text_create(c, e) != 0)
		return -1;
	if (c->smtp_url[0] == '\0')
		return 0;
	err_clear(&why);
	if (smtp_url_check(c->smtp_url, &why) != 0)
		return err_set(
		    e, "invalid_value", "smtp_url %.400s", why.message);
	mail_from_parse(c->mail_from, from_address);
	settings.url = c->smtp_url;
	settings.password = c->smtp_password;
	settings.ca_file = c->smtp_ca_file;
	settings.from = from_address;
	settings.tls = (enum smtp_tls)c->smtp_tls;
	settings.timeout_ns = c->mail_timeout;
	return 0;
}

/* --- state of the first worker -------------------------------------------- */

struct entry {
	struct uuid id;
	int64_t attempt, age_ms;
	struct smtp_mail mail;
	bool ended;  /* its outcome is there, to be recorded */
	bool logged; /* and counted */
	const char *template;
};

static struct {
	struct kore_event event; /* first: Kore's event loop asks for it */
	int fd;
	struct query claim, record, status;
	struct sql_params claim_params, record_params;
	struct mem mem;	       /* of the batch */
	struct mem record_mem; /* of one statement */
	char tokens[SMTP_AT_ONCE][MAIL_TOKENS][CREDENTIAL_TEXT];
	struct entry batch[SMTP_AT_ONCE];
	unsigned count; /* entries; 0: idle */
	unsigned open;	/* entries not recorded */
	bool claiming, recording, asking;
	bool more; /* a full batch: look again at once */
	bool told; /* that there is no smtp_url */
	unsigned ticks;
	struct entry *current; /* being recorded */
} outbox = {.fd = -1};

static void claim(void);
static void record_next(void);

/* --- taking --------------------------------------------------------------- */

static void
batch_end(void)
{
	bool more = outbox.more;

	outbox.count = 0;
	outbox.more = false;
	OPENSSL_cleanse(outbox.tokens, sizeof(outbox.tokens));
	if (more)
		claim();
}

/* Its outcome is known; it will be recorded. */
static void
entry_fail(struct entry *entry, enum smtp_outcome outcome, const char *error)
{
	size_t len = strnlen(error, sizeof(entry->mail.error) - 1);

	entry->mail.outcome = outcome;
	memcpy(entry->mail.error, error, len);
	entry->mail.error[len] = '\0';
	entry->ended = true;
}

static void
entry_render(struct entry *entry, const struct sql_rows *rows, int row)
{
	enum mail_token kind = mail_text_token(entry->template);
	int64_t place = sql_get_int(rows, row, 0);
	struct mail_text text = {.id = entry->id,
	    .recipient = entry->mail.recipient,
	    .template = entry->template,
	    .data = sql_get(rows, row, 4),
	    .data_len = sql_get_len(rows, row, 4),
	    .time = sql_get(rows, row, 7)};
	struct buf message;
	struct err e;

	if (place < 1 || place > SMTP_AT_ONCE)
		return;
	if (kind < MAIL_TOKENS)
		text.token = outbox.tokens[place - 1][kind];
	err_clear(&e);
	buf_create(&message, 0);
	if (mail_text_render(&text, &outbox.mem, &message, &e) == 0)
		entry->mail.text = buf_take(&message, &entry->mail.len);
	else
		entry_fail(entry, SMTP_REFUSED, e.message);
	buf_free(&message);
}

static struct entry *
entry_take(const struct sql_rows *rows, int row)
{
	struct entry *entry = &outbox.batch[outbox.count];

	memset(entry, 0, sizeof(*entry));
	if (!sql_get_uuid(rows, row, 1, &entry->id))
		return NULL;
	entry->mail.recipient = mem_strdup(&outbox.mem, sql_get(rows, row, 2));
	entry->template = mem_strdup(&outbox.mem, sql_get(rows, row, 3));
	if (mem_failed(&outbox.mem))
		return NULL; /* its lease will end */
	entry->attempt = sql_get_int(rows, row, 5);
	entry->age_ms = sql_get_int(rows, row, 6);
	outbox.count++;
	return entry;
}

/* Those that can be sent, in a row of their own for the thread. */
static void
batch_send(void)
{
	static struct smtp_mail mails[SMTP_AT_ONCE];
	unsigned i, n = 0;

	for (i = 0; i < outbox.count; i++) {
		if (outbox.batch[i].ended)
			continue;
		mails[n] = outbox.batch[i].mail;
		mails[n++].index = i;
	}
	if (n == 0 || smtp_send(mails, n))
		return;
	for (i = 0; i < outbox.count; i++)
		if (!outbox.batch[i].ended)
			entry_fail(&outbox.batch[i], SMTP_AGAIN,
			    "the server has no thread for mail");
}

static void
claimed(struct query *q)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;
	struct entry *entry;
	int row;

	outbox.claiming = false;
	if (q->outcome == QUERY_ERROR)
		log_error("mail: %s %s", q->sqlstate, q->message);
	for (row = 0; q->outcome == QUERY_OK && row < sql_count(rows) &&
		      row < SMTP_AT_ONCE;
	     row++) {
		if ((entry = entry_take(rows, row)) == NULL)
			continue;
		entry_render(entry, rows, row);
	}
	query_clear(q);
	outbox.open = outbox.count;
	outbox.more = outbox.count > 0;
	batch_send();
	record_next();
}

/* New tokens; their hashes in hexadecimal, in the order that mail_claim wants.
 */
static bool
tokens_make(const char *hashes[SMTP_AT_ONCE * MAIL_TOKENS])
{
	static const enum credential_kind kinds[MAIL_TOKENS] = {
	    CREDENTIAL_RESET, CREDENTIAL_CONFIRM, CREDENTIAL_INVITATION};
	uint8_t hash[CREDENTIAL_HASH];
	unsigned i, k;
	struct err e;
	char *text;

	err_clear(&e);
	for (i = 0; i < SMTP_AT_ONCE * MAIL_TOKENS; i++) {
		text = outbox.tokens[i / MAIL_TOKENS][i % MAIL_TOKENS];
		if (credential_new(kinds[i % MAIL_TOKENS], text, &e) != 0) {
			log_error("mail: %s", e.message);
			return false;
		}
		credential_hash(text, CREDENTIAL_LEN, hash);
		text = mem_alloc(&outbox.mem, CREDENTIAL_HASH * 2 + 1);
		for (k = 0; k < CREDENTIAL_HASH && text != NULL; k++)
			sprintf(text + (size_t)k * 2, "%02x", hash[k]);
		hashes[i] = text;
	}
	return !mem_failed(&outbox.mem);
}

static void
claim(void)
{
	const char *hashes[SMTP_AT_ONCE * MAIL_TOKENS];

	if (outbox.claiming || outbox.count > 0 || settings.url == NULL)
		return;
	mem_reset(&outbox.mem);
	memset(&outbox.claim_params, 0, sizeof(outbox.claim_params));
	outbox.claim_params.mem = &outbox.mem;
	if (!tokens_make(hashes))
		return;
	sql_text_array(
	    &outbox.claim_params, hashes, SMTP_AT_ONCE * MAIL_TOKENS);
	sql_int(&outbox.claim_params,
	    (2 * settings.timeout_ns + LEASE_EXTRA) / 1000000);
	outbox.claim.sql = &SQL_MAIL_CLAIM;
	outbox.claim.params = &outbox.claim_params;
	outbox.claim.done = claimed;
	outbox.claiming = query_submit(POOL_SYSTEM, &outbox.claim) == 0;
}

/* --- recording ------------------------------------------------------------ */

/* Until it is due again: doubles with each attempt, up to an hour, give or take
 * a tenth; -1: never. */
static int64_t
wait_ms(const struct entry *entry)
{
	int64_t ns = server.config.mail_retry, i;
	uint32_t dice = 0;

	if (entry->mail.outcome == SMTP_REFUSED ||
	    entry->age_ms >= server.config.mail_give_up / 1000000)
		return -1;
	for (i = 1; i < entry->attempt && ns < RETRY_MAX; i++)
		ns *= 2;
	if (ns > RETRY_MAX)
		ns = RETRY_MAX;
	RAND_bytes((unsigned char *)&dice, sizeof(dice));
	ns = ns / 10 * 9 + ns / 5 / 1000 * (int64_t)(dice % 1000);
	return ns / 1000000 + 1;
}

static void
recorded(struct query *q)
{
	struct entry *entry = outbox.current;

	outbox.recording = false;
	outbox.current = NULL;
	if (q->outcome == QUERY_ERROR)
		log_error("mail: %s %s", q->sqlstate, q->message);
	if (q->outcome == QUERY_UNAVAILABLE || q->outcome == QUERY_LOST) {
		query_clear(q);
		return; /* the tick tries again: it was sent, or not */
	}
	query_clear(q);
	entry->ended = false;
	free((char *)(uintptr_t)entry->mail.text);
	entry->mail.text = NULL;
	outbox.open--;
	record_next();
}

static void
count_and_log(const struct entry *entry, int64_t wait)
{
	char id[UUID_TEXT];

	uuid_format(&entry->id, id);
	if (entry->mail.outcome == SMTP_SENT) {
		atomic_fetch_add(&server.mine->mails_sent, 1);
		log_debug("mail: %s (%s) sent", id, entry->template);
		return;
	}
	atomic_fetch_add(&server.mine->mail_failures, 1);
	if (wait < 0)
		atomic_fetch_add(&server.mine->mails_given_up, 1);
	log_warning("mail: %s (%s), attempt %lld: %s; %s", id, entry->template,
	    (long long)entry->attempt, entry->mail.error,
	    wait < 0 ? "given up" : "tried again later");
}

static void
record(struct entry *entry)
{
	bool sent = entry->mail.outcome == SMTP_SENT;
	int64_t wait = sent ? 0 : wait_ms(entry);

	mem_reset(&outbox.record_mem);
	memset(&outbox.record_params, 0, sizeof(outbox.record_params));
	outbox.record_params.mem = &outbox.record_mem;
	sql_uuid(&outbox.record_params, &entry->id);
	if (!sent) {
		sql_int(&outbox.record_params, entry->attempt);
		sql_text(&outbox.record_params, entry->mail.error);
		if (wait < 0)
			sql_null(&outbox.record_params);
		else
			sql_int(&outbox.record_params, wait);
	}
	outbox.record.sql = sent ? &SQL_MAIL_SENT : &SQL_MAIL_FAILED;
	outbox.record.params = &outbox.record_params;
	outbox.record.done = recorded;
	outbox.recording = query_submit(POOL_SYSTEM, &outbox.record) == 0;
	if (!outbox.recording)
		return;
	outbox.current = entry;
	if (!entry->logged)
		count_and_log(entry, wait);
	entry->logged = true;
}

static void
record_next(void)
{
	unsigned i;

	if (outbox.recording || outbox.count == 0)
		return;
	if (outbox.open == 0) {
		batch_end();
		return;
	}
	for (i = 0; i < outbox.count; i++)
		if (outbox.batch[i].ended) {
			record(&outbox.batch[i]);
			return;
		}
}

/* --- the thread has news -------------------------------------------------- */

static void
tell(void)
{
	uint64_t one = 1;

	/* A full counter wakes the loop as well. */
	if (write(outbox.fd, &one, sizeof(one)) != sizeof(one))
		return;
}

static void
readable(void *arg, int error)
{
	struct smtp_mail *mail;
	struct entry *entry;
	uint64_t n;

	(void)arg;
	(void)error;
	outbox.event.flags = 0;
	if (read(outbox.fd, &n, sizeof(n)) != sizeof(n))
		return;
	while ((mail = smtp_take()) != NULL) {
		entry = &outbox.batch[mail->index];
		entry_fail(entry, mail->outcome, mail->error);
	}
	record_next();
}

/* --- the queue's length ---------------------------------------------------- */

static void
looked(struct query *q)
{
	const struct sql_rows *rows =
	    (const struct sql_rows *)(const void *)q->result;
	int64_t waiting;

	outbox.asking = false;
	if (q->outcome == QUERY_ERROR)
		log_error("mail: %s %s", q->sqlstate, q->message);
	if (q->outcome == QUERY_OK && sql_count(rows) == 1) {
		waiting = sql_get_int(rows, 0, 0);
		atomic_store(&server.mine->mails_waiting, waiting);
		atomic_store(
		    &server.mine->mails_failed, sql_get_int(rows, 0, 1));
		if (waiting > 0 && settings.url == NULL && !outbox.told) {
			log_warning("mail: smtp_url is not set: mails stay in "
				    "the outbox");
			outbox.told = true;
		}
	}
	query_clear(q);
}

static void
look(void)
{
	if (outbox.asking)
		return;
	outbox.status.sql = &SQL_MAIL_STATUS;
	outbox.status.params = NULL;
	outbox.status.done = looked;
	outbox.asking = query_submit(POOL_SYSTEM, &outbox.status) == 0;
}

static void
tick(void *arg, u_int64_t now_ms)
{
	(void)arg;
	(void)now_ms;
	record_next();
	claim();
	if (outbox.ticks++ % STATUS_TICKS == 0)
		look();
}

/* NOTIFY open_outbox. */
static void
filled(const char *payload)
{
	(void)payload;
	outbox.more = outbox.count > 0;
	claim();
}

int
mail_init(void)
{
	if (server.worker != 0)
		return 0;
	outbox.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return outbox.fd == -1 ? -1 : 0;
}

void
mail_start(void)
{
	struct err e;

	if (server.worker != 0)
		return;
	mem_create(&outbox.mem, 0);
	mem_create(&outbox.record_mem, 0);
	err_clear(&e);
	if (settings.url != NULL && smtp_start(&settings, tell, &e) != 0) {
		log_error("mail: %s", e.message);
		settings.url = NULL;
	}
	outbox.event.type = KORE_TYPE_TASK;
	outbox.event.handle = readable;
	kore_platform_event_schedule(outbox.fd, EPOLLIN, 0, &outbox);
	kore_timer_add(tick, TICK_MS, NULL, 0);
	database_listen("open_outbox", filled);
}

void
mail_stop(void)
{
	if (server.worker == 0)
		smtp_stop();
}
