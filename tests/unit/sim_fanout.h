/* sim_fanout.h - a node with for_each in the simulation of the scheduler: random
 * lists, outcomes, retries and stops, and a log that outlives every crash. The
 * world is rnd(), which whoever includes this has. */
#ifndef TESTS_SIM_FANOUT_H
#define TESTS_SIM_FANOUT_H

#include <string.h>

#include "exec/fanout.h"

#define FAN_MAX 12

struct sim_fan {
	struct fanout f;
	struct node_record records[FAN_MAX];
	const struct plan_node *plan;
	bool known;   /* the list was journalled: it stays */
	bool opened;  /* by this life */
	bool stopped; /* asked to */
	uint32_t count;
	uint32_t logged, durable; /* of the log; of it, in the database */
	struct {
		uint32_t element;
		struct node_record end;
	} log[FAN_MAX];
	bool running[FAN_MAX];
	uint32_t starts[FAN_MAX], ends[FAN_MAX];
};

static uint32_t rnd(uint32_t below);

static inline void
fan_check(const struct sim_fan *s)
{
	uint32_t places = 0, ended = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		enum node_state state = node_state(&s->records[i]);

		places += state == NODE_RUNNING || state == NODE_RETRY;
		ended += state >= NODE_SUCCESS;
		assert_true(s->ends[i] <= 1);
		assert_int_equal(s->running[i], state == NODE_RUNNING);
	}
	assert_int_equal(places, s->f.active);
	assert_int_equal(ended, s->f.ended);
	assert_true(places <= s->f.concurrency);
}

/* The node starts: for the first time, or again after a crash. */
static inline void
fan_open(struct sim_fan *s, const struct plan_node *plan)
{
	if (!s->known) {
		s->count = rnd(FAN_MAX + 1);
		s->known = true;
	}
	s->plan = plan;
	s->opened = true;
	s->stopped = false;
	fanout_create(&s->f, s->records, s->count, plan->concurrency);
	for (uint32_t k = 0; k < s->logged; k++)
		fanout_restore(&s->f, s->log[k].element, &s->log[k].end);
	fanout_rebuild(&s->f);
	fan_check(s);
}

static inline void
fan_log(struct sim_fan *s, uint32_t element, enum node_state state, int64_t now)
{
	struct node_record end = s->records[element];

	assert_true(s->logged < s->count);
	assert_int_equal(++s->ends[element], 1);
	end.completed_ns = now;
	atomic_store(&end.state, (uint8_t)state);
	s->log[s->logged].element = element;
	s->log[s->logged++].end = end;
}

static inline void
fan_end(struct sim_fan *s, uint32_t element, enum node_state state, int64_t now)
{
	fan_log(s, element, state, now);
	s->running[element] = false;
	fanout_end(&s->f, element, state, now);
	if (fanout_open(&s->f))
		return;
	for (uint32_t i = 0; i < s->count; i++)
		if (node_state(&s->records[i]) == NODE_RETRY) {
			fan_log(s, i, NODE_CANCELLED, now);
			fanout_end(&s->f, i, NODE_CANCELLED, now);
		}
}

static inline void
fan_start(struct sim_fan *s, uint32_t element, int64_t now)
{
	assert_false(s->running[element]);
	assert_int_equal(s->ends[element], 0);
	assert_false(s->stopped);
	for (uint32_t k = 0; k < s->logged; k++)
		assert_int_not_equal(node_state(&s->log[k].end), NODE_FAILED);
	fanout_start(&s->f, element, now);
	s->running[element] = true;
	s->starts[element]++;
}

static inline void
fan_stop(struct sim_fan *s, int64_t now)
{
	fanout_stop(&s->f);
	s->stopped = true;
	for (uint32_t i = 0; i < s->count; i++)
		if (node_state(&s->records[i]) == NODE_RETRY)
			fan_end(s, i, NODE_CANCELLED, now);
	fan_check(s);
}

/* A running element ends somehow. */
static inline void
fan_finish(struct sim_fan *s, uint32_t i, uint32_t failing, int64_t now)
{
	uint32_t dice = rnd(100);
	uint16_t attempts = s->records[i].attempts;
	bool retryable = rnd(4) != 0;

	if (s->stopped && dice < 80) {
		fan_end(s, i, NODE_CANCELLED, now);
	} else if (dice >= failing / 4) {
		fan_end(s, i, NODE_SUCCESS, now);
	} else if (fanout_may_retry(&s->f, s->plan, i, retryable)) {
		assert_true(retryable && attempts <= s->plan->retry_limit);
		assert_true(fanout_open(&s->f));
		assert_true(record_retry(s->plan, &s->records[i], now,
				rnd(UINT32_MAX)) >= now);
		s->running[i] = false;
	} else {
		fan_end(s, i, NODE_FAILED, now);
	}
}

/* Something can happen in it though nothing may start. */
static inline bool
fan_runs(const struct sim_fan *s)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->running[i])
			return true;
	return fanout_ended(&s->f);
}

/* One thing happens in it; it has not ended. */
static inline void
fan_step(struct sim_fan *s, uint32_t failing, bool paused, int64_t now)
{
	uint32_t first = rnd(s->count), i;

	if (!paused && rnd(2) && fanout_next(&s->f, &i)) {
		fan_start(s, i, now);
		fan_check(s);
		return;
	}
	for (uint32_t k = 0; k < s->count; k++) {
		i = (first + k) % s->count;
		if (s->running[i])
			fan_finish(s, i, failing, now);
		else if (!paused && node_state(&s->records[i]) == NODE_RETRY)
			fan_start(s, i, now);
		else
			continue;
		fan_check(s);
		return;
	}
	/* Nothing runs and nothing waits: there must be one to start. */
	assert_false(paused);
	assert_true(fanout_next(&s->f, &i));
	fan_start(s, i, now);
	fan_check(s);
}

/* The process is gone. Sometimes the end of an element got into the log and not
 * into its record. */
static inline void
fan_crash(struct sim_fan *s, int64_t now)
{
	for (uint32_t i = 0; i < s->count && s->opened; i++)
		if (s->running[i] && rnd(20) == 0) {
			fan_log(s, i, NODE_SUCCESS, now);
			break;
		}
	memset(s->running, 0, sizeof(s->running));
	memset(&s->f, 0xaa, sizeof(s->f));
	s->opened = false;
}

/* So is the memory: what is left is some of the log. */
static inline void
fan_lose_memory(struct sim_fan *s)
{
	s->durable += rnd(s->logged - s->durable + 1);
	for (; s->logged > s->durable; s->logged--)
		s->ends[s->log[s->logged - 1].element]--;
	memset(s->records, 0, sizeof(s->records));
}

/* The node's own end agrees with what its elements came to. */
static inline void
fan_check_final(const struct sim_fan *s, enum node_state node)
{
	uint32_t failed = 0, succeeded = 0;

	for (uint32_t k = 0; k < s->logged; k++) {
		failed += node_state(&s->log[k].end) == NODE_FAILED;
		succeeded += node_state(&s->log[k].end) == NODE_SUCCESS;
	}
	if (node == NODE_SUCCESS)
		assert_int_equal(succeeded, s->count);
	else if (node == NODE_FAILED)
		assert_true(failed > 0);
	else
		assert_true(s->stopped || succeeded < s->count);
	assert_true(s->logged <= s->count);
}

#endif
