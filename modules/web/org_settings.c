/* org_settings.c - what may be set of an organization, and to what. */

#include "web/org_settings.h"

#include <string.h>

#include "dag/document.h"
#include "exec/tenants.h"

#define ALLOW	 "allow_"
#define NAME_MAX 64

/* Whole numbers. */
static const struct {
	const char *key;
	int64_t least, most;
} numbers[] = {{"max_executions", 1, 1000000000}, {"max_nodes", 1, 1000000000},
    {"retention_days", 1, 36500}, {"compute_quota", 0, INT32_MAX},
    {"storage_quota", 0, INT32_MAX}};

static bool
is_number(const struct json *v, int64_t least, int64_t most)
{
	int64_t n;

	return json_as_integer(v, &n) && n >= least && n <= most;
}

static bool
pools_are_valid(const struct json *v)
{
	if (v->type == JSON_NULL)
		return true;
	if (v->type != JSON_OBJECT || v->count > TENANT_POOLS_MAX)
		return false;
	for (uint32_t i = 0; i < v->count; i++)
		if (!pool_name_is_valid(
			v->members[i].name, v->members[i].name_len) ||
		    !is_number(v->members[i].value, 1, 1000000000))
			return false;
	return true;
}

static bool
is(const char *key, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(key, name, len) == 0;
}

static bool
is_permission(const char *key, size_t len)
{
	if (len <= strlen(ALLOW) || len > NAME_MAX ||
	    memcmp(key, ALLOW, strlen(ALLOW)) != 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((key[i] >= 'a' && key[i] <= 'z') ||
			(key[i] >= '0' && key[i] <= '9') || key[i] == '_'))
			return false;
	return true;
}

static bool
is_quota(const char *key, size_t len)
{
	return is(key, len, "compute_quota") || is(key, len, "storage_quota");
}

bool
setting_is_privileged(const char *key, size_t len)
{
	return is_permission(key, len) || is_quota(key, len);
}

static int
boolean_check(const char *key, size_t len, const struct json *v, struct err *e)
{
	if (v->type == JSON_TRUE || v->type == JSON_FALSE ||
	    v->type == JSON_NULL)
		return 0;
	return err_set(
	    e, "invalid_setting", "%.*s is true or false", (int)len, key);
}

int
setting_check(const char *key, size_t len, const struct json *v, struct err *e)
{
	if (is_permission(key, len))
		return boolean_check(key, len, v, e);
	if (is(key, len, "registered_operations_only"))
		return boolean_check(key, len, v, e);
	if (is(key, len, "pools"))
		return pools_are_valid(v)
			   ? 0
			   : err_set(e, "invalid_setting",
				 "pools is an object of at most %d names (1 to "
				 "%d letters, digits, ., _ and -) and numbers "
				 "from 1 on, such as {\"gpu\": 2}",
				 TENANT_POOLS_MAX, POOL_NAME_MAX);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!is(key, len, numbers[i].key))
			continue;
		if (v->type == JSON_NULL ||
		    is_number(v, numbers[i].least, numbers[i].most))
			return 0;
		return err_set(e, "invalid_setting",
		    "%s is a whole number from %d to %d, or null for no limit",
		    numbers[i].key, (int)numbers[i].least,
		    (int)numbers[i].most);
	}
	return err_set(e, "unknown_setting",
	    "there is no setting '%.*s'; there are allow_commands, "
	    "allow_private_addresses (and what other ops ask for), "
	    "retention_days, max_executions, max_nodes, pools, compute_quota, "
	    "storage_quota and registered_operations_only",
	    (int)(len > NAME_MAX ? NAME_MAX : len), key);
}
