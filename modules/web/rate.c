/* rate.c - who is limited in what. */

#include "web/rate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "web/config_value.h"
#include "web/rate_table.h"
#include "web/request.h"

#define KEY_MAX 320

enum kind {
	KIND_CREDENTIAL,
	KIND_REFUSED,
	KIND_SIGN_IN_ADDRESS,
	KIND_SIGN_IN_ACCOUNT,
	KIND_SIGN_IN_PAIR,
	KIND_RESET_ADDRESS,
	KIND_RESET_ACCOUNT,
	KIND_REGISTER
};

struct rate_key {
	char text[KEY_MAX];
	size_t len;
};

static struct rate_limit
limit_of(enum kind kind)
{
	const struct config *c = &server.config;
	const int64_t settings[] = {
	    [KIND_CREDENTIAL] = c->rate_credential,
	    [KIND_REFUSED] = c->rate_refused,
	    [KIND_SIGN_IN_ADDRESS] = c->rate_sign_in_address,
	    [KIND_SIGN_IN_ACCOUNT] = c->rate_sign_in_account,
	    [KIND_SIGN_IN_PAIR] = c->rate_sign_in,
	    [KIND_RESET_ADDRESS] = c->rate_reset_address,
	    [KIND_RESET_ACCOUNT] = c->rate_reset_account,
	    [KIND_REGISTER] = c->rate_register,
	};
	int64_t v = settings[kind];

	return (struct rate_limit){rate_count(v), rate_period_ms(v) * MS};
}

/* --- keys ----------------------------------------------------------------- */

static void
add_address(struct rate_key *k, struct flow *f)
{
	const char *text = flow_address(f);
	unsigned char raw[16];

	if (inet_pton(AF_INET6, text, raw) == 1 &&
	    memcmp(raw, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) != 0)
		memcpy(k->text + k->len, raw, 8);
	else if (inet_pton(AF_INET, text, raw) == 1)
		memcpy(k->text + k->len, raw, 4);
	k->len += 8;
}

static void
add_account(struct rate_key *k, const char *email)
{
	for (; *email != '\0' && k->len < KEY_MAX; email++)
		k->text[k->len++] = (char)tolower((unsigned char)*email);
}

static struct rate_key
by_address(struct flow *f)
{
	struct rate_key k = {.len = 0}; /* all of it zero */

	add_address(&k, f);
	return k;
}

static struct rate_key
by_account(const char *email)
{
	struct rate_key k = {.len = 0};

	add_account(&k, email);
	return k;
}

static struct rate_key
by_pair(struct flow *f, const char *email)
{
	struct rate_key k = {.len = 0};

	add_address(&k, f);
	add_account(&k, email);
	return k;
}

/* --- answers -------------------------------------------------------------- */

static int64_t
take(enum kind kind, const struct rate_key *k, int64_t burst)
{
	return rate_take(server.rates, kind, k->text, k->len, limit_of(kind),
	    burst, clock_mono_ns());
}

/* wait 0: go on. */
static enum flow_next
answer(struct flow *f, int64_t wait)
{
	long long seconds = (wait + S - 1) / S;
	char text[32];

	if (wait == 0)
		return FLOW_NEXT;
	snprintf(text, sizeof(text), "%lld", seconds);
	flow_answer_header(f, "retry-after", text);
	return flow_fail(f, 429, "rate_limited",
	    "Too many requests; try again in %lld s.", seconds);
}

/* --- what is limited ------------------------------------------------------ */

enum flow_next
rate_sign_in(struct flow *f, const char *email)
{
	struct rate_key address = by_address(f), account = by_account(email),
			pair = by_pair(f, email);
	struct rate_limit by_account_limit = limit_of(KIND_SIGN_IN_ACCOUNT);
	int64_t wait, burst = INT64_MAX;

	if ((wait = take(KIND_SIGN_IN_ADDRESS, &address, INT64_MAX)) != 0)
		return answer(f, wait);
	if (rate_wait(server.rates, KIND_SIGN_IN_ACCOUNT, account.text,
		account.len, by_account_limit, clock_mono_ns()) != 0)
		burst = RATE_FEW;
	if ((wait = take(KIND_SIGN_IN_PAIR, &pair, burst)) != 0)
		return answer(f, wait);
	(void)take(KIND_SIGN_IN_ACCOUNT, &account, INT64_MAX);
	return FLOW_NEXT;
}

static void
give(enum kind kind, const struct rate_key *k)
{
	rate_give(server.rates, kind, k->text, k->len, limit_of(kind));
}

void
rate_signed_in(struct flow *f, const char *email)
{
	struct rate_key address = by_address(f), account = by_account(email),
			pair = by_pair(f, email);

	give(KIND_SIGN_IN_ADDRESS, &address);
	give(KIND_SIGN_IN_ACCOUNT, &account);
	rate_forget(server.rates, KIND_SIGN_IN_PAIR, pair.text, pair.len);
}

enum flow_next
rate_reset(struct flow *f, const char *email, bool *silent)
{
	struct rate_key address = by_address(f), account = by_account(email);
	int64_t wait = take(KIND_RESET_ADDRESS, &address, INT64_MAX);

	*silent = wait == 0 && take(KIND_RESET_ACCOUNT, &account, INT64_MAX);
	return answer(f, wait);
}

enum flow_next
rate_register(struct flow *f)
{
	struct rate_key address = by_address(f);

	return answer(f, take(KIND_REGISTER, &address, INT64_MAX));
}

enum flow_next
rate_credential(struct flow *f)
{
	const struct uuid *id = &f->actor.token;

	return answer(
	    f, rate_take(server.rates, KIND_CREDENTIAL, id, sizeof(*id),
		   limit_of(KIND_CREDENTIAL), INT64_MAX, clock_mono_ns()));
}

enum flow_next
rate_unknown(struct flow *f)
{
	struct rate_key address = by_address(f);

	return answer(
	    f, rate_wait(server.rates, KIND_REFUSED, address.text, address.len,
		   limit_of(KIND_REFUSED), clock_mono_ns()));
}

void
rate_refused(struct flow *f)
{
	struct rate_key address = by_address(f);

	(void)take(KIND_REFUSED, &address, INT64_MAX);
}
