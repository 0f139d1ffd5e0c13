/* rate_table.c - GCRA over 64-bit atomics. */

#include "web/rate_table.h"

#include <sys/mman.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/hash.h"

#define WAYS	8
#define BUCKETS (RATE_CELLS / WAYS)
#define KEY_MAX 320

struct cell {
	_Atomic uint64_t tag;	   /* 0: free */
	_Atomic int64_t earned_ns; /* when all that was taken is earned */
};

struct rate_table {
	struct hash_key key;
	struct cell cells[BUCKETS][WAYS];
};

struct rate_table *
rate_table_create(void)
{
	struct rate_table *t;

	t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t == MAP_FAILED)
		return NULL;
	if (RAND_bytes((unsigned char *)&t->key, sizeof(t->key)) == 1)
		return t;
	munmap(t, sizeof(*t));
	return NULL;
}

/* Longer keys count by what they begin with. */
static uint64_t
tag_of(const struct rate_table *t, unsigned kind, const void *key, size_t len)
{
	unsigned char text[KEY_MAX + 1];

	if (len > KEY_MAX)
		len = KEY_MAX;
	text[0] = (unsigned char)kind;
	memcpy(text + 1, key, len);
	return hash_sip(t->key, text, len + 1) | 1;
}

static struct cell *
bucket(struct rate_table *t, uint64_t tag)
{
	return t->cells[(tag >> 32) % BUCKETS];
}

static struct cell *
find(struct rate_table *t, uint64_t tag)
{
	struct cell *c = bucket(t, tag);
	int i;

	for (i = 0; i < WAYS; i++, c++)
		if (atomic_load_explicit(&c->tag, memory_order_acquire) == tag)
			return c;
	return NULL;
}

/* A cell for a new key, which has taken nothing yet. */
static struct cell *
claim(struct rate_table *t, uint64_t tag, int64_t now_ns)
{
	struct cell *b = bucket(t, tag), *c = b;
	uint64_t was;
	int i;

	for (i = 1; i < WAYS; i++)
		if (atomic_load(&b[i].earned_ns) < atomic_load(&c->earned_ns))
			c = &b[i];
	was = atomic_load(&c->tag);
	if (!atomic_compare_exchange_strong(&c->tag, &was, tag) && was != tag)
		return NULL;
	atomic_store(&c->earned_ns, now_ns);
	return c;
}

static int64_t
interval(struct rate_limit l)
{
	return l.period_ns / l.count > 0 ? l.period_ns / l.count : 1;
}

int64_t
rate_take(struct rate_table *t, unsigned kind, const void *key, size_t len,
    struct rate_limit l, int64_t burst, int64_t now_ns)
{
	uint64_t tag = tag_of(t, kind, key, len);
	struct cell *c = find(t, tag);
	int64_t seen, from, step, room;
	int tries;

	if (l.count == 0)
		return 0;
	for (tries = 0; c == NULL && tries < WAYS; tries++)
		if ((c = claim(t, tag, now_ns)) == NULL)
			c = find(t, tag);
	if (c == NULL)
		return 0; /* all its cells are being taken by others */
	step = interval(l);
	room = step * ((burst < l.count ? burst : l.count) - 1);
	seen = atomic_load(&c->earned_ns);
	do {
		from = seen > now_ns ? seen : now_ns;
		if (from - now_ns > room)
			return from - now_ns - room;
	} while (
	    !atomic_compare_exchange_weak(&c->earned_ns, &seen, from + step));
	return 0;
}

int64_t
rate_wait(struct rate_table *t, unsigned kind, const void *key, size_t len,
    struct rate_limit l, int64_t now_ns)
{
	struct cell *c = find(t, tag_of(t, kind, key, len));
	int64_t wait;

	if (c == NULL || l.count == 0)
		return 0;
	wait =
	    atomic_load(&c->earned_ns) - now_ns - interval(l) * (l.count - 1);
	return wait > 0 ? wait : 0;
}

void
rate_give(struct rate_table *t, unsigned kind, const void *key, size_t len,
    struct rate_limit l)
{
	struct cell *c = find(t, tag_of(t, kind, key, len));

	if (c != NULL && l.count != 0)
		atomic_fetch_sub(&c->earned_ns, interval(l));
}

void
rate_forget(struct rate_table *t, unsigned kind, const void *key, size_t len)
{
	struct cell *c = find(t, tag_of(t, kind, key, len));

	if (c != NULL)
		atomic_store(&c->earned_ns, 0);
}
