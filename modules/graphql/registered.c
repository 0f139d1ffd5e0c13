/* registered.c - whether a document may be executed for an organization. */
#include "graphql/registered.h"

#include <string.h>

#include <openssl/sha.h>

#include "base/hex.h"
#include "web/subscription.h"

#include "graphql_sql.h"

static bool
only_registered(struct flow *f)
{
	const struct json *settings = flow_actor(f)->settings;
	const enum live_purpose *purpose = subscription_purpose(f);
	const struct json *only;

	if (purpose != NULL && *purpose == LIVE_SNAPSHOT)
		return false;
	only = settings == NULL
		   ? NULL
		   : json_get(settings, "registered_operations_only");
	return only != NULL && only->type == JSON_TRUE;
}

enum flow_next
registered_ask(struct flow *f, struct execution *x)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct sql_params *params;
	char *text;

	x->looked_up = x->text == NULL ? x->hash_given : only_registered(f);
	if (!x->looked_up)
		return FLOW_NEXT;
	if (x->text == NULL)
		memcpy(hash, x->sha256, sizeof(hash));
	else
		SHA256((const unsigned char *)x->text, x->len, hash);
	if ((text = mem_alloc(flow_mem(f), 2 * sizeof(hash) + 1)) == NULL)
		return flow_fail(f, 503, "out_of_memory", "Out of memory.");
	hex_write(hash, sizeof(hash), text);
	params = flow_params(f);
	sql_uuid(params, &flow_actor(f)->organization);
	sql_text(params, text);
	return flow_query(f, &SQL_OPERATION_FIND);
}

enum flow_next
registered_check(struct flow *f, struct execution *x)
{
	if (!x->looked_up)
		return FLOW_NEXT;
	x->looked_up = false;
	if (sql_count(flow_rows(f)) > 0) {
		if (x->text != NULL)
			return FLOW_NEXT;
		x->len = sql_get_len(flow_rows(f), 0, 0);
		x->text = mem_strndup(
		    flow_mem(f), sql_get(flow_rows(f), 0, 0), x->len);
		return x->text != NULL ? FLOW_NEXT
				       : flow_fail(f, 503, "out_of_memory",
					     "Out of memory.");
	}
	if (x->text == NULL && !only_registered(f))
		return flow_fail(f, 200, "PERSISTED_QUERY_NOT_FOUND",
		    "PersistedQueryNotFound");
	return flow_fail(f, 403, "operation_not_registered",
	    "The organization allows registered operations only, and this "
	    "document is none of them, byte for byte.");
}
