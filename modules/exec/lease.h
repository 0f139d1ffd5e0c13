/* lease.h - until when this server may start anything.
 *
 * A word that the host moves forward (nanoseconds of CLOCK_MONOTONIC), read by
 * arenas and runner before they start something that others could see. It is
 * over when the server was stopped for longer than its lease: others may run
 * its executions by then, and it has to ask first.
 * NULL: for ever.
 */
#ifndef OPEN_EXEC_LEASE_H
#define OPEN_EXEC_LEASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

static inline bool
lease_over(const _Atomic int64_t *lease, int64_t now_ns)
{
	return lease != NULL &&
	       now_ns >= atomic_load_explicit(lease, memory_order_relaxed);
}

#endif
