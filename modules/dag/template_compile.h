/* template_compile.h - writes and checks the templates of template.h. Only for
 * modules/dag.
 *
 * A value's contents follow the block of values it stands in: for each value of
 * the block in turn, its string, its path's steps and then their names, or the
 * block of its items and then theirs. Everything starts at a multiple of 8.
 */
#ifndef OPEN_DAG_TEMPLATE_COMPILE_H
#define OPEN_DAG_TEMPLATE_COMPILE_H

#include "dag/op.h"
#include "dag/plan.h"
#include "dag/secret.h"
#include "dag/template.h"

#define TEMPLATE_DEPTH_MAX (JSON_MAX_DEPTH + 2)

/* All append to a plan whose tables and names are complete, at the end of
 * out; the offset of the value, 0 if out failed. is_static is set to false
 * where there is a ${{ }}. items: item and index are known there. */
uint32_t template_put(struct buf *out, const struct op_schema *op,
    const struct json *with, bool items, bool *is_static);
uint32_t template_put_list(struct buf *out, const struct json *for_each);
uint32_t template_put_expression(struct buf *out, const char *code, size_t len);
void template_align(struct buf *out);

/* Checks the value at *cursor and everything in it, all of which must lie in
 * the plan's first size bytes; moves the cursor behind it. Sets is_static. */
bool template_check(const struct plan *p, uint64_t size, uint64_t *cursor,
    bool items, bool *is_static);

/* Calls found (NULL: only counts) with the name of each ${{ secrets.NAME }} in
 * the value at offset, 0: none; how many. The value was written or checked. */
uint32_t template_secrets(
    const struct plan *p, uint32_t offset, secret_found found, void *ctx);
const struct template_value *template_at(const struct plan *p, uint64_t offset);

#endif
