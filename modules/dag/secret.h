/* secret.h - ${{ secrets.NAME }}: where a document may name a secret, and which
 * ones a plan names. What their values are is nobody's business here.
 *
 * Rule:     a secret stands alone in its ${{ }}, in a parameter (`with`) whose
 *           text is no Lua; never in `when`, in an expression or in a script.
 *           So its value never gets into a place that keeps it.
 * Names:    a letter or _, then letters, digits and _; at most 100 bytes.
 * Process:  pure functions, any thread.
 */
#ifndef OPEN_DAG_SECRET_H
#define OPEN_DAG_SECRET_H

#include "dag/plan.h"

#define SECRET_NAME_MAX	 100
#define SECRET_VALUE_MAX 65536u /* bytes */
#define SECRETS_MAX	 64	/* different ones in a document */

bool secret_name_valid(const char *name, size_t len);
/* A value: 1 to SECRET_VALUE_MAX bytes of UTF-8 without NUL. Why not, or NULL.
 */
const char *secret_value_fault(const char *value, size_t len);

/* Whether Lua code reads a variable called secrets (lexically: also one of its
 * own). */
bool secret_is_read(const char *code, size_t len);
/* The name in an expression that is secrets.NAME and nothing else, in m; NULL:
 * it is something else, or m failed. */
const char *secret_reference(
    const char *code, size_t len, struct mem *m, uint32_t *name_len);

typedef void (*secret_found)(void *ctx, const char *name, uint32_t len);
/* The secrets that a node's parameters name, one after the other; found may be
 * NULL. How many. O(1) where there are none. */
uint32_t plan_secrets(
    const struct plan *p, uint32_t node, secret_found found, void *ctx);

#endif
