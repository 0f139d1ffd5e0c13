/* handoff.c - runs whose rows are durable go to an arena after their requests
 * were answered: its thread, woken on the CPU that the event loop works on,
 * would run them while the answers wait.
 *
 *   started (start.c) ──► list, eventfd ──► answers ──► next turn: exec_commit
 *
 * A worker that dies in between leaves orphans (exec_next_orphan).
 */

#include <sys/eventfd.h>

#include <stdlib.h>
#include <unistd.h>

#include "web/kore_api.h"
#include "web/server.h"

struct handed {
	struct uuid execution;
	struct run_ref run;
	struct plan_hash hash;
};

static struct {
	struct kore_event event; /* first: Kore's event loop asks for it */
	int fd;
	struct handed *list;
	size_t count, room;
} state;

static void
hand(const struct handed *h)
{
	struct err e;

	err_clear(&e);
	if (exec_commit(server.exec, h->run, &h->hash, NULL, &e) != 0)
		recovery_plan(&h->execution, h->run);
}

void
handoff_all(void)
{
	size_t i;

	for (i = 0; i < state.count; i++)
		hand(&state.list[i]);
	state.count = 0;
}

static void
readable(void *arg, int error)
{
	uint64_t n;

	(void)arg;
	(void)error;
	state.event.flags = 0;
	if (read(state.fd, &n, sizeof(n)) == sizeof(n))
		handoff_all();
}

static bool
grow(void)
{
	size_t room = state.room == 0 ? 256 : state.room * 2;
	struct handed *list;

	if (state.count < state.room)
		return true;
	list = realloc(state.list, room * sizeof(*list));
	if (list == NULL)
		return false;
	state.list = list;
	state.room = room;
	return true;
}

void
handoff(const struct uuid *execution, struct run_ref run,
    const struct plan_hash *hash)
{
	struct handed one = {*execution, run, *hash};
	uint64_t n = 1;

	if (state.fd < 0 || !grow()) {
		hand(&one);
		return;
	}
	state.list[state.count++] = one;
	if (state.count == 1 && write(state.fd, &n, sizeof(n)) != sizeof(n))
		handoff_all();
}

void
handoff_start(void)
{
	state.event.type = KORE_TYPE_TASK;
	state.event.handle = readable;
	state.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (state.fd >= 0)
		kore_platform_event_schedule(state.fd, EPOLLIN, 0, &state);
}
