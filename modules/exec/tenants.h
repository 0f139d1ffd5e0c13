/* tenants.h - the organizations that have runs in shared memory, numbered: what
 * queues and counts are kept by.
 *
 * Named:    a slot names its tenant from reserve to release (slot.h); an entry
 *           that no slot names may become another organization's. Nobody keeps
 *           a counter for it that a crash could falsify.
 * Lock:     one robust process-shared mutex for changes of the table; finding
 *           one takes none: whoever names an entry looks again whether it is
 *           still his, whoever evicts one says so before he looks at the slots.
 */
#ifndef OPEN_EXEC_TENANTS_H
#define OPEN_EXEC_TENANTS_H

#include <pthread.h>

#include "exec/slot.h"

enum tenant_state {
	TENANT_FREE,
	TENANT_CHANGING,
	TENANT_READY
};

struct tenant {
	_Atomic uint32_t state; /* enum tenant_state */
	struct uuid organization;
};

struct tenants_shared {
	pthread_mutex_t lock;
};

struct tenants { /* private handle */
	const struct slots *slots;
	struct tenants_shared *shared;
	uint32_t count;
	struct tenant *list;
	uint8_t *named; /* by tenant; scratch, under the lock */
};

/* Once, before the fork: makes the mutex. */
int tenants_create(struct tenants *, struct err *e);
void tenants_destroy(struct tenants *);
/* Makes a slot that its caller claimed name the organization's entry; false:
 * there are too many organizations. */
bool tenants_name(
    struct tenants *, const struct uuid *organization, uint32_t slot);

#endif
