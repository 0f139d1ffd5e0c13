/* faults.c - a bounded list of faults with their places. */
#include "graphql/faults.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

static const struct gql_place nowhere;

void
gql_faults_create(struct gql_faults *faults, struct mem *m, uint32_t max)
{
	faults->mem = m;
	faults->first = NULL;
	faults->last = &faults->first;
	faults->count = 0;
	faults->max = max == 0 ? GQL_FAULTS_MAX : max;
	faults->full = false;
}

static struct gql_fault *
append(struct gql_faults *faults, const char *code, const char *message,
    size_t len)
{
	struct gql_fault *fault = mem_alloc(faults->mem, sizeof(*fault));

	if (fault == NULL)
		return NULL;
	fault->code = code;
	fault->message = mem_strndup(faults->mem, message, len);
	if (fault->message == NULL)
		return NULL;
	*faults->last = fault;
	faults->last = &fault->next;
	faults->count++;
	return fault;
}

static struct gql_fault *
append_full(struct gql_faults *faults)
{
	static const char text[] = "There are too many errors; the check "
				   "stopped here.";

	if (!faults->full &&
	    append(faults, "too_many_errors", text, sizeof(text) - 1) != NULL)
		faults->full = true;
	return NULL;
}

struct gql_fault *
gql_fault_add(struct gql_faults *faults, const char *code, struct gql_place at,
    const char *fmt, ...)
{
	char text[GQL_MESSAGE_MAX];
	struct gql_fault *fault;
	va_list ap;
	int n;

	if (faults->count >= faults->max)
		return append_full(faults);
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(text)) {
		n = (int)sizeof(text) - 1;
		utf8_cut(text, (size_t)n);
	}
	fault = append(faults, code, text, (size_t)n);
	gql_fault_at(faults, fault, at);
	return fault;
}

/* Room doubles, so that a fault with n places takes time linear in n. */
void
gql_fault_at(
    struct gql_faults *faults, struct gql_fault *fault, struct gql_place at)
{
	struct gql_place *grown;
	uint32_t n;

	if (fault == NULL || at.line == nowhere.line)
		return;
	n = fault->place_count;
	if ((n & (n - 1)) == 0) {
		grown = mem_array(
		    faults->mem, n == 0 ? 1 : 2 * (size_t)n, sizeof(*grown));
		if (grown == NULL)
			return;
		for (uint32_t i = 0; i < n; i++)
			grown[i] = fault->places[i];
		fault->places = grown;
	}
	fault->places[fault->place_count++] = at;
}
