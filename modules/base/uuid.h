/* uuid.h - UUIDv7 (RFC 9562) and OPEN's two uses of its bits.
 *
 * An execution's id is a UUIDv7 whose last 32 bits are zero; a node execution's
 * id is its execution's id with the node's index + 1 in those bits. So an id
 * leads to its execution and node without a look-up, and a range of execution
 * ids is a range of time. What is left is unique by 48 bits of milliseconds, a
 * 12-bit counter of this process and 30 random bits.
 */
#ifndef OPEN_BASE_UUID_H
#define OPEN_BASE_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UUID_TEXT 37 /* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" and its NUL */

struct uuid {
	uint8_t bytes[16]; /* network order */
};

struct uuid uuid_v7(void);	  /* any thread */
struct uuid uuid_execution(void); /* any thread; last 32 bits zero */
struct uuid uuid_node_execution(const struct uuid *execution, uint32_t node);
/* Splits a node execution's id; false if its last 32 bits are zero. */
bool uuid_node_execution_split(
    const struct uuid *id, struct uuid *execution, uint32_t *node);

/* Exactly 36 characters, either case; false if it is anything else. */
bool uuid_parse(const char *text, size_t len, struct uuid *out);
void uuid_format(const struct uuid *id, char text[UUID_TEXT]);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_zero(const struct uuid *id);

#endif
