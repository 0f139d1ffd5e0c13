/* live_topic.h - between subscription.c (who is told what) and live_feed.c (what
 * happens).
 *
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_LIVE_TOPIC_H
#define OPEN_WEB_LIVE_TOPIC_H

#include <string.h>

#include "web/subscription.h"

struct live_load;
struct group;

/* An execution that somebody here listens to. */
struct live_topic {
	struct uuid execution, organization;
	struct group *groups;
	struct live_topic *next, **at; /* of its bucket */
	struct live_load *loads;       /* under way */
	/* All that happened before was told; and what was told last, so that it
	 * is not told again (NULL: nothing yet). */
	int64_t last_us;
	uint64_t *recent;
	uint32_t recent_at;
	enum run_status status;
	unsigned busy; /* somebody goes through it: nothing of it is freed */
	bool paused, ended;
	bool away; /* not in this server, when last looked: */
	int64_t looked_ns;
};

/* --- live_feed.c --- */
struct live_topic *live_topic_find(const struct uuid *execution);
/* Of the value's execution: made if there is none. NULL: out of memory. */
struct live_topic *live_topic_make(const struct live_value *);
/* After busy++ and what followed: --busy, and it goes if nobody listens. */
void live_topic_rest(struct live_topic *);
/* Looks whether the run is here, else asks the database what changed. */
void live_topic_look(struct live_topic *);
/* What changed since then, for one subscriber only. */
void live_topic_replay(
    struct live_topic *, struct subscriber *, int64_t since_us);
/* It left: nothing is loaded for it any more. */
void live_topic_forget(struct live_topic *, const struct subscriber *);

/* Looks at all of them (which NULL), or some. */
void live_topics_look(bool (*which)(struct live_topic *));
void live_topics_away(void (*each)(void *, const struct live_topic *), void *);

static inline uint32_t
live_hash(const struct uuid *id)
{
	uint32_t a, b;

	memcpy(&a, id->bytes + 4, sizeof(a));
	memcpy(&b, id->bytes + 8, sizeof(b));
	return (a ^ b) * 2654435761u;
}

/* --- live_remote.c --- */
void live_remote_start(void);
/* Tells the other servers which of our executions are not here. */
void live_remote_watch(void);

/* --- live_plan.c --- */
/* Freed by free(); NULL: out of memory. */
struct live_plan *live_plan_copy(const struct live_plan *);

/* --- subscription.c --- */
/* To all groups that it is for; the value stays the caller's. only: to one
 * subscriber, or NULL. */
void subscription_publish(
    struct live_topic *, struct live_value *, struct subscriber *only);
/* The execution has ended: so do all subscriptions, once their events are told.
 */
void subscription_end(struct live_topic *, struct subscriber *only);
/* Groups without members. */
void subscription_sweep(struct live_topic *);
bool subscription_wants_nodes(const struct live_topic *, bool *texts);

#endif
