/* run.c - starts an execution: a pending row that the next server takes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"
#include "exec/op_call.h"
#include "execution.h"
#include "openctl_sql.h"

struct start {
	const char *organization;
	const struct json *settings;
	const char *dag, *version;
	const struct plan *plan;
	const char *context;  /* JSON */
	const char *priority; /* NULL: the DAG's */
	const char *key;      /* NULL: none */
};

/* --- the context: JSON, @FILE or - ----------------------------------------- */

static char *
context_bytes(struct ctl *ctl, const char *value, size_t *len)
{
	size_t limit = (size_t)ctl->config.context_limit;
	char *bytes = NULL;

	if (strcmp(value, "-") == 0)
		return ctl_read_stdin(ctl, limit, len);
	if (value[0] != '@') {
		*len = strlen(value);
		return mem_strdup(&ctl->mem, value);
	}
	if (freopen(value + 1, "re", stdin) == NULL)
		ctl_fail("%s can't be read", value + 1);
	else
		bytes = ctl_read_stdin(ctl, limit, len);
	return bytes;
}

static bool
context_read(struct ctl *ctl, struct start *s)
{
	const char *value = args_get(&ctl->args, "context");
	const struct json *tree;
	struct err e = {0};
	char *bytes;
	size_t len;

	s->context = "{}";
	if (value == NULL)
		return true;
	if ((bytes = context_bytes(ctl, value, &len)) == NULL)
		return false;
	if (len > (size_t)ctl->config.context_limit) {
		ctl_fail("the context is longer than %lld bytes",
		    (long long)ctl->config.context_limit);
		return false;
	}
	if (json_parse(&ctl->mem, bytes, len, NULL, &tree, &e) != 0) {
		ctl_fail("the context, %u:%u: %s", e.line, e.column, e.message);
		return false;
	}
	if (tree->type != JSON_OBJECT) {
		ctl_fail("the context must be a JSON object");
		return false;
	}
	s->context = bytes;
	return true;
}

static bool
priority_read(struct ctl *ctl, struct start *s)
{
	char *end;
	long n;

	s->priority = args_get(&ctl->args, "priority");
	if (s->priority == NULL)
		return true;
	n = strtol(s->priority, &end, 10);
	if (*s->priority != '\0' && *end == '\0' && n >= PRIORITY_MIN &&
	    n <= PRIORITY_MAX)
		return true;
	ctl_fail("--priority is an integer from %d to %d, not '%s'",
	    PRIORITY_MIN, PRIORITY_MAX, s->priority);
	return false;
}

/* --- the DAG and whether it may run --------------------------------------- */

static bool
organization_read(struct ctl *ctl, struct start *s)
{
	const char *settings;
	struct err e = {0};

	s->organization = ctl_organization(ctl);
	if (s->organization == NULL)
		return false;
	settings = mem_strdup(&ctl->mem, db_get(ctl->db, 0, 1));
	if (settings != NULL &&
	    json_parse(&ctl->mem, settings, strlen(settings), NULL,
		&s->settings, &e) == 0)
		return true;
	ctl_fail("the organization's settings: %s", e.message);
	return false;
}

static bool
dag_read(struct ctl *ctl, struct start *s)
{
	const char *name = ctl->args.operands[0];
	struct err e = {0};
	size_t len;

	db_text(ctl->db, s->organization);
	db_text(ctl->db, name);
	if (!ctl_query(ctl, &SQL_DAG_TO_RUN))
		return false;
	if (db_count(ctl->db) == 0) {
		ctl_fail("there is no DAG '%s' in '%s'", name,
		    args_get(&ctl->args, "org"));
		return false;
	}
	if (db_is_null(ctl->db, 0, 1)) {
		ctl_fail("DAG '%s' is not active", name);
		return false;
	}
	s->dag = mem_strdup(&ctl->mem, db_get(ctl->db, 0, 0));
	s->version = mem_strdup(&ctl->mem, db_get(ctl->db, 0, 1));
	s->plan = db_get_bytes(ctl->db, 0, 2, &ctl->mem, &len);
	/* A server compiles a plan that it can't use anew. */
	if (s->plan != NULL && plan_check(s->plan, len, &e) != 0)
		s->plan = NULL;
	return true;
}

/* What the organization no longer allows is not started. */
static bool
ops_allowed(const struct start *s)
{
	const struct op_schema *schema;
	const struct op *op;
	uint32_t i;

	for (i = 0; s->plan != NULL && i < s->plan->op_count; i++) {
		op = op_by_name(plan_op_name(s->plan, i));
		schema = op == NULL ? NULL : &op->schema;
		if (schema == NULL || schema->permission == NULL)
			continue;
		if (s->settings != NULL &&
		    json_get(s->settings, schema->permission) != NULL &&
		    json_get(s->settings, schema->permission)->type ==
			JSON_TRUE)
			continue;
		ctl_fail("op '%s' is not allowed here: the organization's "
			 "setting %s is not true",
		    schema->name, schema->permission);
		return false;
	}
	return true;
}

/* 1 to 255 printable characters; true also without one. */
static bool
key_read(struct ctl *ctl, struct start *s)
{
	const char *c;

	s->key = args_get(&ctl->args, "idempotency-key");
	if (s->key == NULL)
		return true;
	for (c = s->key; *c >= 0x20 && *c <= 0x7e; c++)
		;
	if (*c == '\0' && c > s->key && c - s->key <= 255)
		return true;
	ctl_fail("an idempotency key has 1 to 255 printable ASCII characters");
	return false;
}

/* The hash of what is asked for. */
static bool
key_put(struct ctl *ctl, const struct start *s)
{
	uint8_t *hash = mem_alloc(&ctl->mem, SHA256_SIZE);
	const char *text = mem_printf(&ctl->mem, "%s\n%s\n%s", s->dag,
	    s->context, s->priority != NULL ? s->priority : "");

	if (hash == NULL || text == NULL ||
	    document_hash(text, strlen(text), hash) != 0) {
		ctl_fail("out of memory");
		return false;
	}
	db_text(ctl->db, s->key);
	db_bytes(ctl->db, hash, SHA256_SIZE);
	return true;
}

static bool
key_told(struct ctl *ctl, const struct start *s, char id[UUID_TEXT])
{
	if (s->key == NULL)
		return true;
	snprintf(id, UUID_TEXT, "%s", db_get(ctl->db, 0, 0));
	if (db_get(ctl->db, 0, 1)[0] == 't')
		return true;
	ctl_fail("another execution was asked for with this idempotency key");
	return false;
}

static bool
limits_allow(struct ctl *ctl, const struct start *s)
{
	db_text(ctl->db, s->organization);
	db_text(ctl->db, s->version);
	if (!ctl_query(ctl, &SQL_QUOTA_EXCEEDED))
		return false;
	if (db_get(ctl->db, 0, 0)[0] != '0')
		ctl_fail("the organization has used up its %s_quota (org "
			 "usage tells)",
		    db_get(ctl->db, 0, 0)[0] == '2' ? "storage" : "compute");
	else if (!db_is_null(ctl->db, 0, 1))
		ctl_fail("the organization has no pool '%s' (org set pools=…)",
		    db_get(ctl->db, 0, 1));
	else
		return true;
	return false;
}

static bool
execution_create(struct ctl *ctl, const struct start *s, char id[UUID_TEXT])
{
	struct uuid uuid = uuid_execution();

	uuid_format(&uuid, id);
	db_text(ctl->db, id);
	db_text(ctl->db, s->dag);
	db_text(ctl->db, s->version);
	db_text(ctl->db, s->context);
	db_text(ctl->db, s->priority);
	if (s->key != NULL && !key_put(ctl, s))
		return false;
	if (!ctl_query(ctl, s->key != NULL ? &SQL_EXECUTION_CREATE_ONCE
					   : &SQL_EXECUTION_CREATE))
		return false;
	if (db_count(ctl->db) == 1)
		return key_told(ctl, s, id);
	ctl_fail("DAG '%s' is not active any more", ctl->args.operands[0]);
	return false;
}

enum ctl_exit
run_command(struct ctl *ctl)
{
	struct start s = {0};
	char id[UUID_TEXT];

	if (!context_read(ctl, &s) || !priority_read(ctl, &s) ||
	    !key_read(ctl, &s) || !ctl_connect(ctl, DB_SYSTEM) ||
	    !organization_read(ctl, &s) || !dag_read(ctl, &s) ||
	    !ops_allowed(&s) || !limits_allow(ctl, &s) ||
	    !execution_create(ctl, &s, id))
		return CTL_FAILED;
	return execution_follow(ctl, id);
}
