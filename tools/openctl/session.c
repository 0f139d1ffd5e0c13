/* session.c - where users are signed in: listed, ended. */

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "openctl.h"
#include "openctl_sql.h"

enum ctl_exit
session_list(struct ctl *ctl)
{
	static const char *const headings[] = {"ID", "USER", "ADDRESS",
	    "USER AGENT", "CREATED", "LAST USED", "EXPIRES"};
	const char *organization;

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	db_text(ctl->db, organization);
	db_text(ctl->db, args_get(&ctl->args, "user"));
	if (!ctl_query(ctl, &SQL_SESSIONS_LIST))
		return CTL_FAILED;
	ctl_print_rows(ctl, headings);
	return CTL_DONE;
}

enum ctl_exit
session_revoke(struct ctl *ctl)
{
	const char *operand = ctl->args.operands[0];
	struct uuid id;

	if (!uuid_parse(operand, strlen(operand), &id))
		return ctl_usage("'%s' is no id of a session; see openctl "
				 "session list",
		    operand);
	if (!ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	db_text(ctl->db, operand);
	if (!ctl_query(ctl, &SQL_SESSION_REVOKE))
		return CTL_FAILED;
	if (db_count(ctl->db) == 0)
		return ctl_fail("there is no such session");
	printf(ctl->json ? "{\"id\": \"%s\"}\n" : "ended %s\n",
	    db_get(ctl->db, 0, 0));
	return CTL_DONE;
}
