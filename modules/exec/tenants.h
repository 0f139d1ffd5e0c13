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

#include "exec/gate.h"
#include "exec/slot.h"

enum tenant_state {
	TENANT_FREE,
	TENANT_CHANGING,
	TENANT_READY
};

/* What an organization may use at once on this server, and whether it has used
 * up what it may use in all. */
#define TENANT_POOLS_MAX 32
struct tenant_limits {
	uint32_t executions, nodes; /* GATE_OPEN: no limit */
	uint32_t pool_count;
	struct {
		char name[POOL_NAME_MAX + 1];
		uint32_t limit;
	} pools[TENANT_POOLS_MAX];
	unsigned exceeded; /* enum tenant_quota: they refuse new executions */
};
enum tenant_quota {
	QUOTA_COMPUTE = 1,
	QUOTA_STORAGE = 2
};

struct tenant {
	_Atomic uint32_t state; /* enum tenant_state */
	_Atomic uint32_t exceeded;
	_Atomic uint32_t known; /* its limits were told */
	struct uuid organization;
};

struct tenant_pool {
	uint32_t tenant; /* + 1; 0: free */
	char name[POOL_NAME_MAX + 1];
};

struct tenants_shared {
	pthread_mutex_t lock; /* of the table, the pools and the gates */
};

struct tenants { /* private handle */
	const struct slots *slots;
	struct tenants_shared *shared;
	uint32_t count;
	struct tenant *list;
	struct tenant_pool *pools; /* as many as tenants */
	struct gates gates;
	uint8_t *named; /* by tenant; scratch, under the lock */
};

/* Once, before the fork: makes the mutex. */
int tenants_create(struct tenants *, struct err *e);
void tenants_destroy(struct tenants *);
/* Makes a slot that its caller claimed name the organization's entry; false:
 * there are too many organizations. */
bool tenants_name(
    struct tenants *, const struct uuid *organization, uint32_t slot);
/* Under the lock: its entry, a new one where it has none; SHM_NONE: there are
 * too many. */
uint32_t tenants_make(struct tenants *, const struct uuid *organization);
/* SHM_NONE: it has no entry. */
uint32_t tenants_find(const struct tenants *, const struct uuid *organization);

void tenants_lock(struct tenants *);
void tenants_unlock(struct tenants *);

/* Gates: two of each tenant, then those of the pools. */
static inline uint32_t
tenants_gate_count(uint32_t tenants)
{
	return tenants * 3;
}
static inline uint32_t
gate_of_runs(uint32_t tenant)
{
	return tenant * 2;
}
static inline uint32_t
gate_of_nodes(uint32_t tenant)
{
	return tenant * 2 + 1;
}
static inline bool
gate_is_of_runs(const struct tenants *t, uint32_t gate)
{
	return gate < t->count * 2 && gate % 2 == 0;
}

/* Under the lock: the gate of a pool, GATE_NONE: the tenant has none of that
 * name. */
uint32_t tenants_pool(
    const struct tenants *, uint32_t tenant, const char *name);
/* Under the lock: sets the limits of a tenant's gates. */
void tenants_limit(
    struct tenants *, uint32_t tenant, const struct tenant_limits *);

#endif
