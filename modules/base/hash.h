/* hash.h - hashes of byte strings: SipHash-1-3 for tables that strangers fill
 * (with a key they don't know or can't aim at, names can't be made to collide),
 * CRC-32C for blocks that may have rotted.
 *
 * Process:  pure functions, any thread.
 */
#ifndef OPEN_BASE_HASH_H
#define OPEN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k0, k1;
};

/* The same for the life of the process, another in the next. */
struct hash_key hash_process_key(void);

uint64_t hash_sip(struct hash_key key, const void *data, size_t len);

/* crc: 0 to begin, or the last result to go on. */
uint32_t hash_crc32c(uint32_t crc, const void *data, size_t len);

#endif
