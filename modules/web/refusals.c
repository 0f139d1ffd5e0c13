/* refusals.c - counts refused attempts by what they are. */
#include "web/refusals.h"

#include <string.h>

#define OTHERS REFUSALS_MAX

static unsigned
find(const struct refusals *r, const struct refusal *what)
{
	unsigned i;

	for (i = 0; i < REFUSALS_MAX; i++)
		if (r->used[i] &&
		    memcmp(&r->places[i].what, what, sizeof(*what)) == 0)
			break;
	return i;
}

static unsigned
place(struct refusals *r, bool stranger)
{
	unsigned i;

	if (r->count == REFUSALS_MAX ||
	    (stranger && r->strangers == REFUSALS_STRANGERS))
		return OTHERS;
	for (i = 0; r->used[i]; i++)
		;
	r->count++;
	r->strangers += stranger;
	return i;
}

static void
begin(struct refusals *r, unsigned i, const struct refusal *what)
{
	r->used[i] = true;
	r->told[i] = false;
	r->until_ns[i] = 0;
	r->places[i].what = *what;
	r->places[i].count = 0;
}

void
refusals_add(struct refusals *r, const struct refusal *what, int64_t now_ns,
    int64_t now_us)
{
	struct refusal others;
	unsigned i = find(r, what);

	if (i == OTHERS)
		i = place(r, uuid_is_zero(&what->organization));
	if (i == OTHERS && !r->used[i]) {
		memset(&others, 0, sizeof(others));
		memcpy(others.action, "many", sizeof("many"));
		memcpy(others.outcome, "refused", sizeof("refused"));
		begin(r, i, &others);
		r->until_ns[i] = now_ns + REFUSALS_SPAN_NS;
		r->told[i] = true;
	} else if (!r->used[i]) {
		begin(r, i, what);
	}
	if (r->places[i].count++ == 0)
		r->places[i].at_us = now_us;
}

static void
release(struct refusals *r, unsigned i)
{
	r->used[i] = false;
	if (i == OTHERS)
		return;
	r->count--;
	r->strangers -= uuid_is_zero(&r->places[i].what.organization);
}

/* Told once, it stays for a span in which it only counts. */
unsigned
refusals_due(
    struct refusals *r, int64_t now_ns, struct refusal_row *out, unsigned most)
{
	unsigned i, n = 0;

	for (i = 0; i <= REFUSALS_MAX && n < most; i++) {
		if (!r->used[i] || (r->told[i] && now_ns < r->until_ns[i]))
			continue;
		if (r->places[i].count == 0) {
			release(r, i);
			continue;
		}
		out[n++] = r->places[i];
		if (i == OTHERS) {
			release(r, i);
			continue;
		}
		r->places[i].count = 0;
		r->told[i] = true;
		r->until_ns[i] = now_ns + REFUSALS_SPAN_NS;
	}
	return n;
}
