/* rerun.c - runs an execution again: all of it, some nodes, or what failed. */

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "dag/rerun.h"
#include "exec/op_call.h"
#include "execution.h"
#include "openctl_sql.h"

enum {
	ORIGIN_ORGANIZATION,
	ORIGIN_STATUS,
	ORIGIN_DURABILITY,
	ORIGIN_PLAN,
	ORIGIN_DEFINITION,
	ORIGIN_ENDED,
	ORIGIN_STATES
};

static bool
origin_read(struct ctl *ctl, const char *id)
{
	const char *status;

	db_text(ctl->db, id);
	if (!ctl_query(ctl, &SQL_RERUN_ORIGIN))
		return false;
	if (db_count(ctl->db) == 0) {
		ctl_fail("there is no execution %s", id);
		return false;
	}
	status = db_get(ctl->db, 0, ORIGIN_STATUS);
	if (status[0] != 'p' && status[0] != 'r')
		return true;
	ctl_fail("execution %s has not ended yet: %s", id, status);
	return false;
}

/* "a,b" as names. */
static bool
names_read(struct ctl *ctl, struct rerun *r)
{
	char *list = mem_strdup(&ctl->mem, args_get(&ctl->args, "nodes"));
	const char **names;
	char *name;

	names = list == NULL
		    ? NULL
		    : mem_array(&ctl->mem, strlen(list) + 1, sizeof(*names));
	if (names == NULL) {
		ctl_fail("out of memory");
		return false;
	}
	while ((name = strsep(&list, ",")) != NULL)
		names[r->name_count++] = name;
	r->names = names;
	return true;
}

/* Which nodes run, from the origin's row. */
static bool
nodes_choose(struct ctl *ctl, struct rerun *r)
{
	struct db *db = ctl->db;

	if (strcmp(db_get(db, 0, ORIGIN_DURABILITY), "memory") == 0) {
		ctl_fail("the execution keeps no results (durability: memory): "
			 "it can only be run again from the beginning");
		return false;
	}
	r->mem = &ctl->mem;
	r->plan = db_get_bytes(db, 0, ORIGIN_PLAN, &ctl->mem, &r->plan_len);
	r->definition = db_get(db, 0, ORIGIN_DEFINITION);
	r->definition_len = strlen(r->definition);
	r->ended = db_get(db, 0, ORIGIN_ENDED);
	r->states = db_get(db, 0, ORIGIN_STATES);
	r->ops = op_table_set();
	r->limits = &document_limits_default;
	r->failed = args_has(&ctl->args, "failed");
	if (args_has(&ctl->args, "nodes") && !names_read(ctl, r))
		return false;
	switch (rerun_choose(r)) {
	case RERUN_READY:
		return true;
	case RERUN_UNKNOWN:
		ctl_fail(
		    "the execution has no node '%s'", r->names[r->unknown]);
		return false;
	case RERUN_NOTHING:
		ctl_fail("no node of the execution failed");
		return false;
	case RERUN_BROKEN:
		break;
	}
	ctl_fail("%s", r->fault.message);
	return false;
}

static void
permissions_put(struct ctl *ctl)
{
	const struct op_set *set = op_table_set();
	const char **ops, **settings;
	size_t i, n = 0;

	ops = mem_array(&ctl->mem, set->count, sizeof(*ops));
	settings = mem_array(&ctl->mem, set->count, sizeof(*settings));
	for (i = 0; i < set->count && !mem_failed(&ctl->mem); i++) {
		if (set->ops[i]->permission == NULL)
			continue;
		ops[n] = set->ops[i]->name;
		settings[n++] = set->ops[i]->permission;
	}
	db_text_array(ctl->db, &ctl->mem, ops, n);
	db_text_array(ctl->db, &ctl->mem, settings, n);
}

static bool
rerun_create(struct ctl *ctl, const char *origin, const struct rerun *r,
    char id[UUID_TEXT])
{
	const char *organization =
	    mem_strdup(&ctl->mem, db_get(ctl->db, 0, ORIGIN_ORGANIZATION));
	struct uuid uuid = uuid_execution();
	const char *outcome;

	uuid_format(&uuid, id);
	db_text(ctl->db, organization);
	db_text(ctl->db, origin);
	db_text(ctl->db, id);
	if (r->keep != NULL)
		db_bytes(ctl->db, r->keep, r->node_count);
	else
		db_text(ctl->db, NULL);
	permissions_put(ctl);
	if (!ctl_query(ctl, &SQL_RERUN))
		return false;
	outcome = db_get(ctl->db, 0, 0);
	if (strcmp(outcome, "started") == 0)
		return true;
	if (strcmp(outcome, "not_allowed") == 0)
		ctl_fail("the organization's settings don't allow an op of "
			 "this DAG");
	else if (strcmp(outcome, "not_active") == 0)
		ctl_fail("the DAG is not active");
	else
		ctl_fail("execution %s can't be run again", origin);
	return false;
}

enum ctl_exit
execution_rerun(struct ctl *ctl)
{
	const char *origin = ctl->args.operands[0];
	bool some = args_has(&ctl->args, "nodes");
	bool failed = args_has(&ctl->args, "failed");
	struct rerun r = {0};
	struct uuid uuid;
	char id[UUID_TEXT];

	if (!uuid_parse(origin, strlen(origin), &uuid))
		return ctl_usage("'%s' is no id of an execution", origin);
	if (some && failed)
		return ctl_usage("--nodes or --failed, not both");
	if (!ctl_connect(ctl, DB_SYSTEM) || !origin_read(ctl, origin) ||
	    ((some || failed) && !nodes_choose(ctl, &r)) ||
	    !rerun_create(ctl, origin, &r, id))
		return CTL_FAILED;
	return execution_follow(ctl, id);
}
