/* fuzz_plan.c - whatever passes plan_check is safe to use. The header's magic,
 * version, size and checksum are put right, or nothing would get past them. */
#include "fuzz.h"

#include <string.h>

#include "../unit/plan_walk.h"
#include "dag/plan_layout.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan *p = malloc(size > 0 ? size : 1);
	struct err e;

	MUST(p != NULL);
	memcpy(p, data, size);
	if (size >= sizeof(*p)) {
		p->magic = PLAN_MAGIC;
		p->version = PLAN_VERSION;
		p->size = size;
		p->checksum = plan_checksum(p, size);
	}
	if (plan_check(p, size, &e) == 0)
		MUST(walk_plan(p) != UINT64_MAX);
	free(p);
	return 0;
}
