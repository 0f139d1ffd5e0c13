/* control.c - asks the server that runs an execution to cancel, pause or resume
 * it: a change of its row, and a note. */

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "openctl.h"
#include "openctl_sql.h"

/* NULL after telling that it is no id. */
static const char *
id_read(struct ctl *ctl)
{
	const char *id = ctl->args.operands[0];
	struct uuid uuid;

	if (uuid_parse(id, strlen(id), &uuid))
		return id;
	ctl_usage("'%s' is no id of an execution", id);
	return NULL;
}

/* What the statement answered: 0 changed, 1 status. */
static enum ctl_exit
told(struct ctl *ctl, const char *id, const char *done)
{
	const char *status;

	if (db_count(ctl->db) == 0)
		return ctl_fail("there is no execution %s", id);
	status = db_get(ctl->db, 0, 1);
	if (db_get(ctl->db, 0, 0)[0] == 't') {
		printf(ctl->json ? "{\"id\": \"%s\", \"asked\": \"%s\"}\n"
				 : "%s %s\n",
		    id, done);
		return CTL_DONE;
	}
	if (status[0] == 'p' || status[0] == 'r')
		return ctl_fail("the cancellation of execution %s was asked "
				"for: it can't be paused any more",
		    id);
	return ctl_fail("execution %s has already ended: %s", id, status);
}

enum ctl_exit
execution_cancel(struct ctl *ctl)
{
	const char *id = id_read(ctl);

	if (id == NULL)
		return CTL_USAGE;
	if (!ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	db_text(ctl->db, id);
	if (!ctl_query(ctl, &SQL_EXECUTION_CANCEL))
		return CTL_FAILED;
	return told(ctl, id, "cancel");
}

static enum ctl_exit
pause_set(struct ctl *ctl, const char *pause, const char *done)
{
	const char *id = id_read(ctl);

	if (id == NULL)
		return CTL_USAGE;
	if (!ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	db_text(ctl->db, id);
	db_text(ctl->db, pause);
	if (!ctl_query(ctl, &SQL_EXECUTION_PAUSE))
		return CTL_FAILED;
	return told(ctl, id, done);
}

enum ctl_exit
execution_pause(struct ctl *ctl)
{
	return pause_set(ctl, "true", "pause");
}

enum ctl_exit
execution_resume(struct ctl *ctl)
{
	return pause_set(ctl, "false", "resume");
}
