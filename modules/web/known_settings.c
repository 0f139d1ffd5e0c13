/* known_settings.c - the settings of organizations in shared memory, once for
 * all credentials that act in one: cells by the organization's id, texts in a
 * ring. */

#include <string.h>

#include "base/hash.h"
#include "web/known_layout.h"

static struct settings_cell *
settings_bucket(struct known *k, const struct uuid *organization)
{
	struct hash_key key = {0, 0}; /* ids are ours, nobody chooses them */

	return k->settings[hash_sip(key, organization, sizeof(*organization)) %
			   SETTINGS_BUCKETS];
}

static struct settings_cell *
settings_cell(struct known *k, const struct uuid *organization,
    struct known_settings *out)
{
	struct settings_cell *c = settings_bucket(k, organization);
	uint64_t words[SETTINGS_WORDS];
	int i;

	for (i = 0; i < SETTINGS_WAYS; i++, c++) {
		if (!seqlock_read(&c->count, c->words, SETTINGS_WORDS, words))
			continue;
		memcpy(out, words, sizeof(*out));
		if (out->version != 0 &&
		    uuid_equal(&out->organization, organization))
			return c;
	}
	return NULL;
}

bool
known_settings_find(struct known *k, const struct uuid *organization,
    int64_t now_ns, struct known_settings *out)
{
	struct settings_cell *c = settings_cell(k, organization, out);

	if (c == NULL || !known_is_true(k, out->until_ns, now_ns))
		return false;
	atomic_store_explicit(&c->used_ns, now_ns, memory_order_relaxed);
	return true;
}

/* Word i of the ring, whole words being written and read. */
static _Atomic uint64_t *
ring_word(struct known *k, uint64_t at, size_t i)
{
	return &k->ring[(at / 8 + i) % SETTINGS_RING_WORDS];
}

bool
known_settings_text(struct known *k, const struct known_settings *s, char *out)
{
	uint64_t word;
	size_t i, n;

	for (i = 0; i < s->len; i += 8) {
		word = atomic_load_explicit(
		    ring_word(k, s->at, i / 8), memory_order_relaxed);
		n = s->len - i < 8 ? s->len - i : 8;
		memcpy(out + i, &word, n);
	}
	/* The head is moved before anything is written there. */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load(&k->head) - s->at <= SETTINGS_RING;
}

static uint64_t
ring_put(struct known *k, const char *text, size_t len)
{
	size_t size = (len + 7) / 8 * 8, i, n;
	uint64_t at = atomic_load(&k->head), word;

	atomic_store(&k->head, at + size);
	atomic_thread_fence(memory_order_release);
	for (i = 0; i < len; i += 8) {
		word = 0;
		n = len - i < 8 ? len - i : 8;
		memcpy(&word, text + i, n);
		atomic_store_explicit(
		    ring_word(k, at, i / 8), word, memory_order_relaxed);
	}
	return at;
}

static struct settings_cell *
settings_place(struct known *k, const struct uuid *organization)
{
	struct known_settings held;
	struct settings_cell *c = settings_cell(k, organization, &held), *b;
	int i;

	if (c != NULL)
		return c;
	c = b = settings_bucket(k, organization);
	for (i = 1; i < SETTINGS_WAYS; i++)
		if (atomic_load(&b[i].used_ns) < atomic_load(&c->used_ns))
			c = &b[i];
	return c;
}

void
known_settings_put(struct known *k, uint64_t epoch,
    const struct uuid *organization, uint32_t exceeded, const char *text,
    size_t len, int64_t now_ns)
{
	struct known_settings s;
	uint64_t words[SETTINGS_WORDS];
	struct settings_cell *c;

	if (k->cache_ns == 0 || len > KNOWN_SETTINGS_MAX)
		return;
	memset(&s, 0, sizeof(s));
	s.organization = *organization;
	s.until_ns = now_ns + k->cache_ns;
	s.len = (uint32_t)len;
	s.exceeded = exceeded;
	known_lock(k);
	if (epoch == known_epoch(k)) {
		c = settings_place(k, organization);
		s.at = ring_put(k, text, len);
		s.version = atomic_fetch_add(&k->version, 1) + 1;
		memcpy(words, &s, sizeof(s));
		seqlock_write(&c->count, c->words, SETTINGS_WORDS, words);
		atomic_store(&c->used_ns, now_ns);
	}
	known_unlock(k);
}

/* organization NULL: all. */
void
known_settings_forget(struct known *k, const struct uuid *organization)
{
	struct known_settings held;
	struct settings_cell *c;
	size_t i;

	atomic_fetch_add(&k->epoch, 1);
	known_lock(k);
	if (organization != NULL) {
		if ((c = settings_cell(k, organization, &held)) != NULL)
			seqlock_write(
			    &c->count, c->words, SETTINGS_WORDS, NULL);
	} else {
		c = &k->settings[0][0];
		for (i = 0; i < SETTINGS_BUCKETS * SETTINGS_WAYS; i++)
			seqlock_write(
			    &c[i].count, c[i].words, SETTINGS_WORDS, NULL);
	}
	known_unlock(k);
}
