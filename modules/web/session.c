/* session.c - who asks: the bearer token or the browser's cookie, its holder,
 * and how a server comes to know it.
 *
 * Hit:      known.h, no question to the database.
 * Miss:     one question, whose answer all workers know from then on, until
 *           NOTIFY open_tokens or open_organizations says that it changed.
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "web/known.h"
#include "web/limits.h"
#include "web/origin.h"
#include "web/rate.h"
#include "web/request.h"
#include "web/session.h"
#include "web/settings.h"
#include "web_sql.h"

/* --- what was notified ---------------------------------------------------- */

static bool
hash_read(const char *hex, uint8_t hash[CREDENTIAL_HASH])
{
	int high, low, i;

	for (i = 0; i < CREDENTIAL_HASH; i++) {
		high = OPENSSL_hexchar2int((unsigned char)hex[i * 2]);
		low = OPENSSL_hexchar2int((unsigned char)hex[i * 2 + 1]);
		if (high < 0 || low < 0)
			return false;
		hash[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* "beat SERVER NANOSECONDS", from the first worker of some server. */
static void
heard_beat(const char *text)
{
	struct uuid id;

	if (strlen(text) > UUID_TEXT && uuid_parse(text, UUID_TEXT - 1, &id) &&
	    uuid_equal(&id, &server.id))
		known_trust(
		    server.known, strtoll(text + UUID_TEXT - 1, NULL, 10));
}

/* NOTIFY open_tokens: the SHA-256 of a token in hex, "user ID", a sign of life;
 * NULL: some may have been missed. */
static void
tokens_changed(const char *payload)
{
	uint8_t hash[CREDENTIAL_HASH];
	struct uuid id;

	if (payload == NULL)
		known_forget_all(server.known);
	else if (strncmp(payload, "beat ", 5) == 0)
		heard_beat(payload + 5);
	else if (strncmp(payload, "user ", 5) == 0 &&
		 uuid_parse(payload + 5, strlen(payload + 5), &id))
		known_forget_user(server.known, &id);
	else if (strlen(payload) == CREDENTIAL_HASH * 2 &&
		 hash_read(payload, hash))
		known_forget(server.known, hash);
	else
		known_forget_all(server.known);
}

void
session_forget(const struct uuid *organization)
{
	known_settings_forget(server.known, organization);
}

void
session_init(void)
{
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
become(struct flow *f, const struct known_credential *c, unsigned exceeded,
    struct settings *settings)
{
	f->settings = settings;
	if (c->expires_ns != 0 && c->expires_ns <= clock_mono_ns())
		return refuse_token(f);
	f->actor.organization = c->organization;
	f->actor.user = c->user;
	f->actor.token = c->id;
	f->actor.admin = c->admin;
	f->actor.role = c->admin ? ROLE_ADMIN : ROLE_USER;
	f->actor.session = c->session;
	f->actor.scopes = c->scopes;
	f->actor.exceeded = exceeded;
	f->actor.settings = settings_json(settings);
	f->has_actor = true;
	return rate_credential(f);
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

/* Its value in a Cookie header (RFC 6265). Two of that name: one may have been
 * planted by a neighbour of the domain, so neither counts. *len 0: none. */
static const char *
cookie(const char *header, size_t *len)
{
	const char *found = NULL, *p = header;
	size_t n, name = sizeof(COOKIE) - 1;

	*len = 0;
	while (*p != '\0') {
		p += strspn(p, "; ");
		n = strcspn(p, ";");
		if (n > name && strncmp(p, COOKIE "=", name + 1) == 0) {
			if (found != NULL)
				return NULL;
			found = p + name + 1;
			*len = n - name - 1;
		}
		p += n;
	}
	return found;
}

static void
asked(struct query *q)
{
	struct flow *f = q->arg;

	f->asked = true;
	flow_wake(f);
}

static enum flow_next
ask(struct flow *f)
{
	enum flow_next next = rate_unknown(f);

	if (next != FLOW_NEXT)
		return next;
	sql_bytes(flow_params(f), f->token_hash, CREDENTIAL_HASH);
	f->known_epoch = known_epoch(server.known);
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

static enum flow_next
who(struct flow *f, const char *token, size_t len, const char *kinds)
{
	struct known_credential c;
	struct known_settings s;
	struct settings *settings;
	int64_t now = clock_mono_ns();

	if (token == NULL || !credential_is_formed(token, len, kinds))
		return refuse_token(f);
	credential_hash(token, len, f->token_hash);
	if (known_find(server.known, f->token_hash, now, &c) &&
	    known_settings_find(server.known, &c.organization, now, &s) &&
	    (settings = settings_get(server.known, &s)) != NULL)
		return become(f, &c, s.exceeded, settings);
	return ask(f);
}

enum flow_next
session_begin(struct flow *f)
{
	const char *header = flow_header(f, "authorization"), *token;
	size_t len = 0;

	if (header != NULL) {
		token = bearer(header, &len);
		return who(f, token, len, "st");
	}
	if ((header = flow_header(f, "cookie")) == NULL ||
	    ((token = cookie(header, &len)) == NULL && len == 0))
		return refuse(f, "Bearer", "unauthorized",
		    "The request needs the header `Authorization: Bearer "
		    "TOKEN`.");
	if (!origin_check(f))
		return flow_fail(f, 403, "bad_origin",
		    "A request with a cookie must come from this server's own "
		    "pages: its origin is another one, or can't be told.");
	return who(f, token, len, "s");
}

static void
learn(const struct flow *f, const struct sql_rows *rows,
    struct known_credential *c)
{
	int64_t left_us = sql_get_int(rows, 0, 5);

	memset(c, 0, sizeof(*c));
	memcpy(c->hash, f->token_hash, CREDENTIAL_HASH);
	sql_get_uuid(rows, 0, 0, &c->id);
	sql_get_uuid(rows, 0, 1, &c->organization);
	sql_get_uuid(rows, 0, 2, &c->user);
	c->admin = sql_get_bool(rows, 0, 3);
	c->expires_ns = left_us == 0 ? 0 : f->asked_ns + left_us * 1000;
	c->session = sql_get_bool(rows, 0, 7);
	c->scopes = c->session ? SCOPE_ALL : (uint32_t)sql_get_int(rows, 0, 8);
}

enum flow_next
session_end(struct flow *f)
{
	const struct sql_rows *rows;
	struct known_credential c;
	struct settings *settings;
	int64_t used_us;

	if (f->query.outcome != QUERY_OK)
		return flow_database(f);
	rows = flow_rows(f);
	if (sql_count(rows) == 0) {
		rate_refused(f);
		return refuse_token(f);
	}
	learn(f, rows, &c);
	used_us = sql_get_int(rows, 0, 6);
	known_put(server.known, f->known_epoch, &c, f->asked_ns,
	    used_us < 0 ? -1 : used_us * 1000);
	known_settings_put(server.known, f->known_epoch, &c.organization,
	    (uint32_t)sql_get_int(rows, 0, 9), sql_get(rows, 0, 4),
	    sql_get_len(rows, 0, 4), f->asked_ns);
	settings = settings_read(sql_get(rows, 0, 4), sql_get_len(rows, 0, 4));
	if (settings == NULL)
		return flow_fail(f, 500, "internal",
		    "The organization's settings can't be read.");
	return become(f, &c, (unsigned)sql_get_int(rows, 0, 9), settings);
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
	sql_bytes(params, f->token_hash, CREDENTIAL_HASH);
	sql_int(params, server.config.session_lifetime / INT64_C(1000000000));
	sql_text(params, flow_address(f));
	sql_text(params, user_agent(f));
	return flow_query(f, &SQL_SESSION_CREATE);
}
