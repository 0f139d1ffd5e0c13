/* slot.c - claiming and freeing slots, and their memory. */
#include <assert.h>
#include <string.h>

#include "exec/slot.h"

struct extent {	       /* head of a chained extent */
	uint32_t next; /* first block + 1 of the older one; 0: none */
	uint32_t blocks;
};

static uint32_t
slot_tag(uint32_t i)
{
	return i + 1;
}

static void
slot_clear(const struct slots *s, uint32_t i)
{
	struct slot *slot = &s->list[i];

	memset(slot, 0, sizeof(*slot));
	slot->magic = SLOT_MAGIC;
	atomic_store(&s->plans[i], 0);
	memset(&s->ids[i], 0, sizeof(s->ids[i]));
}

uint32_t
slot_claim(
    const struct slots *s, uint8_t arena, uint16_t epoch, struct slot_word *w)
{
	uint32_t start =
	    atomic_load_explicit(s->hint, memory_order_relaxed) % s->count;

	for (uint32_t n = 0; n < s->count; n++) {
		uint32_t i =
		    start + n < s->count ? start + n : start + n - s->count;
		struct slot_word free_word = slot_word(s, i);

		if (free_word.state != SLOT_FREE)
			continue;
		*w = (struct slot_word){.state = SLOT_STARTING,
		    .arena = arena,
		    .epoch = epoch,
		    .generation = free_word.generation + 1};
		if (w->generation == 0)
			w->generation = 1;
		if (!slot_move(s, i, free_word, *w))
			continue;
		atomic_store_explicit(s->hint, i + 1, memory_order_relaxed);
		slot_clear(s, i);
		return i;
	}
	return SHM_NONE;
}

/* Frees the newest extents, up to one that stays (0: none does). */
static void
extents_free(const struct slots *s, uint32_t i, uint32_t keep)
{
	struct slot *slot = &s->list[i];
	uint32_t at = slot->extent;

	slot->extent = keep;
	while (at != keep) {
		struct extent *x =
		    shm_at(s->shm, shm_block_offset(s->shm, at - 1));
		uint32_t next = x->next;

		shm_free(s->shm, at - 1, x->blocks, slot_tag(i));
		at = next;
	}
}

static void
memory_free(const struct slots *s, uint32_t i)
{
	if (s->list[i].sweep)
		shm_sweep(s->shm, slot_tag(i));
	else
		extents_free(s, i, 0);
}

struct slot_mark
slot_mark(const struct slots *s, uint32_t i)
{
	const struct slot *slot = &s->list[i];

	return (struct slot_mark){slot->extent, slot->heap, slot->heap_end};
}

void
slot_rewind(const struct slots *s, uint32_t i, struct slot_mark mark)
{
	struct slot *slot = &s->list[i];

	extents_free(s, i, mark.extent);
	slot->heap = mark.heap;
	slot->heap_end = mark.heap_end;
	slot->outputs = 0;
}

void
slot_name_tenant(const struct slots *s, uint32_t i, uint32_t tenant)
{
	atomic_store(&s->tenants[i], tenant + 1);
	atomic_fetch_add_explicit(&s->held[tenant], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(s->held_all, 1, memory_order_relaxed);
}

void
slot_forget_tenant(const struct slots *s, uint32_t i)
{
	uint32_t named = atomic_exchange(&s->tenants[i], 0);

	if (named == 0)
		return;
	atomic_fetch_sub_explicit(&s->held[named - 1], 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(s->held_all, 1, memory_order_relaxed);
}

void
slot_count_tenants(const struct slots *s, uint32_t tenant_count)
{
	int32_t all = 0;

	for (uint32_t t = 0; t < tenant_count; t++)
		atomic_store(&s->held[t], 0);
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t named = atomic_load(&s->tenants[i]);

		if (named == 0)
			continue;
		atomic_fetch_add(&s->held[named - 1], 1);
		all++;
	}
	atomic_store(s->held_all, all);
}

void
slot_release(const struct slots *s, uint32_t i, struct slot_word w)
{
	assert(w.state == SLOT_FREEING);
	assert(s->list[i].magic == SLOT_MAGIC);
	memory_free(s, i);
	atomic_store(&s->plans[i], 0);
	slot_forget_tenant(s, i);
	atomic_store_explicit(s->hint, i, memory_order_relaxed);
	slot_step(s, i, &w, SLOT_FREE);
}

uint32_t
slot_find(
    const struct slots *s, const struct uuid *execution, struct slot_word *w)
{
	for (uint32_t i = 0; i < s->count; i++) {
		if ((atomic_load_explicit(&s->words[i], memory_order_acquire) &
			0xff) <= SLOT_STARTING ||
		    !uuid_equal(&s->ids[i], execution))
			continue;
		*w = slot_word(s, i);
		if (w->state > SLOT_STARTING)
			return i;
	}
	return SHM_NONE;
}

/* Chains a new extent with room for size bytes. */
static bool
extent_add(const struct slots *s, uint32_t i, size_t size)
{
	struct slot *slot = &s->list[i];
	size_t bytes = size + sizeof(struct extent);
	uint32_t count;
	uint32_t block;
	struct extent *x;

	if (bytes > (size_t)s->shm->head->block_count * SHM_BLOCK)
		return false;
	count = (uint32_t)((bytes + SHM_BLOCK - 1) / SHM_BLOCK);
	block = shm_alloc(s->shm, count, slot_tag(i));
	if (block == SHM_NONE)
		return false;
	x = shm_at(s->shm, shm_block_offset(s->shm, block));
	x->blocks = count;
	x->next = slot->extent;
	atomic_thread_fence(memory_order_release);
	slot->extent = block + 1;
	slot->heap = shm_block_offset(s->shm, block) + sizeof(*x);
	slot->heap_end =
	    shm_block_offset(s->shm, block) + (uint64_t)count * SHM_BLOCK;
	return true;
}

uint64_t
slot_alloc(const struct slots *s, uint32_t i, size_t size)
{
	struct slot *slot = &s->list[i];
	uint64_t left = slot->heap, left_end = slot->heap_end;
	uint64_t at;

	size = (size + 7) & ~(size_t)7;
	if (slot->heap_end - slot->heap < size) {
		if (!extent_add(s, i, size))
			return 0;
	}
	at = slot->heap;
	slot->heap += size;
	/* Go on in whichever extent has more left. */
	if (left_end - left > slot->heap_end - slot->heap && at != left) {
		slot->heap = left;
		slot->heap_end = left_end;
	}
	return at;
}

bool
slot_text(const struct slots *s, uint32_t i, const char *text, size_t len,
    struct text *out)
{
	uint64_t at = slot_alloc(s, i, len > 0 ? len : 1);

	if (at == 0)
		return false;
	if (len > 0)
		memcpy(shm_at(s->shm, at), text, len);
	out->len = (uint32_t)len;
	out->at = at;
	return true;
}

bool
slot_output(const struct slots *s, uint32_t i, const struct op_outcome *o,
    uint32_t *ref)
{
	struct output head = {.has = 0};
	struct output *out;
	uint64_t at;

	*ref = 0;
	if (o->result != NULL) {
		head.has |= OUTPUT_RESULT;
		head.result_len = (uint32_t)o->result_len;
	}
	if (o->error != NULL) {
		head.has |= OUTPUT_ERROR;
		head.error_len = (uint32_t)strlen(o->error);
	}
	if (o->log != NULL) {
		head.has |= OUTPUT_LOG;
		head.log_len = (uint32_t)o->log_len;
	}
	if (head.has == 0)
		return true;
	at = slot_alloc(s, i,
	    sizeof(head) + head.result_len + head.error_len + head.log_len);
	if (at == 0)
		return false;
	s->list[i].outputs += (uint64_t)head.result_len + head.log_len;
	out = shm_at(s->shm, at);
	*out = head;
	if (head.result_len > 0)
		memcpy(out->bytes, o->result, head.result_len);
	if (head.error_len > 0)
		memcpy(out->bytes + head.result_len, o->error, head.error_len);
	if (head.log_len > 0)
		memcpy(out->bytes + head.result_len + head.error_len, o->log,
		    head.log_len);
	*ref = (uint32_t)(at / 8);
	return true;
}

const char *
output_text(const struct output *o, unsigned which, size_t *len)
{
	size_t at = 0;

	*len = 0;
	if (o == NULL || (o->has & which) == 0)
		return NULL;
	if (which == OUTPUT_RESULT) {
		*len = o->result_len;
	} else if (which == OUTPUT_ERROR) {
		at = o->result_len;
		*len = o->error_len;
	} else {
		at = (size_t)o->result_len + o->error_len;
		*len = o->log_len;
	}
	return o->bytes + at;
}
