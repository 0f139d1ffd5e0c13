/* exec.c - the host's functions: the region and its tables, plans, runs. */
#include <string.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/arena.h"

enum table {
	TABLE_GLOBAL,
	TABLE_ARENAS,
	TABLE_INBOXES,
	TABLE_WORDS,
	TABLE_IDS,
	TABLE_SLOT_PLANS,
	TABLE_SLOTS,
	TABLE_PLAN_CACHE,
	TABLE_PLAN_KEYS,
	TABLE_PLANS,
	TABLE_SLOT_TENANTS,
	TABLE_HELD,
	TABLE_TENANTS_SHARED,
	TABLE_TENANTS,
	TABLE_POOLS,
	TABLE_GATES,
	TABLE_CELLS,
	TABLE_GATE_INBOXES,
	TABLE_COUNT
};

#define NS_PER_S 1000000000ll

void
exec_settings_default(struct exec_settings *s)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	memset(s, 0, sizeof(*s));
	s->shm_bytes = 256u << 20;
	s->arenas = 1;
	s->max_runs = 16384;
	s->max_plans = 1024;
	s->for_each_limit = 100000;
	s->flush_ns = 50000000;
	s->pin = true;
	s->compute.threads = cpus > 0 ? (unsigned)cpus : 1;
	s->compute.lua_time_ns = NS_PER_S;
	s->compute.lua_memory = 64u << 20;
	s->compute.result_bytes = 1u << 20;
	s->runner.result_bytes = 1u << 20;
	s->runner.log_bytes = 64u << 10;
	s->runner.kill_after_ns = 5 * NS_PER_S;
	s->runner.sandbox = true;
	s->http.concurrency = 4096;
	s->http.result_bytes = 1u << 20;
	s->http.memory = 256u << 20;
	s->sql.connections = 256;
	s->sql.pool_connections = 8;
	s->sql.result_bytes = 1u << 20;
}

/* --- the region --- */

static int
settings_check(struct exec_settings *s, struct err *err)
{
	if (s->shm_bytes > SHM_MAX)
		return err_set(err, "invalid_setting",
		    "shared_memory must be at most 32 GiB.");
	if (s->arenas < 1 || s->arenas > 255)
		return err_set(
		    err, "invalid_setting", "arenas must be 1 to 255.");
	if (s->max_runs < 1 || s->max_runs > 1u << 20)
		return err_set(
		    err, "invalid_setting", "max_runs must be 1 to 1048576.");
	if (s->max_plans < 1 || s->max_plans > 1u << 20)
		return err_set(
		    err, "invalid_setting", "max_plans must be 1 to 1048576.");
	if (s->max_tenants == 0)
		s->max_tenants = (s->max_runs + 3) / 4;
	if (s->reserve_bytes == 0)
		s->reserve_bytes = s->shm_bytes / 8;
	if (s->run_bytes == 0)
		s->run_bytes = s->shm_bytes / 4;
	return 0;
}

static int
map(struct exec *e, struct err *err)
{
	const struct exec_settings *s = &e->settings;
	size_t inbox = (bits_size(s->max_runs) + 63) & ~(size_t)63;
	uint32_t gates = tenants_gate_count(s->max_tenants);
	size_t sizes[TABLE_COUNT] = {
	    [TABLE_GLOBAL] = sizeof(struct exec_global),
	    [TABLE_ARENAS] = s->arenas * sizeof(struct arena_shared),
	    [TABLE_INBOXES] = s->arenas * inbox,
	    [TABLE_WORDS] = s->max_runs * sizeof(uint64_t),
	    [TABLE_IDS] = s->max_runs * sizeof(struct uuid),
	    [TABLE_SLOT_PLANS] = s->max_runs * sizeof(uint32_t),
	    [TABLE_SLOTS] = s->max_runs * sizeof(struct slot),
	    [TABLE_PLAN_CACHE] = sizeof(struct plan_cache_shared),
	    [TABLE_PLAN_KEYS] = s->max_plans * sizeof(uint64_t),
	    [TABLE_PLANS] = s->max_plans * sizeof(struct plan_entry),
	    [TABLE_SLOT_TENANTS] = s->max_runs * sizeof(uint32_t),
	    [TABLE_HELD] = s->max_tenants * sizeof(int32_t),
	    [TABLE_TENANTS_SHARED] = sizeof(struct tenants_shared),
	    [TABLE_TENANTS] = s->max_tenants * sizeof(struct tenant),
	    [TABLE_POOLS] = s->max_tenants * sizeof(struct tenant_pool),
	    [TABLE_GATES] = gates * sizeof(struct gate),
	    [TABLE_CELLS] =
		(size_t)s->arenas * gates * sizeof(struct gate_cell),
	    [TABLE_GATE_INBOXES] = s->arenas * bits_stride(gates)};

	if (shm_create(&e->shm, s->shm_bytes, sizes, TABLE_COUNT, err) != 0)
		return -1;
	e->global = shm_table(&e->shm, TABLE_GLOBAL);
	e->arenas = shm_table(&e->shm, TABLE_ARENAS);
	e->inboxes = shm_table(&e->shm, TABLE_INBOXES);
	e->slots = (struct slots){.shm = &e->shm,
	    .count = s->max_runs,
	    .hint = &e->global->slot_hint,
	    .words = shm_table(&e->shm, TABLE_WORDS),
	    .ids = shm_table(&e->shm, TABLE_IDS),
	    .plans = shm_table(&e->shm, TABLE_SLOT_PLANS),
	    .tenants = shm_table(&e->shm, TABLE_SLOT_TENANTS),
	    .held = shm_table(&e->shm, TABLE_HELD),
	    .held_all = &e->global->held_all,
	    .list = shm_table(&e->shm, TABLE_SLOTS)};
	e->plans = (struct plan_cache){.shm = &e->shm,
	    .slots = &e->slots,
	    .shared = shm_table(&e->shm, TABLE_PLAN_CACHE),
	    .count = s->max_plans,
	    .reserve = s->reserve_bytes,
	    .keys = shm_table(&e->shm, TABLE_PLAN_KEYS),
	    .entries = shm_table(&e->shm, TABLE_PLANS)};
	e->tenants = (struct tenants){.slots = &e->slots,
	    .shared = shm_table(&e->shm, TABLE_TENANTS_SHARED),
	    .count = s->max_tenants,
	    .list = shm_table(&e->shm, TABLE_TENANTS),
	    .pools = shm_table(&e->shm, TABLE_POOLS),
	    .gates = {.list = shm_table(&e->shm, TABLE_GATES),
		.cells = shm_table(&e->shm, TABLE_CELLS),
		.count = gates,
		.arenas = s->arenas}};
	e->gate_inboxes = shm_table(&e->shm, TABLE_GATE_INBOXES);
	return 0;
}

static int
arenas_create(struct exec *e, struct err *err)
{
	pthread_mutexattr_t attr;
	int rc = 0;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	for (unsigned i = 0; i < e->settings.arenas; i++)
		e->arenas[i].wake_fd = e->arenas[i].journal_fd = -1;
	for (unsigned i = 0; i < e->settings.arenas && rc == 0; i++) {
		struct arena_shared *s = &e->arenas[i];

		s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		s->journal_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		bits_create(exec_inbox(e, i), e->settings.max_runs);
		bits_create(exec_gate_inbox(e, i), e->tenants.gates.count);
		rc = pthread_mutex_init(&s->lock, &attr);
		if (s->wake_fd < 0 || s->journal_fd < 0)
			rc = -1;
	}
	pthread_mutexattr_destroy(&attr);
	if (rc != 0)
		return err_set(err, "shared_memory",
		    "The system has no eventfds or robust mutexes left.");
	return 0;
}

struct exec *
exec_create(const struct exec_settings *settings, struct err *err)
{
	struct exec *e = calloc(1, sizeof(*e));

	if (e == NULL) {
		err_memory(err);
		return NULL;
	}
	e->settings = *settings;
	if (settings_check(&e->settings, err) != 0 || map(e, err) != 0) {
		free(e);
		return NULL;
	}
	if (arenas_create(e, err) != 0 ||
	    live_create(&e->live, e->settings.arenas, err) != 0 ||
	    plan_cache_create(&e->plans, err) != 0 ||
	    tenants_create(&e->tenants, err) != 0) {
		exec_destroy(e);
		return NULL;
	}
	if (journal_create(e) != 0) {
		err_memory(err);
		exec_destroy(e);
		return NULL;
	}
	return e;
}

int
exec_attach(struct exec *e, unsigned arena, struct err *err)
{
	if (shm_check(&e->shm, err) != 0)
		return -1;
	if (arena >= e->settings.arenas || e->arena != NULL)
		return err_set(err, "invalid_setting",
		    "Arena %u does not exist or a second one was asked for.",
		    arena);
	live_attach(&e->live, arena);
	return arena_start(e, arena, err);
}

void
exec_hold(struct exec *e)
{
	if (e->arena != NULL)
		arena_hold(e->arena);
}

void
exec_detach(struct exec *e)
{
	if (e->arena != NULL)
		arena_stop(e->arena);
}

void
exec_destroy(struct exec *e)
{
	if (e == NULL)
		return;
	exec_detach(e);
	for (unsigned i = 0; i < e->settings.arenas; i++) {
		if (e->arenas[i].wake_fd >= 0)
			close(e->arenas[i].wake_fd);
		if (e->arenas[i].journal_fd >= 0)
			close(e->arenas[i].journal_fd);
	}
	journal_destroy(e);
	plan_cache_destroy(&e->plans);
	tenants_destroy(&e->tenants);
	secret_notes_free(e);
	live_destroy(&e->live);
	shm_destroy(&e->shm);
	free(e);
}

/* --- plans --- */

bool
exec_plan_find(struct exec *e, const struct plan_hash *hash)
{
	return plan_cache_find(&e->plans, hash);
}

int
exec_plan_fits(struct exec *e, const struct plan *plan, struct err *err)
{
	return plan_cache_fits(&e->plans, plan, err);
}

int
exec_plan_put(struct exec *e, const struct plan_hash *hash, const void *plan,
    size_t len, struct err *err)
{
	return plan_cache_put(&e->plans, hash, plan, len, err);
}

/* --- runs --- */

static int
full(struct err *err)
{
	return err_set(err, "executor_full", EXECUTOR_FULL);
}

static void
give_back(struct exec *e, uint32_t slot, struct slot_word w)
{
	if (!slot_step(&e->slots, slot, &w, SLOT_FREEING))
		return;
	slot_release(&e->slots, slot, w);
	arena_memory_freed(e);
}

/* Plans that nobody uses make room for runs. Children may take a part of what
 * others must leave: their parents end only after them. */
static bool
has_room(struct exec *e, bool child)
{
	size_t reserve = e->settings.reserve_bytes;

	if (child)
		reserve -= reserve / 4;

	return shm_free_estimate(&e->shm) >= reserve ||
	       plan_cache_shrink(&e->plans, reserve);
}

/* However many runs one organization has, some slots are left for others: it
 * holds at most SHARE times as many as are free. */
#define SHARE 8

static bool
may_hold(const struct exec *e, uint32_t slot)
{
	int64_t free =
	    (int64_t)e->slots.count -
	    atomic_load_explicit(e->slots.held_all, memory_order_relaxed);
	int64_t held = atomic_load_explicit(
	    &e->slots.held[slot_tenant(&e->slots, slot)], memory_order_relaxed);

	return held <= (free + 1) * SHARE;
}

int
exec_reserve(struct exec *e, const struct run_start *start, struct run_ref *out,
    struct err *err)
{
	struct slot_word w;
	struct slot *slot;
	uint32_t i;

	if (e->arena == NULL || !has_room(e, start->child) ||
	    (atomic_load(&e->global->drain_ns) != 0 &&
		clock_mono_ns() < atomic_load(&e->global->drain_ns)))
		return full(err);
	i = slot_claim(
	    &e->slots, (uint8_t)e->arena->index, e->arena->epoch, &w);
	if (i == SHM_NONE)
		return full(err);
	slot = &e->slots.list[i];
	if (!tenants_name(&e->tenants, &start->organization, i) ||
	    (!start->child && !may_hold(e, i))) {
		give_back(e, i, w);
		return full(err);
	}
	slot->organization = start->organization;
	slot->child = start->child;
	slot->priority =
	    start->priority_given ? start->priority : SLOT_PRIORITY_OF_PLAN;
	slot->allowed = start->allowed;
	e->slots.ids[i] = start->execution;
	if (!slot_text(&e->slots, i, start->context, start->context_len,
		&slot->context)) {
		give_back(e, i, w);
		return full(err);
	}
	slot_step(&e->slots, i, &w, SLOT_RESERVED);
	*out = (struct run_ref){i, w.generation};
	return 0;
}

/* The word of a slot that this worker reserved; false: it did not. */
static bool
reserved_word(const struct exec *e, struct run_ref ref, struct slot_word *w)
{
	if (e->arena == NULL || ref.slot >= e->slots.count)
		return false;
	*w = slot_word(&e->slots, ref.slot);
	return w->state == SLOT_RESERVED && w->generation == ref.generation &&
	       w->arena == e->arena->index && w->epoch == e->arena->epoch;
}

/* The living arena with the fewest runs; this worker's own among equals. */
static unsigned
least_loaded(const struct exec *e)
{
	unsigned best = e->arena->index;
	int32_t load = atomic_load(&e->arenas[best].load);

	for (unsigned i = 0; i < e->settings.arenas; i++) {
		int32_t other = atomic_load(&e->arenas[i].load);

		if (other < load && atomic_load(&e->arenas[i].alive) != 0) {
			best = i;
			load = other;
		}
	}
	return best;
}

int
exec_commit(struct exec *e, struct run_ref ref, const struct plan_hash *hash,
    const struct run_resume *resume, struct err *err)
{
	struct slot_word w, to;

	if (!reserved_word(e, ref, &w))
		return err_set(err, "stale_run",
		    "The run was not reserved by this worker.");
	if (!plan_cache_use(&e->plans, hash, ref.slot))
		return err_set(
		    err, "plan_missing", "The plan is not in shared memory.");
	if (resume != NULL)
		run_asked(&e->slots.list[ref.slot], ref.generation, resume);
	if (resume != NULL && (resume->started_us != 0 || resume->count > 0) &&
	    resume_run(e, ref.slot, resume, err) != 0)
		return -1;
	to = w;
	to.state = SLOT_QUEUED;
	to.arena = (uint8_t)least_loaded(e);
	atomic_fetch_add(&e->arenas[to.arena].load, 1);
	if (!slot_move(&e->slots, ref.slot, w, to))
		return err_set(
		    err, "stale_run", "The run was taken from this worker.");
	/* Dying here is no loss: takeover tells the arena again. */
	arena_look(e, to.arena, ref.slot);
	return 0;
}

void
exec_abandon(struct exec *e, struct run_ref ref)
{
	struct slot_word w;

	if (reserved_word(e, ref, &w))
		give_back(e, ref.slot, w);
}

/* What a dead worker may have put into the slot besides the context. */
static void
orphan_reset(struct slot *slot)
{
	slot->sweep = true;
	slot->heap = slot->heap_end = 0;
	slot->base_us = 0;
	atomic_store(&slot->flushed, 0);
	atomic_store(&slot->flush_to, 0);
	memset(&slot->events, 0, sizeof(slot->events));
	atomic_store(&slot->fans, 0);
	atomic_store(&slot->state.completed, 0);
	atomic_store(&slot->memory, 0);
}

bool
exec_next_orphan(struct exec *e, struct uuid *execution, struct run_ref *out)
{
	if (e->arena == NULL)
		return false;
	for (uint32_t i = 0; i < e->slots.count; i++) {
		struct slot_word w = slot_word(&e->slots, i);
		struct slot_word mine = w;

		if (w.state != SLOT_RESERVED ||
		    w.epoch == (uint16_t)atomic_load(&e->arenas[w.arena].epoch))
			continue;
		mine.arena = (uint8_t)e->arena->index;
		mine.epoch = e->arena->epoch;
		if (!slot_move(&e->slots, i, w, mine))
			continue;
		orphan_reset(&e->slots.list[i]);
		*execution = e->slots.ids[i];
		*out = (struct run_ref){i, w.generation};
		return true;
	}
	return false;
}

bool
exec_find(struct exec *e, const struct uuid *execution, struct run_ref *out)
{
	struct slot_word w;
	uint32_t i = slot_find(&e->slots, execution, &w);

	if (i == SHM_NONE)
		return false;
	*out = (struct run_ref){i, w.generation};
	return true;
}

void
exec_status(struct exec *e, struct exec_status *s)
{
	memset(s, 0, sizeof(*s));
	s->bytes_total = (size_t)e->shm.head->block_count * SHM_BLOCK;
	s->bytes_free = (size_t)shm_count(&e->shm) * SHM_BLOCK;
	for (uint32_t i = 0; i < e->slots.count; i++)
		s->runs += slot_word(&e->slots, i).state != SLOT_FREE;
	s->runs_max = e->slots.count;
	s->plans = plan_cache_count(&e->plans);
	s->arenas = e->settings.arenas;
	for (unsigned i = 0; i < s->arenas; i++) {
		const struct arena_shared *a = &e->arenas[i];

		s->arenas_alive += atomic_load(&a->alive);
		s->nodes_completed += atomic_load(&a->nodes_completed);
		s->runs_completed += atomic_load(&a->runs_completed);
	}
	s->takeovers = atomic_load(&e->global->takeovers);
}
