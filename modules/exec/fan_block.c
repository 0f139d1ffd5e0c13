/* fan_block.c - what of a fan-out lies in shared memory. */
#include <string.h>

#include "exec/fan.h"

static size_t
starts_at(uint32_t count)
{
	return sizeof(struct fan_block) +
	       (size_t)count * sizeof(struct node_record);
}

static size_t
output_offset(uint32_t count)
{
	size_t end = starts_at(count) + ((size_t)count + 1) * sizeof(uint32_t);

	return (end + 7) & ~(size_t)7;
}

size_t
fan_block_size(size_t len, uint32_t count)
{
	return output_offset(count) + sizeof(struct output) + len;
}

uint64_t
fan_block_create(const struct slots *s, uint32_t i, uint32_t node,
    const char *list, size_t len, const uint32_t *starts, uint32_t count)
{
	struct slot *slot = &s->list[i];
	uint64_t at = slot_alloc(s, i, fan_block_size(len, count));
	struct output *o;
	struct fan_block *b;

	if (at == 0)
		return 0;
	b = shm_at(s->shm, at);
	o = (void *)((char *)b + output_offset(count));
	*b = (struct fan_block){.next = atomic_load(&slot->fans),
	    .node = node,
	    .count = count,
	    .list = (uint32_t)((at + output_offset(count)) / 8)};
	memset(b->elements, 0, (size_t)count * sizeof(struct node_record));
	memcpy(fan_starts(b), starts, ((size_t)count + 1) * sizeof(*starts));
	*o = (struct output){.has = OUTPUT_RESULT, .result_len = (uint32_t)len};
	memcpy(o->bytes, list, len);
	slot->outputs += fan_block_size(len, count);
	atomic_store_explicit(&slot->fans, at, memory_order_release);
	return at;
}

struct fan_block *
fan_block_find(const struct slots *s, uint32_t i, uint32_t node)
{
	uint64_t at =
	    atomic_load_explicit(&s->list[i].fans, memory_order_acquire);

	while (at != 0) {
		struct fan_block *b = shm_at(s->shm, at);

		if (b->node == node)
			return b;
		at = b->next;
	}
	return NULL;
}
