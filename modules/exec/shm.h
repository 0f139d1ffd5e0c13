/* shm.h - the region that all workers map: tables of fixed size and blocks.
 *
 * Layout:   struct shm_header, the caller's tables, one owner tag per block,
 *           the blocks. Checked by shm_check (magic, layout version, size).
 * Offsets:  in bytes from the start of the region; 0 is never valid. No
 *           pointer is ever stored in it.
 * Blocks:   4 KiB each; a tag of 0 means free. Whoever allocates writes his
 *           tag by compare-and-swap, so a crash at any point leaves tagged
 *           blocks that shm_sweep finds. Large ranges are taken from the end
 *           downwards, so small ones don't cut up the space they need.
 * Process:  mapped before the fork, the same address everywhere; every
 *           function by any thread of any process.
 */
#ifndef OPEN_EXEC_SHM_H
#define OPEN_EXEC_SHM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SHM_MAGIC   0x4d48534e45504full /* "OPENSHM" */
#define SHM_VERSION 1
#define SHM_BLOCK   4096u
#define SHM_MAX	    (UINT64_C(32) << 30) /* outputs are named in 32 bits */
#define SHM_TABLES  24
#define SHM_LARGE   64u /* blocks: a large range */
#define SHM_NONE    UINT32_MAX

struct shm_header {
	uint64_t magic;
	uint32_t version;
	uint32_t block_count;
	uint64_t size;
	uint64_t table[SHM_TABLES];	    /* offsets */
	uint64_t tags, blocks;		    /* offsets */
	_Alignas(64) _Atomic uint32_t hint; /* lowest block that may be free */
	_Atomic int64_t used; /* blocks; exact but for crashes, see shm_count */
};

struct shm { /* private handle */
	struct shm_header *head;
	_Atomic uint32_t *tags;
	char *blocks;
};

/* Maps a zeroed region of about `bytes` with tables of the given sizes (each
 * starts at a cache line). -1: "shared_memory" (too small, or the system has
 * none). */
int shm_create(struct shm *, size_t bytes, const size_t *table_bytes,
    unsigned tables, struct err *e);
void shm_destroy(struct shm *);
/* -1: "shared_memory_version": not a region of this layout. */
int shm_check(const struct shm *, struct err *e);
void *shm_table(const struct shm *, unsigned table);

/* The first of `count` adjacent blocks, or SHM_NONE. tag is not 0. */
uint32_t shm_alloc(struct shm *, uint32_t count, uint32_t tag);
/* Blocks that do not carry the tag (any more) are left alone. */
void shm_free(struct shm *, uint32_t first, uint32_t count, uint32_t tag);
/* Frees all blocks with the tag; how many. */
uint32_t shm_sweep(struct shm *, uint32_t tag);
/* Free blocks, counted; also corrects what crashes did to the estimate. */
uint32_t shm_count(struct shm *);
size_t shm_free_estimate(const struct shm *); /* bytes, without counting */

static inline void *
shm_at(const struct shm *s, uint64_t offset)
{
	return (char *)s->head + offset;
}
static inline uint64_t
shm_block_offset(const struct shm *s, uint32_t block)
{
	return s->head->blocks + (uint64_t)block * SHM_BLOCK;
}

#endif
