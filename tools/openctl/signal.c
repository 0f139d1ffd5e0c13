/* signal.c - sends a signal to an execution. */

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "dag/json.h"
#include "exec/host.h"
#include "openctl.h"
#include "openctl_sql.h"

static bool
is_name(const char *name)
{
	size_t len = strspn(name,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

	return name[len] == '\0' && len >= 1 && len <= SIGNAL_NAME_MAX;
}

/* --value as JSON text; NULL after telling why not. */
static const char *
value_read(struct ctl *ctl)
{
	size_t limit = (size_t)ctl->config.result_limit, len;
	const char *value = args_get(&ctl->args, "value");
	const struct json *tree;
	struct err e = {0};

	if (value == NULL)
		return "null";
	if (strcmp(value, "-") == 0)
		value = ctl_read_stdin(ctl, limit, &len);
	else
		len = strlen(value);
	if (value == NULL)
		return NULL;
	if (len > limit)
		ctl_fail("the value is longer than %zu bytes", limit);
	else if (json_parse(&ctl->mem, value, len, NULL, &tree, &e) != 0)
		ctl_fail("the value, %u:%u: %s", e.line, e.column, e.message);
	else
		return value;
	return NULL;
}

enum ctl_exit
execution_signal(struct ctl *ctl)
{
	const char *execution = ctl->args.operands[0];
	const char *name = ctl->args.operands[1], *value;
	char id[UUID_TEXT];
	struct uuid uuid;

	if (!uuid_parse(execution, strlen(execution), &uuid))
		return ctl_usage("'%s' is no id of an execution", execution);
	if (!is_name(name))
		return ctl_usage("a signal's name has 1 to %d letters, "
				 "digits, _ and -",
		    SIGNAL_NAME_MAX);
	if ((value = value_read(ctl)) == NULL || !ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	uuid = uuid_v7();
	uuid_format(&uuid, id);
	db_text(ctl->db, execution);
	db_text(ctl->db, id);
	db_text(ctl->db, name);
	db_text(ctl->db, value);
	if (!ctl_query(ctl, &SQL_SIGNAL_SEND))
		return CTL_FAILED;
	if (db_count(ctl->db) == 0)
		return ctl_fail("there is no execution %s", execution);
	if (db_get(ctl->db, 0, 0)[0] != 't')
		return ctl_fail("execution %s has already ended: %s", execution,
		    db_get(ctl->db, 0, 2));
	printf(ctl->json ? "{\"id\": \"%s\", \"delivered\": %s}\n" : "%s%s\n",
	    id,
	    ctl->json ? (db_get(ctl->db, 0, 1)[0] == 't' ? "true" : "false")
	    : db_get(ctl->db, 0, 1)[0] == 't'
		? ""
		: "  (no node waits for it yet; it is kept)");
	return CTL_DONE;
}
