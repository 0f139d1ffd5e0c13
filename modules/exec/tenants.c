/* tenants.c - a hash table with short, bounded searches: an organization is in
 * one of WINDOW places after its hash, or nowhere. */
#include "exec/tenants.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 32

int
tenants_create(struct tenants *t, struct err *e)
{
	pthread_mutexattr_t attr;
	int rc;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	rc = pthread_mutex_init(&t->shared->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	if (rc != 0)
		return err_set(e, "shared_memory",
		    "The system has no process-shared robust mutexes.");
	for (uint32_t i = 0; i < t->gates.count; i++)
		atomic_store(&t->gates.list[i].limit, GATE_OPEN);
	t->named = calloc(t->count, 1);
	return t->named != NULL ? 0 : err_memory(e);
}

void
tenants_destroy(struct tenants *t)
{
	free(t->named);
}

static void
find_named(struct tenants *t)
{
	memset(t->named, 0, t->count);
	for (uint32_t i = 0; i < t->slots->count; i++) {
		uint32_t tenant = atomic_load(&t->slots->tenants[i]);

		if (tenant != 0)
			t->named[tenant - 1] = 1;
	}
}

/* An entry that is changing was marked before the slots are looked at: who
 * names it since sees the mark. */
static void
settle(struct tenants *t, uint32_t i)
{
	if (atomic_load(&t->list[i].state) == TENANT_CHANGING)
		atomic_store(&t->list[i].state,
		    t->named[i] ? TENANT_READY : TENANT_FREE);
}

void
tenants_lock(struct tenants *t)
{
	int rc = pthread_mutex_lock(&t->shared->lock);

	if (rc != EOWNERDEAD) {
		assert(rc == 0);
		return;
	}
	find_named(t);
	for (uint32_t i = 0; i < t->count; i++)
		settle(t, i);
	pthread_mutex_consistent(&t->shared->lock);
}

void
tenants_unlock(struct tenants *t)
{
	pthread_mutex_unlock(&t->shared->lock);
}

/* The n-th place of an organization. Its bytes are random, most of them. */
static uint32_t
place(const struct tenants *t, const struct uuid *organization, uint32_t n)
{
	uint64_t h;

	memcpy(&h, organization->bytes + 8, sizeof(h));
	h = (h ^ h >> 29) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(((h >> 32) + n) % t->count);
}

static uint32_t
window(const struct tenants *t)
{
	return t->count < WINDOW ? t->count : WINDOW;
}

static bool
is_at(const struct tenants *t, uint32_t i, const struct uuid *organization)
{
	return atomic_load(&t->list[i].state) == TENANT_READY &&
	       uuid_equal(&t->list[i].organization, organization);
}

uint32_t
tenants_find(const struct tenants *t, const struct uuid *organization)
{
	for (uint32_t n = 0; n < window(t); n++) {
		uint32_t i = place(t, organization, n);

		if (is_at(t, i, organization))
			return i;
	}
	return SHM_NONE;
}

/* --- limits, under the lock --- */

static uint32_t
gate_of_pool(const struct tenants *t, uint32_t pool)
{
	return t->count * 2 + pool;
}

static void
pool_free(struct tenants *t, uint32_t pool)
{
	atomic_store(&t->gates.list[gate_of_pool(t, pool)].limit, GATE_OPEN);
	t->pools[pool].tenant = 0;
}

static uint32_t
pool_find(const struct tenants *t, uint32_t tenant, const char *name)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (t->pools[i].tenant == tenant + 1 &&
		    strcmp(t->pools[i].name, name) == 0)
			return i;
	return GATE_NONE;
}

uint32_t
tenants_pool(const struct tenants *t, uint32_t tenant, const char *name)
{
	uint32_t i = pool_find(t, tenant, name);

	if (i == GATE_NONE ||
	    gate_limit(&t->gates, gate_of_pool(t, i)) == GATE_GONE)
		return GATE_NONE;
	return gate_of_pool(t, i);
}

static void
pool_limit(struct tenants *t, uint32_t tenant, const char *name, uint32_t limit)
{
	uint32_t i = pool_find(t, tenant, name);

	if (i == GATE_NONE)
		for (i = 0; i < t->count && t->pools[i].tenant != 0;)
			i++;
	if (i == t->count)
		return; /* too many pools: it stays unknown */
	if (t->pools[i].tenant == 0) {
		memcpy(t->pools[i].name, name, strlen(name) + 1);
		t->pools[i].tenant = tenant + 1;
	}
	atomic_store(&t->gates.list[gate_of_pool(t, i)].limit, limit);
}

static bool
is_limited(const struct tenant_limits *limits, const char *name)
{
	for (uint32_t i = 0; i < limits->pool_count; i++)
		if (strcmp(limits->pools[i].name, name) == 0)
			return true;
	return false;
}

void
tenants_limit(
    struct tenants *t, uint32_t tenant, const struct tenant_limits *limits)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (t->pools[i].tenant == tenant + 1 &&
		    !is_limited(limits, t->pools[i].name))
			atomic_store(&t->gates.list[gate_of_pool(t, i)].limit,
			    GATE_GONE);
	for (uint32_t i = 0; i < limits->pool_count; i++)
		pool_limit(
		    t, tenant, limits->pools[i].name, limits->pools[i].limit);
	atomic_store(
	    &t->gates.list[gate_of_runs(tenant)].limit, limits->executions);
	atomic_store(
	    &t->gates.list[gate_of_nodes(tenant)].limit, limits->nodes);
	atomic_store(&t->list[tenant].exceeded, limits->exceeded);
	atomic_store(&t->list[tenant].known, 1);
}

/* --- making one, under the lock --- */

/* Frees the entries of the window that no slot names. */
static void
evict(struct tenants *t, const struct uuid *organization)
{
	for (uint32_t n = 0; n < window(t); n++)
		atomic_store(
		    &t->list[place(t, organization, n)].state, TENANT_CHANGING);
	find_named(t);
	for (uint32_t n = 0; n < window(t); n++)
		settle(t, place(t, organization, n));
}

static uint32_t
find_free(const struct tenants *t, const struct uuid *organization)
{
	for (uint32_t n = 0; n < window(t); n++) {
		uint32_t i = place(t, organization, n);

		if (atomic_load(&t->list[i].state) == TENANT_FREE)
			return i;
	}
	return SHM_NONE;
}

/* Nothing of the organization that had the entry is left but its limits. */
static void
tenant_reset(struct tenants *t, uint32_t i)
{
	for (uint32_t k = 0; k < t->count; k++)
		if (t->pools[k].tenant == i + 1)
			pool_free(t, k);
	atomic_store(&t->gates.list[gate_of_runs(i)].limit, GATE_OPEN);
	atomic_store(&t->gates.list[gate_of_nodes(i)].limit, GATE_OPEN);
	atomic_store(&t->list[i].exceeded, 0);
	atomic_store(&t->list[i].known, 0);
}

uint32_t
tenants_make(struct tenants *t, const struct uuid *organization)
{
	uint32_t i = tenants_find(t, organization);

	if (i != SHM_NONE)
		return i;
	i = find_free(t, organization);
	if (i == SHM_NONE) {
		evict(t, organization);
		i = find_free(t, organization);
	}
	if (i == SHM_NONE)
		return i;
	tenant_reset(t, i);
	t->list[i].organization = *organization;
	atomic_store(&t->list[i].state, TENANT_READY);
	return i;
}

bool
tenants_name(struct tenants *t, const struct uuid *organization, uint32_t slot)
{
	uint32_t i = tenants_find(t, organization);

	if (i != SHM_NONE) {
		slot_name_tenant(t->slots, slot, i);
		if (is_at(t, i, organization))
			return true;
		slot_forget_tenant(t->slots, slot);
	}
	tenants_lock(t);
	/* In the lock nobody evicts: the name holds. */
	i = tenants_make(t, organization);
	if (i != SHM_NONE)
		slot_name_tenant(t->slots, slot, i);
	tenants_unlock(t);
	return i != SHM_NONE;
}
