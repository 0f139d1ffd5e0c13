/* scalars.c - the rules of DateTime, Duration and UUID. */
#include "graphql/scalars.h"

#include "base/clock.h"
#include "base/uuid.h"
#include "graphql/params.h"

static bool
is_time(const struct json *v)
{
	int64_t us;

	return v->type == JSON_STRING && time_parse(v->string, v->count, &us);
}

static bool
is_duration(const struct json *v)
{
	int64_t us;

	return v->type == JSON_STRING &&
	       params_duration(v->string, v->count, &us);
}

static bool
is_uuid(const struct json *v)
{
	struct uuid id;

	return v->type == JSON_STRING && uuid_parse(v->string, v->count, &id);
}

const struct gql_scalar_rule scalar_rules[] = {
    {"DateTime", is_time}, {"Duration", is_duration}, {"UUID", is_uuid}};
const size_t scalar_rule_count = sizeof(scalar_rules) / sizeof(scalar_rules[0]);
