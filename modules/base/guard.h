/* guard.h - memory for what must not leave the process: keys, secrets.
 *
 * Pages of their own, left out of core dumps and of forked children, locked
 * into memory where the system allows it, and wiped before they are given
 * back.
 *
 * Owner:    the caller, who keeps the size.
 * Process:  private, any thread.
 */
#ifndef OPEN_BASE_GUARD_H
#define OPEN_BASE_GUARD_H

#include <stddef.h>

/* size zeroed bytes; NULL: out of memory. */
void *guard_alloc(size_t size);
void guard_free(void *p, size_t size); /* NULL allowed */

/* Overwrites bytes in a way that no compiler leaves out. */
void guard_wipe(void *p, size_t size);

#endif
