/* fair.c - a circle of tenants, each with a line of items per priority. */
#include "exec/fair.h"

#include <stdlib.h>
#include <string.h>

int
fair_create(struct fair *f, uint32_t tenant_count)
{
	memset(f, 0, sizeof(*f));
	f->tenant_count = tenant_count > 0 ? tenant_count : 1;
	f->tenants = calloc(f->tenant_count, sizeof(*f->tenants));
	return f->tenants == NULL ? -1 : 0;
}

void
fair_free(struct fair *f)
{
	free(f->tenants);
	memset(f, 0, sizeof(*f));
}

/* --- the circle --- */

static void
circle_join(struct fair *f, uint32_t tenant)
{
	struct fair_tenant *t = &f->tenants[tenant];
	struct fair_tenant *at;

	if (f->turn == 0) {
		t->next = t->prev = f->turn = tenant + 1;
		return;
	}
	at = &f->tenants[f->turn - 1]; /* behind all others */
	t->next = f->turn;
	t->prev = at->prev;
	f->tenants[at->prev - 1].next = tenant + 1;
	at->prev = tenant + 1;
}

static void
circle_leave(struct fair *f, uint32_t tenant)
{
	struct fair_tenant *t = &f->tenants[tenant];

	if (t->next == tenant + 1) {
		f->turn = 0;
		return;
	}
	f->tenants[t->prev - 1].next = t->next;
	f->tenants[t->next - 1].prev = t->prev;
	if (f->turn == tenant + 1)
		f->turn = t->next;
}

/* --- items --- */

void
fair_push(struct fair *f, struct fair_item *item, uint32_t tenant, int priority)
{
	struct fair_tenant *t;
	struct fair_line *line;

	if (item->queued)
		return;
	if (priority > PRIORITY_MAX)
		priority = PRIORITY_MAX;
	if (priority < PRIORITY_MIN)
		priority = PRIORITY_MIN;
	item->tenant = tenant < f->tenant_count ? tenant : 0;
	item->level = (uint8_t)(PRIORITY_MAX - priority);
	item->queued = true;
	item->age = f->pushes++;
	t = &f->tenants[item->tenant];
	if (t->count++ == 0)
		circle_join(f, item->tenant);
	line = &t->lines[item->level];
	item->next = NULL;
	item->prev = line->last;
	if (line->last != NULL)
		line->last->next = item;
	else
		line->first = item;
	line->last = item;
	t->used[item->level / 64] |= UINT64_C(1) << item->level % 64;
	f->count++;
}

void
fair_remove(struct fair *f, struct fair_item *item)
{
	struct fair_tenant *t = &f->tenants[item->tenant];
	struct fair_line *line = &t->lines[item->level];

	if (!item->queued)
		return;
	if (item->next != NULL)
		item->next->prev = item->prev;
	else
		line->last = item->prev;
	if (item->prev != NULL)
		item->prev->next = item->next;
	else
		line->first = item->next;
	if (line->first == NULL)
		t->used[item->level / 64] &= ~(UINT64_C(1) << item->level % 64);
	item->queued = false;
	f->count--;
	if (--t->count == 0)
		circle_leave(f, item->tenant);
}

/* Only where it has items. */
static unsigned
first_level(const struct fair_tenant *t)
{
	unsigned w = 0;

	while (t->used[w] == 0)
		w++;
	return w * 64 + (unsigned)__builtin_ctzll(t->used[w]);
}

static struct fair_item *
oldest(const struct fair_tenant *t)
{
	struct fair_item *found = NULL;

	for (unsigned w = 0; w < FAIR_WORDS; w++)
		for (uint64_t m = t->used[w]; m != 0; m &= m - 1) {
			unsigned level = w * 64 + (unsigned)__builtin_ctzll(m);
			struct fair_item *item = t->lines[level].first;

			if (found == NULL || item->age < found->age)
				found = item;
		}
	return found;
}

struct fair_item *
fair_pop_of(struct fair *f, uint32_t tenant)
{
	struct fair_tenant *t = &f->tenants[tenant];
	struct fair_item *item;

	if (t->count == 0)
		return NULL;
	if (++t->picks % FAIR_AGED == 0)
		item = oldest(t);
	else
		item = t->lines[first_level(t)].first;
	fair_remove(f, item);
	return item;
}

struct fair_item *
fair_pop(struct fair *f)
{
	uint32_t turn = f->turn;
	struct fair_item *item;

	if (turn == 0)
		return NULL;
	item = fair_pop_of(f, turn - 1);
	if (f->turn == turn) /* it has more: behind the others */
		f->turn = f->tenants[turn - 1].next;
	return item;
}

int
fair_best_of(const struct fair *f, uint32_t tenant)
{
	return PRIORITY_MAX - (int)first_level(&f->tenants[tenant]);
}
