/* known.c - credentials in shared memory: a fixed table by the first bits of the
 * token's SHA-256, which nobody can aim at a bucket that he has not to look for
 * by trying; a few places a bucket.
 */
#include "web/known.h"

#include <sys/mman.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "web/known_layout.h"

#define USED_STEP_NS   INT64_C(100000000) /* stamps are not written oftener */
#define ACTIVE_NS      INT64_C(10000000000)
#define NEVER_NOTED_NS (-(INT64_C(1) << 60))

/* --- the lock ------------------------------------------------------------- */

static void
mend(struct known *k)
{
	struct credential_cell *c = &k->cells[0][0];
	struct settings_cell *s = &k->settings[0][0];
	size_t i;

	for (i = 0; i < KNOWN_BUCKETS * KNOWN_WAYS; i++)
		if (seqlock_torn(&c[i].count))
			seqlock_write(
			    &c[i].count, c[i].words, CREDENTIAL_WORDS, NULL);
	for (i = 0; i < SETTINGS_BUCKETS * SETTINGS_WAYS; i++)
		if (seqlock_torn(&s[i].count))
			seqlock_write(
			    &s[i].count, s[i].words, SETTINGS_WORDS, NULL);
}

void
known_lock(struct known *k)
{
	int rc = pthread_mutex_lock(&k->lock);

	if (rc == EOWNERDEAD) {
		mend(k);
		rc = pthread_mutex_consistent(&k->lock);
	}
	if (rc != 0)
		abort();
}

void
known_unlock(struct known *k)
{
	pthread_mutex_unlock(&k->lock);
}

struct known *
known_create(int64_t cache_ns)
{
	pthread_mutexattr_t attr;
	struct known *k;

	k = mmap(NULL, sizeof(*k), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (k == MAP_FAILED)
		return NULL;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&k->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	k->cache_ns = cache_ns;
	return k;
}

/* --- truth ---------------------------------------------------------------- */

uint64_t
known_epoch(const struct known *k)
{
	return atomic_load(&k->epoch);
}

bool
known_is_true(const struct known *k, int64_t until_ns, int64_t now_ns)
{
	return now_ns < until_ns ||
	       now_ns <
		   atomic_load_explicit(&k->trusted_ns, memory_order_relaxed);
}

void
known_trust(struct known *k, int64_t sent_ns)
{
	int64_t until = sent_ns + k->cache_ns;
	int64_t seen = atomic_load(&k->trusted_ns);

	while (seen < until &&
	       !atomic_compare_exchange_weak(&k->trusted_ns, &seen, until))
		;
}

bool
known_active(const struct known *k, int64_t now_ns)
{
	return now_ns - atomic_load(&k->active_ns) < ACTIVE_NS;
}

static void
stamp(_Atomic int64_t *at, int64_t now_ns)
{
	if (now_ns - atomic_load_explicit(at, memory_order_relaxed) >
	    USED_STEP_NS)
		atomic_store_explicit(at, now_ns, memory_order_relaxed);
}

/* --- credentials ---------------------------------------------------------- */

static struct credential_cell *
bucket_of(struct known *k, const uint8_t hash[CREDENTIAL_HASH])
{
	uint32_t i;

	memcpy(&i, hash, sizeof(i));
	return k->cells[i % KNOWN_BUCKETS];
}

/* The cell that holds it, which is copied; NULL: none. */
static struct credential_cell *
credential_cell(struct known *k, const uint8_t hash[CREDENTIAL_HASH],
    struct known_credential *out)
{
	struct credential_cell *c = bucket_of(k, hash);
	uint64_t first, words[CREDENTIAL_WORDS];
	int i;

	memcpy(&first, hash, sizeof(first));
	for (i = 0; i < KNOWN_WAYS; i++, c++) {
		if (atomic_load_explicit(&c->words[0], memory_order_relaxed) !=
			first ||
		    !seqlock_read(&c->count, c->words, CREDENTIAL_WORDS, words))
			continue;
		memcpy(out, words, sizeof(*out));
		if (memcmp(out->hash, hash, CREDENTIAL_HASH) == 0)
			return c;
	}
	return NULL;
}

bool
known_find(struct known *k, const uint8_t hash[CREDENTIAL_HASH], int64_t now_ns,
    struct known_credential *out)
{
	struct credential_cell *c = credential_cell(k, hash, out);

	stamp(&k->active_ns, now_ns);
	if (c == NULL || !known_is_true(k, out->until_ns, now_ns))
		return false;
	stamp(&c->used_ns, now_ns);
	return true;
}

static void
put(struct credential_cell *c, const struct known_credential *v)
{
	uint64_t words[CREDENTIAL_WORDS];

	if (v != NULL)
		memcpy(words, v, sizeof(words));
	seqlock_write(
	    &c->count, c->words, CREDENTIAL_WORDS, v == NULL ? NULL : words);
}

/* The place that holds it already, a free one, or the least recently used. */
static struct credential_cell *
credential_place(struct known *k, const uint8_t hash[CREDENTIAL_HASH])
{
	struct known_credential held;
	struct credential_cell *c = credential_cell(k, hash, &held), *b;
	int i;

	if (c != NULL)
		return c;
	c = b = bucket_of(k, hash);
	for (i = 1; i < KNOWN_WAYS; i++)
		if (atomic_load(&b[i].used_ns) < atomic_load(&c->used_ns))
			c = &b[i];
	return c;
}

void
known_put(struct known *k, uint64_t epoch, struct known_credential *v,
    int64_t now_ns, int64_t used_ago_ns)
{
	struct credential_cell *c;

	if (k->cache_ns == 0)
		return;
	v->until_ns = now_ns + k->cache_ns;
	known_lock(k);
	if (epoch == known_epoch(k)) {
		c = credential_place(k, v->hash);
		put(c, v);
		atomic_store(&c->used_ns, now_ns);
		atomic_store(&c->noted_ns,
		    used_ago_ns < 0 ? NEVER_NOTED_NS : now_ns - used_ago_ns);
	}
	known_unlock(k);
}

static void
clear(struct credential_cell *c)
{
	put(c, NULL);
	atomic_store(&c->used_ns, 0);
}

/* The epoch is counted before the lock is waited for: an answer that is just
 * being kept is then either refused or cleared. */
void
known_forget(struct known *k, const uint8_t hash[CREDENTIAL_HASH])
{
	struct known_credential held;
	struct credential_cell *c;

	atomic_fetch_add(&k->epoch, 1);
	known_lock(k);
	if ((c = credential_cell(k, hash, &held)) != NULL)
		clear(c);
	known_unlock(k);
}

static void
forget_where(struct known *k, const struct uuid *user)
{
	struct credential_cell *c = &k->cells[0][0];
	struct known_credential held;
	uint64_t words[CREDENTIAL_WORDS];
	size_t i;

	for (i = 0; i < KNOWN_BUCKETS * KNOWN_WAYS; i++, c++) {
		if (atomic_load_explicit(&c->used_ns, memory_order_relaxed) ==
			0 ||
		    !seqlock_read(&c->count, c->words, CREDENTIAL_WORDS, words))
			continue;
		memcpy(&held, words, sizeof(held));
		if (user == NULL || uuid_equal(&held.user, user))
			clear(c);
	}
}

void
known_forget_user(struct known *k, const struct uuid *user)
{
	atomic_fetch_add(&k->epoch, 1);
	known_lock(k);
	forget_where(k, user);
	known_unlock(k);
}

void
known_forget_all(struct known *k)
{
	atomic_fetch_add(&k->epoch, 1);
	known_lock(k);
	forget_where(k, NULL);
	known_unlock(k);
	known_settings_forget(k, NULL);
}

void
known_extend(
    struct known *k, const uint8_t hash[CREDENTIAL_HASH], int64_t expires_ns)
{
	struct known_credential held;
	struct credential_cell *c;

	known_lock(k);
	if ((c = credential_cell(k, hash, &held)) != NULL) {
		held.expires_ns = expires_ns;
		put(c, &held);
	}
	known_unlock(k);
}

size_t
known_used(struct known *k, uint32_t *at, int64_t now_ns, int64_t interval_ns,
    struct known_credential *out, size_t max)
{
	struct credential_cell *cells = &k->cells[0][0], *c;
	uint64_t words[CREDENTIAL_WORDS];
	size_t n = 0, i;

	for (i = 0; i < KNOWN_BUCKETS * KNOWN_WAYS / 16 && n < max; i++) {
		c = &cells[*at];
		*at = (*at + 1) % (KNOWN_BUCKETS * KNOWN_WAYS);
		if (atomic_load(&c->used_ns) == 0 ||
		    atomic_load(&c->used_ns) - atomic_load(&c->noted_ns) <
			interval_ns ||
		    !seqlock_read(&c->count, c->words, CREDENTIAL_WORDS, words))
			continue;
		memcpy(&out[n++], words, sizeof(*out));
		atomic_store(&c->noted_ns, now_ns);
	}
	return n;
}
