/* members.c - who belongs to an organization, and what they may do there. */

#include <stdio.h>
#include <string.h>

#include "openctl.h"
#include "openctl_sql.h"

static const char *const headings[] = {
    "ID", "EMAIL", "NAME", "ROLE", "ACTIVE", "CONFIRMED", "LAST SIGN-IN"};

enum ctl_exit
user_list(struct ctl *ctl)
{
	const char *organization;

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	db_text(ctl->db, organization);
	db_text(ctl->db, NULL);
	if (!ctl_query(ctl, &SQL_MEMBERS_LIST))
		return CTL_FAILED;
	ctl_print_rows(ctl, headings);
	return CTL_DONE;
}

static enum ctl_exit
show(struct ctl *ctl, const char *organization, const char *email)
{
	db_text(ctl->db, organization);
	db_text(ctl->db, email);
	if (!ctl_query(ctl, &SQL_MEMBERS_LIST))
		return CTL_FAILED;
	if (db_count(ctl->db) == 0)
		return ctl_fail("%s is no member of the organization '%s'",
		    email, args_get(&ctl->args, "org"));
	ctl_print_rows(ctl, headings);
	return CTL_DONE;
}

enum ctl_exit
user_show(struct ctl *ctl)
{
	const char *organization;

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	return show(ctl, organization, ctl->args.operands[0]);
}

/* role, active: NULL leaves it as it is. */
static enum ctl_exit
change(struct ctl *ctl, const char *role, const char *active)
{
	const char *email = ctl->args.operands[0], *organization;
	struct err e = {0};

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	db_text(ctl->db, organization);
	db_text(ctl->db, email);
	db_text(ctl->db, role);
	db_text(ctl->db, active);
	if (db_query(ctl->db, &SQL_MEMBER_CHANGE, &e) != 0)
		return strcmp(db_constraint(ctl->db),
			   "memberships_last_admin") == 0
			   ? ctl_fail("%s is the organization's last admin: "
				      "make another one first",
				 email)
			   : ctl_fail("%s", e.message);
	return show(ctl, organization, email);
}

enum ctl_exit
user_role(struct ctl *ctl)
{
	const char *role = ctl->args.operands[1];

	if (strcmp(role, "user") != 0 && strcmp(role, "admin") != 0)
		return ctl_usage("a role is user or admin, not '%s'", role);
	return change(ctl, role, NULL);
}

enum ctl_exit
user_deactivate(struct ctl *ctl)
{
	return change(ctl, NULL, "false");
}

enum ctl_exit
user_reactivate(struct ctl *ctl)
{
	return change(ctl, NULL, "true");
}
