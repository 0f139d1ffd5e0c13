/* plan_cache.c - a table small enough to be searched in a line of keys. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exec/plan_cache.h"

static uint32_t
entry_tag(uint32_t i)
{
	return 0x80000000u | (i + 1);
}

static uint64_t
hash_key(const struct plan_hash *h)
{
	uint64_t key;

	memcpy(&key, h->bytes, sizeof(key));
	return key | 1; /* never 0 */
}

static void
entry_free(struct plan_cache *c, uint32_t i)
{
	struct plan_entry *p = &c->entries[i];

	bool ready = p->state == PLAN_ENTRY_READY;

	/* Whoever dies in here leaves an entry that the next one frees. */
	p->state = PLAN_ENTRY_FILLING;
	atomic_thread_fence(memory_order_seq_cst);
	c->keys[i] = 0;
	if (ready)
		shm_free(c->shm, p->first_block, p->blocks, entry_tag(i));
	else
		shm_sweep(c->shm, entry_tag(i));
	p->state = PLAN_ENTRY_FREE;
}

int
plan_cache_create(struct plan_cache *c, struct err *e)
{
	pthread_mutexattr_t attr;
	int rc;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	rc = pthread_mutex_init(&c->shared->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	if (rc != 0)
		return err_set(e, "shared_memory",
		    "The system has no process-shared robust mutexes.");
	c->used = calloc(c->count, 1);
	return c->used != NULL ? 0 : err_memory(e);
}

void
plan_cache_destroy(struct plan_cache *c)
{
	free(c->used);
}

static void
cache_lock(struct plan_cache *c)
{
	int rc = pthread_mutex_lock(&c->shared->lock);

	if (rc != EOWNERDEAD) {
		assert(rc == 0);
		return;
	}
	for (uint32_t i = 0; i < c->count; i++)
		if (c->entries[i].state == PLAN_ENTRY_FILLING)
			entry_free(c, i);
	pthread_mutex_consistent(&c->shared->lock);
}

static void
cache_unlock(struct plan_cache *c)
{
	pthread_mutex_unlock(&c->shared->lock);
}

static uint32_t
entry_find(const struct plan_cache *c, const struct plan_hash *hash)
{
	uint64_t key = hash_key(hash);

	for (uint32_t i = 0; i < c->count; i++) {
		if (c->keys[i] == key &&
		    c->entries[i].state == PLAN_ENTRY_READY &&
		    memcmp(&c->entries[i].hash, hash, sizeof(*hash)) == 0)
			return i;
	}
	return SHM_NONE;
}

unsigned
plan_cache_count(struct plan_cache *c)
{
	unsigned count = 0;

	cache_lock(c);
	for (uint32_t i = 0; i < c->count; i++)
		count += c->entries[i].state == PLAN_ENTRY_READY;
	cache_unlock(c);
	return count;
}

bool
plan_cache_find(struct plan_cache *c, const struct plan_hash *hash)
{
	uint32_t i;

	cache_lock(c);
	i = entry_find(c, hash);
	if (i != SHM_NONE)
		c->entries[i].used_at = ++c->shared->tick;
	cache_unlock(c);
	return i != SHM_NONE;
}

bool
plan_cache_use(
    struct plan_cache *c, const struct plan_hash *hash, uint32_t slot)
{
	uint32_t i;

	cache_lock(c);
	i = entry_find(c, hash);
	if (i != SHM_NONE) {
		c->entries[i].used_at = ++c->shared->tick;
		atomic_store(&c->slots->plans[slot], i + 1);
	}
	cache_unlock(c);
	return i != SHM_NONE;
}

const struct plan *
plan_cache_plan(const struct plan_cache *c, uint32_t slot, uint32_t *entry)
{
	uint32_t i = atomic_load(&c->slots->plans[slot]) - 1;

	assert(i < c->count && c->entries[i].state == PLAN_ENTRY_READY);
	*entry = i;
	return shm_at(
	    c->shm, shm_block_offset(c->shm, c->entries[i].first_block));
}

/* Marks the entries that slots name. Slots take plans only under our lock, so
 * what is unmarked stays unused. */
static void
mark_used(struct plan_cache *c)
{
	memset(c->used, 0, c->count);
	for (uint32_t s = 0; s < c->slots->count; s++) {
		uint32_t plan = atomic_load_explicit(
		    &c->slots->plans[s], memory_order_relaxed);

		if (plan != 0)
			c->used[plan - 1] = 1;
	}
}

/* Frees the least recently used entry that no run uses; false: there is none.
 * After mark_used. */
static bool
evict(struct plan_cache *c)
{
	uint32_t oldest = SHM_NONE;

	for (uint32_t i = 0; i < c->count; i++) {
		const struct plan_entry *p = &c->entries[i];

		if (p->state == PLAN_ENTRY_READY && !c->used[i] &&
		    (oldest == SHM_NONE ||
			p->used_at < c->entries[oldest].used_at))
			oldest = i;
	}
	if (oldest != SHM_NONE)
		entry_free(c, oldest);
	return oldest != SHM_NONE;
}

bool
plan_cache_evict(struct plan_cache *c)
{
	bool freed;

	cache_lock(c);
	mark_used(c);
	freed = evict(c);
	cache_unlock(c);
	return freed;
}

bool
plan_cache_shrink(struct plan_cache *c, size_t bytes_free)
{
	bool more = true;

	cache_lock(c);
	mark_used(c);
	while (shm_free_estimate(c->shm) < bytes_free && more)
		more = evict(c);
	cache_unlock(c);
	return more;
}

static uint32_t
entry_take(struct plan_cache *c)
{
	do {
		for (uint32_t i = 0; i < c->count; i++)
			if (c->entries[i].state == PLAN_ENTRY_FREE)
				return i;
	} while (evict(c));
	return SHM_NONE;
}

static int
put_locked(struct plan_cache *c, const struct plan_hash *hash, const void *plan,
    size_t len, struct err *e)
{
	uint32_t blocks = (uint32_t)((len + SHM_BLOCK - 1) / SHM_BLOCK);
	struct plan_entry *p;
	uint32_t i;

	mark_used(c);
	i = entry_take(c);
	if (i == SHM_NONE)
		return err_set(e, "shared_memory_full",
		    "Every entry of the plan cache is in use.");
	p = &c->entries[i];
	p->state = PLAN_ENTRY_FILLING;
	atomic_thread_fence(memory_order_seq_cst);
	while (shm_free_estimate(c->shm) < c->reserve + len && evict(c))
		;
	do {
		p->first_block = shm_alloc(c->shm, blocks, entry_tag(i));
	} while (p->first_block == SHM_NONE && evict(c));
	if (p->first_block == SHM_NONE) {
		p->state = PLAN_ENTRY_FREE;
		return err_set(e, "shared_memory_full",
		    "Shared memory has no room for a plan of %zu bytes.", len);
	}
	p->blocks = blocks;
	p->generation++;
	p->hash = *hash;
	p->used_at = ++c->shared->tick;
	memcpy(shm_at(c->shm, shm_block_offset(c->shm, p->first_block)), plan,
	    len);
	c->keys[i] = hash_key(hash);
	atomic_thread_fence(memory_order_seq_cst);
	p->state = PLAN_ENTRY_READY;
	return 0;
}

int
plan_cache_fits(
    const struct plan_cache *c, const struct plan *plan, struct err *e)
{
	size_t all = (size_t)c->shm->head->block_count * SHM_BLOCK;
	size_t need = plan->size + run_memory_size(plan->node_count);

	if (need + c->reserve <= all)
		return 0;
	return err_set(e, "plan_too_large",
	    "The plan and the records of a run need %zu bytes of shared memory "
	    "and %zu are spare: shared_memory must be larger.",
	    need, all > c->reserve ? all - c->reserve : 0);
}

/* Beyond plan_check: what the executor's tables can count. */
static int
check(
    const struct plan_hash *hash, const void *bytes, size_t len, struct err *e)
{
	const struct plan *plan = bytes;
	uint8_t sum[SHA256_SIZE];

	if (document_hash(bytes, len, sum) != 0)
		return err_memory(e);
	if (memcmp(sum, hash->bytes, sizeof(sum)) != 0)
		return err_set(e, "corrupted_plan",
		    "The plan's bytes do not have the plan's hash.");
	if (plan_check(bytes, len, e) != 0)
		return -1;
	for (uint32_t i = 0; i < plan->node_count; i++)
		if (plan_nodes(plan)[i].indegree > AWAIT_COUNT)
			return err_set(e, "corrupted_plan",
			    "A node has more than %u dependencies.",
			    AWAIT_COUNT);
	return 0;
}

int
plan_cache_put(struct plan_cache *c, const struct plan_hash *hash,
    const void *plan, size_t len, struct err *e)
{
	int rc = 0;

	if (check(hash, plan, len, e) != 0)
		return -1;
	if (plan_cache_fits(c, plan, e) != 0)
		return -1;
	cache_lock(c);
	if (entry_find(c, hash) == SHM_NONE)
		rc = put_locked(c, hash, plan, len, e);
	cache_unlock(c);
	return rc;
}
