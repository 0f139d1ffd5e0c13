/* plan_layout.h - where a plan's tables lie and how names are hashed: what
 * plan.c writes and plan_check.c demands. Only for modules/dag.
 *
 * Process:  pure functions, any thread.
 */
#ifndef OPEN_DAG_PLAN_LAYOUT_H
#define OPEN_DAG_PLAN_LAYOUT_H

#include "dag/plan.h"

/* Fills the offsets and names_mask of p from its counts; the blob's offset, or
 * 0 if it is beyond 4 GiB. */
uint32_t plan_layout(struct plan *p);

uint64_t plan_name_hash(uint32_t seed, const char *name, size_t len);
uint32_t plan_checksum(const struct plan *p, size_t len);

#endif
