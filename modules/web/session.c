/* session.c - who asks: the bearer token, its holder, and what a worker
 * remembers of it.
 *
 * Cache:    a fixed table by the token's SHA-256, four places per bucket; an
 *           entry lives for the setting token_cache, or until its token
 *           changed (NOTIFY open_tokens), or until the token expires. Tokens
 *           that nobody holds are not remembered.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "web/limits.h"
#include "web/request.h"
#include "web/session.h"
#include "web_sql.h"

#define BUCKETS 1024
#define WAYS	4

struct session {
	uint8_t hash[SHA256_SIZE];
	int64_t until_ns;   /* 0: free */
	int64_t expires_ns; /* 0: never */
	struct uuid organization, user, token;
	bool admin, session;
	unsigned scopes;
	unsigned exceeded; /* quotas */
	char *settings;	   /* JSON */
	size_t settings_len;
};

static struct session sessions[BUCKETS][WAYS];
static int64_t cache_ns;
static uint64_t epoch; /* counts what was forgotten */

/* --- cache ---------------------------------------------------------------- */

static struct session *
bucket(const uint8_t hash[SHA256_SIZE])
{
	unsigned i;

	memcpy(&i, hash, sizeof(i));
	return sessions[i % BUCKETS];
}

static void
forget(struct session *s)
{
	free(s->settings);
	memset(s, 0, sizeof(*s));
}

static struct session *
find(const uint8_t hash[SHA256_SIZE])
{
	struct session *s = bucket(hash);
	unsigned i;

	for (i = 0; i < WAYS; i++, s++)
		if (s->until_ns != 0 &&
		    CRYPTO_memcmp(s->hash, hash, SHA256_SIZE) == 0)
			return s;
	return NULL;
}

/* A free place, or the one that ends first. */
static struct session *
place(const uint8_t hash[SHA256_SIZE])
{
	struct session *s = find(hash), *b;
	unsigned i;

	if (s == NULL) {
		s = b = bucket(hash);
		for (i = 1; i < WAYS; i++)
			if (b[i].until_ns < s->until_ns)
				s = &b[i];
	}
	forget(s);
	return s;
}

/* NOTIFY open_tokens: the hash in hex; NULL: some may have been missed. */
static void
tokens_changed(const char *payload)
{
	uint8_t hash[SHA256_SIZE];
	unsigned i, high, low;
	struct session *s;

	epoch++;
	if (payload != NULL && strlen(payload) == SHA256_SIZE * 2) {
		for (i = 0; i < SHA256_SIZE; i++) {
			high = (unsigned)OPENSSL_hexchar2int(
			    (unsigned char)payload[i * 2]);
			low = (unsigned)OPENSSL_hexchar2int(
			    (unsigned char)payload[i * 2 + 1]);
			hash[i] = (uint8_t)(high << 4 | low);
		}
		if ((s = find(hash)) != NULL)
			forget(s);
		return;
	}
	for (i = 0; i < BUCKETS * WAYS; i++)
		forget(&sessions[i / WAYS][i % WAYS]);
}

void
session_forget(const struct uuid *organization)
{
	unsigned i;

	epoch++;
	for (i = 0; i < BUCKETS * WAYS; i++)
		if (uuid_equal(&sessions[i / WAYS][i % WAYS].organization,
			organization))
			forget(&sessions[i / WAYS][i % WAYS]);
}

void
session_init(const struct config *c)
{
	cache_ns = c->token_cache;
	database_listen("open_tokens", tokens_changed);
}

/* --- a request's ---------------------------------------------------------- */

static enum flow_next
refuse(
    struct flow *f, const char *challenge, const char *code, const char *detail)
{
	http_response_header(f->req, "www-authenticate", challenge);
	return flow_fail(f, 401, code, "%s", detail);
}

static enum flow_next
refuse_token(struct flow *f)
{
	return refuse(f, "Bearer error=\"invalid_token\"", "invalid_token",
	    "The token is unknown, expired or revoked.");
}

static enum flow_next
become(struct flow *f, const struct session *s)
{
	struct err e;

	if (s->expires_ns != 0 && s->expires_ns <= clock_mono_ns())
		return refuse_token(f);
	f->actor.organization = s->organization;
	f->actor.user = s->user;
	f->actor.token = s->token;
	f->actor.admin = s->admin;
	f->actor.role = s->admin ? ROLE_ADMIN : ROLE_USER;
	f->actor.session = s->session;
	f->actor.scopes = s->scopes;
	f->actor.exceeded = s->exceeded;
	err_clear(&e);
	if (json_parse(&f->mem, s->settings, s->settings_len, NULL,
		&f->actor.settings, &e) != 0)
		return flow_fail(f, 500, "internal",
		    "The organization's settings can't be read.");
	f->has_actor = true;
	return FLOW_NEXT;
}

/* "Bearer TOKEN", the scheme in either case (RFC 6750). */
static const char *
bearer(const char *header, size_t *len)
{
	if (strncasecmp(header, "bearer", 6) != 0 ||
	    strspn(header + 6, " ") == 0)
		return NULL;
	header += 6;
	header += strspn(header, " ");
	*len = strcspn(header, " \t");
	return *len == 0 || header[*len] != '\0' ? NULL : header;
}

static void
asked(struct query *q)
{
	struct flow *f = q->arg;

	f->asked = true;
	flow_wake(f);
}

enum flow_next
session_begin(struct flow *f)
{
	const char *header = flow_header(f, "authorization"), *token;
	struct session *s;
	size_t len;

	if (header == NULL)
		return refuse(f, "Bearer", "unauthorized",
		    "The request needs the header `Authorization: Bearer "
		    "TOKEN`.");
	if ((token = bearer(header, &len)) == NULL ||
	    !credential_is_formed(token, len, "st"))
		return refuse_token(f);
	credential_hash(token, len, f->token_hash);
	if ((s = find(f->token_hash)) != NULL) {
		if (s->until_ns > clock_mono_ns())
			return become(f, s);
		forget(s);
	}
	sql_bytes(flow_params(f), f->token_hash, SHA256_SIZE);
	f->session_epoch = epoch;
	f->asked_ns = clock_mono_ns();
	f->query.sql = &SQL_AUTHENTICATE;
	f->query.params = &f->params;
	f->query.actor = NULL;
	f->query.done = asked;
	f->query.arg = f;
	if (query_submit(POOL_API, &f->query) != 0)
		return flow_unavailable(f);
	return flow_wait(f);
}

/* Keeps what the database said, unless a token changed meanwhile. */
static void
remember(struct flow *f, const struct session *s)
{
	struct session *kept;
	char *settings;

	if (f->session_epoch != epoch || cache_ns == 0 ||
	    s->settings_len > SETTINGS_MAX ||
	    (settings = strndup(s->settings, s->settings_len)) == NULL)
		return;
	kept = place(f->token_hash);
	*kept = *s;
	kept->settings = settings;
	kept->until_ns = clock_mono_ns() + cache_ns;
}

enum flow_next
session_end(struct flow *f)
{
	const struct sql_rows *rows;
	struct session s;
	int64_t left_us;

	if (f->query.outcome != QUERY_OK)
		return flow_database(f);
	rows = flow_rows(f);
	if (sql_count(rows) == 0)
		return refuse_token(f);
	memset(&s, 0, sizeof(s));
	memcpy(s.hash, f->token_hash, SHA256_SIZE);
	sql_get_uuid(rows, 0, 0, &s.token);
	sql_get_uuid(rows, 0, 1, &s.organization);
	sql_get_uuid(rows, 0, 2, &s.user);
	s.admin = sql_get_bool(rows, 0, 3);
	s.settings = (char *)(uintptr_t)sql_get(rows, 0, 4);
	s.settings_len = sql_get_len(rows, 0, 4);
	left_us = sql_get_int(rows, 0, 5);
	s.expires_ns = left_us == 0 ? 0 : f->asked_ns + left_us * 1000;
	s.session = sql_get_bool(rows, 0, 7);
	s.scopes = s.session ? SCOPE_ALL : (unsigned)sql_get_int(rows, 0, 8);
	s.exceeded = (unsigned)sql_get_int(rows, 0, 9);
	remember(f, &s);
	return become(f, &s);
}

/* --- signing in ----------------------------------------------------------- */

/* User agents are bytes; the database takes text. */
static const char *
user_agent(struct flow *f)
{
	const char *text = flow_header(f, "user-agent");

	return text == NULL || utf8_valid(text, strlen(text)) != strlen(text)
		   ? ""
		   : text;
}

enum flow_next
session_create(struct flow *f, const struct uuid *user,
    const struct uuid *organization, char token[CREDENTIAL_TEXT])
{
	struct sql_params *params = flow_params(f);
	struct err e;

	err_clear(&e);
	if (credential_new(CREDENTIAL_SESSION, token, &e) != 0)
		return flow_fail(
		    f, 500, "internal", "The server can't make a token now.");
	credential_hash(token, CREDENTIAL_LEN, f->token_hash);
	sql_uuid(params, user);
	sql_uuid(params, organization);
	sql_bytes(params, f->token_hash, SHA256_SIZE);
	sql_int(params, server.config.session_lifetime / INT64_C(1000000000));
	sql_text(params, flow_address(f));
	sql_text(params, user_agent(f));
	return flow_query(f, &SQL_SESSION_CREATE);
}
