/* http_pool.c - an organization's curl: its sockets in the client's epoll, its
 * timer in the client's heap; kept a while after its last transfer. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "exec/http_client.h"

#define IDLE_NS	    INT64_C(15000000000)
#define IDLE_POOLS  32
#define CONNECTIONS 64L /* kept open for reuse, of a pool */

static void
idle_remove(struct pool *p)
{
	struct http_client *c = p->client;

	if (!p->idle)
		return;
	p->idle = false;
	c->idle_count--;
	if (p->idle_prev != NULL)
		p->idle_prev->idle_next = p->idle_next;
	else
		c->idle = p->idle_next;
	if (p->idle_next != NULL)
		p->idle_next->idle_prev = p->idle_prev;
	else
		c->idle_last = p->idle_prev;
}

static void
idle_add(struct pool *p)
{
	struct http_client *c = p->client;

	p->idle = true;
	p->idle_until = clock_mono_ns() + IDLE_NS;
	p->idle_next = NULL;
	p->idle_prev = c->idle_last;
	if (c->idle_last != NULL)
		c->idle_last->idle_next = p;
	else
		c->idle = p;
	c->idle_last = p;
	c->idle_count++;
}

void
pool_free(struct pool *p)
{
	idle_remove(p);
	timer_cancel(&p->client->timers, &p->timer);
	if (p->multi != NULL)
		curl_multi_cleanup(p->multi);
	p->client->pools[p->index] = NULL;
	free(p);
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct pool *p = arg;
	struct epoll_event event = {
	    .data.u64 = (uint64_t)p->index << 32 | (uint32_t)fd};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(p->client->fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	if (known != NULL &&
	    epoll_ctl(p->client->fd, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	if (epoll_ctl(p->client->fd, EPOLL_CTL_ADD, fd, &event) != 0)
		epoll_ctl(p->client->fd, EPOLL_CTL_MOD, fd, &event);
	curl_multi_assign(p->multi, fd, p);
	return 0;
}

static int
on_timer(CURLM *multi, long ms, void *arg)
{
	struct pool *p = arg;
	struct timers *timers = &p->client->timers;

	(void)multi;
	if (ms < 0)
		timer_cancel(timers, &p->timer);
	else if (timer_arm(timers, &p->timer,
		     clock_mono_ns() + (int64_t)ms * 1000000) != 0)
		return -1;
	return 0;
}

static bool
pool_slot(struct http_client *c, uint32_t *index)
{
	struct pool **more;
	uint32_t cap;

	for (*index = 0; *index < c->pool_cap; (*index)++)
		if (c->pools[*index] == NULL)
			return true;
	cap = c->pool_cap > 0 ? c->pool_cap * 2 : 16;
	more = realloc(c->pools, cap * sizeof(struct pool *));
	if (more == NULL)
		return false;
	memset(
	    more + c->pool_cap, 0, (cap - c->pool_cap) * sizeof(struct pool *));
	c->pools = more;
	c->pool_cap = cap;
	return true;
}

static struct pool *
pool_new(struct http_client *c, const struct scope *scope)
{
	struct pool *p;
	uint32_t index;

	if (!pool_slot(c, &index) || (p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->timer.kind = HTTP_TIMER_POOL;
	p->index = index;
	p->client = c;
	p->organization = scope->organization;
	p->allowed = scope->allowed;
	c->pools[index] = p;
	p->multi = curl_multi_init();
	if (p->multi == NULL) {
		pool_free(p);
		return NULL;
	}
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p);
	curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS);
	return p;
}

/* What a run may is part of the key: a connection that one run was allowed to
 * open is not for one that isn't. */
struct pool *
pool_get(struct http_client *c, const struct scope *scope)
{
	for (uint32_t i = 0; i < c->pool_cap; i++) {
		struct pool *p = c->pools[i];

		if (p != NULL && p->allowed == scope->allowed &&
		    uuid_equal(&p->organization, &scope->organization)) {
			idle_remove(p);
			return p;
		}
	}
	return pool_new(c, scope);
}

void
pool_rest(struct pool *p)
{
	struct http_client *c = p->client;

	if (p->active == 0 && p->queue == NULL && !p->idle)
		idle_add(p);
	if (c->idle_count > IDLE_POOLS) /* it grows by one at a time */
		pool_free(c->idle);
}
