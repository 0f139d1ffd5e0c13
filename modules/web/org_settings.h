/* org_settings.h - what may be set of an organization, for openctl and the API.
 *
 * Known:    allow_NAME (booleans: what ops may do), registered_operations_only, retention_days,
 *           max_executions, max_nodes, pools, and the quotas, which are columns
 *           of their own: compute_quota, storage_quota. null takes one away.
 * Process:  pure.
 */
#ifndef OPEN_WEB_ORG_SETTINGS_H
#define OPEN_WEB_ORG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "dag/json.h"

/* 0, or -1 and e ("unknown_setting", "invalid_setting"): a sentence that names
 * the setting and what it may be. */
int setting_check(
    const char *key, size_t len, const struct json *value, struct err *e);

/* Whether it lets nodes reach the server's own machine or network, or is a
 * quota: not for people who made their organization themselves. */
bool setting_is_privileged(const char *key, size_t len);

#endif
