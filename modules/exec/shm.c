/* shm.c - the mapped region and its block allocator: first fit from a hint, so
 * that short runs reuse the same warm blocks; large ranges from the end. */
#include <string.h>
#include <sys/mman.h>

#include "exec/shm.h"

static size_t
align_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

int
shm_create(struct shm *s, size_t bytes, const size_t *table_bytes,
    unsigned tables, struct err *e)
{
	uint64_t table[SHM_TABLES] = {0};
	size_t at = align_up(sizeof(struct shm_header), 64);
	size_t blocks_at;
	size_t count;
	void *map;

	if (tables > SHM_TABLES)
		return err_set(e, "shared_memory", "Too many tables.");
	for (unsigned i = 0; i < tables; i++) {
		table[i] = at;
		at = align_up(at + table_bytes[i], 64);
	}
	count = bytes > at ? (bytes - at) / (SHM_BLOCK + 4) : 0;
	blocks_at = align_up(at + count * 4, SHM_BLOCK);
	while (count > 0 && blocks_at + count * SHM_BLOCK > bytes)
		count--;
	if (count < 16 || count >= SHM_NONE)
		return err_set(e, "shared_memory",
		    "shared_memory of %zu bytes is too small: the tables "
		    "alone take %zu.",
		    bytes, at);
	map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return err_set(e, "shared_memory",
		    "The system has no %zu bytes of shared memory.", bytes);
	s->head = map;
	s->head->version = SHM_VERSION;
	s->head->block_count = (uint32_t)count;
	s->head->size = bytes;
	memcpy(s->head->table, table, sizeof(table));
	s->head->tags = at;
	s->head->blocks = blocks_at;
	s->head->magic = SHM_MAGIC;
	s->tags = shm_at(s, s->head->tags);
	s->blocks = shm_at(s, s->head->blocks);
	return 0;
}

void
shm_destroy(struct shm *s)
{
	if (s->head != NULL)
		munmap(s->head, s->head->size);
	memset(s, 0, sizeof(*s));
}

int
shm_check(const struct shm *s, struct err *e)
{
	if (s->head == NULL || s->head->magic != SHM_MAGIC ||
	    s->head->version != SHM_VERSION)
		return err_set(e, "shared_memory_version",
		    "The shared memory has another layout than this program.");
	return 0;
}

void *
shm_table(const struct shm *s, unsigned table)
{
	return shm_at(s, s->head->table[table]);
}

static bool
block_take(struct shm *s, uint32_t block, uint32_t tag)
{
	uint32_t none = 0;

	return atomic_compare_exchange_strong_explicit(&s->tags[block], &none,
	    tag, memory_order_acquire, memory_order_relaxed);
}

static bool
block_give(struct shm *s, uint32_t block, uint32_t tag)
{
	return atomic_compare_exchange_strong_explicit(&s->tags[block], &tag, 0,
	    memory_order_release, memory_order_relaxed);
}

/* Takes blocks first..first+count-1, or none of them; *next is where to look
 * on. */
static bool
range_take(
    struct shm *s, uint32_t first, uint32_t count, uint32_t tag, uint32_t *next)
{
	for (uint32_t i = 0; i < count; i++) {
		if (atomic_load_explicit(
			&s->tags[first + i], memory_order_relaxed) == 0)
			continue;
		*next = first + i + 1;
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (block_take(s, first + i, tag))
			continue;
		*next = first + i + 1;
		while (i-- > 0)
			block_give(s, first + i, tag);
		return false;
	}
	return true;
}

static uint32_t
range_find(
    struct shm *s, uint32_t from, uint32_t to, uint32_t count, uint32_t tag)
{
	uint32_t at = from;

	while (at < to && count <= s->head->block_count - at) {
		if (range_take(s, at, count, tag, &at))
			return at;
	}
	return SHM_NONE;
}

/* The last range that is free. A used block says where the next may end. */
static uint32_t
range_find_down(struct shm *s, uint32_t count, uint32_t tag)
{
	uint32_t end = s->head->block_count;
	uint32_t free_from = end;

	while (free_from > 0) {
		if (atomic_load_explicit(
			&s->tags[free_from - 1], memory_order_relaxed) != 0) {
			end = --free_from;
			continue;
		}
		if (end - --free_from < count)
			continue;
		if (range_take(s, free_from, count, tag, &end))
			return free_from;
		end = free_from;
	}
	return SHM_NONE;
}

uint32_t
shm_alloc(struct shm *s, uint32_t count, uint32_t tag)
{
	struct shm_header *h = s->head;
	uint32_t hint = atomic_load_explicit(&h->hint, memory_order_relaxed);
	uint32_t at;

	if (count == 0 || count > h->block_count)
		return SHM_NONE;
	if (count >= SHM_LARGE)
		at = range_find_down(s, count, tag);
	else
		at = range_find(s, hint, h->block_count, count, tag);
	if (at == SHM_NONE && count < SHM_LARGE)
		at = range_find(s, 0, hint, count, tag);
	if (at == SHM_NONE)
		return SHM_NONE;
	if (at == hint || count == 1)
		atomic_compare_exchange_strong(&h->hint, &hint, at + count);
	atomic_fetch_add_explicit(&h->used, count, memory_order_relaxed);
	return at;
}

static void
freed(struct shm *s, uint32_t lowest, uint32_t count)
{
	struct shm_header *h = s->head;
	uint32_t hint = atomic_load_explicit(&h->hint, memory_order_relaxed);

	while (lowest < hint &&
	       !atomic_compare_exchange_weak(&h->hint, &hint, lowest))
		;
	atomic_fetch_sub_explicit(&h->used, count, memory_order_relaxed);
}

void
shm_free(struct shm *s, uint32_t first, uint32_t count, uint32_t tag)
{
	uint32_t given = 0;

	for (uint32_t i = 0; i < count; i++)
		given += block_give(s, first + i, tag);
	if (given > 0)
		freed(s, first, given);
}

uint32_t
shm_sweep(struct shm *s, uint32_t tag)
{
	uint32_t lowest = SHM_NONE;
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->head->block_count; i++) {
		if (atomic_load_explicit(&s->tags[i], memory_order_relaxed) !=
			tag ||
		    !block_give(s, i, tag))
			continue;
		count++;
		if (lowest == SHM_NONE)
			lowest = i;
	}
	if (count > 0)
		freed(s, lowest, count);
	return count;
}

static uint32_t
count_used(struct shm *s)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < s->head->block_count; i++)
		used += atomic_load_explicit(
			    &s->tags[i], memory_order_relaxed) != 0;
	return used;
}

uint32_t
shm_count(struct shm *s)
{
	int64_t before = atomic_load(&s->head->used);
	uint32_t used = count_used(s);

	/* Correct the estimate only where nothing moved meanwhile. */
	atomic_compare_exchange_strong(&s->head->used, &before, used);
	return s->head->block_count - used;
}

size_t
shm_free_estimate(const struct shm *s)
{
	int64_t used =
	    atomic_load_explicit(&s->head->used, memory_order_relaxed);
	int64_t left = (int64_t)s->head->block_count - used;

	return left > 0 ? (size_t)left * SHM_BLOCK : 0;
}
