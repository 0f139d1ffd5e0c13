/* audit.c - the audit log of an organization: its newest entries, or all of them
 * as lines of JSON. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openctl.h"
#include "openctl_sql.h"

#define PAGE 1000

enum column {
	COLUMN_ID,
	COLUMN_JSON = 7
};

/* after: id of the last one before, or NULL. */
static bool
ask(struct ctl *ctl, const char *organization, const char *most,
    const char *after)
{
	db_text(ctl->db, organization);
	db_text(ctl->db, most);
	db_text(ctl->db, args_get(&ctl->args, "action"));
	db_text(ctl->db, args_get(&ctl->args, "user"));
	db_text(ctl->db, args_get(&ctl->args, "since"));
	db_text(ctl->db, after);
	return ctl_query(ctl, &SQL_AUDIT_LIST);
}

static void
print_rows(struct ctl *ctl)
{
	int row, column;

	for (row = 0; row < db_count(ctl->db); row++)
		for (column = COLUMN_ID + 1; column < COLUMN_JSON; column++)
			printf("%s%s", db_get(ctl->db, row, column),
			    column + 1 < COLUMN_JSON ? "  " : "\n");
}

static void
print_json(struct ctl *ctl)
{
	int row;

	for (row = 0; row < db_count(ctl->db); row++)
		printf("%s%s", row == 0 ? "[" : ",\n ",
		    db_get(ctl->db, row, COLUMN_JSON));
	puts(row == 0 ? "[]" : "]");
}

enum ctl_exit
audit_list(struct ctl *ctl)
{
	const char *most = args_get(&ctl->args, "limit"), *organization;

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL ||
	    !ask(ctl, organization, most == NULL ? "100" : most, NULL))
		return CTL_FAILED;
	if (ctl->json)
		print_json(ctl);
	else
		print_rows(ctl);
	return CTL_DONE;
}

enum ctl_exit
audit_export(struct ctl *ctl)
{
	const char *organization, *after = NULL;
	int row, count;

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	do {
		if (!ask(ctl, organization, mem_printf(&ctl->mem, "%d", PAGE),
			after))
			return CTL_FAILED;
		count = db_count(ctl->db);
		for (row = 0; row < count; row++)
			puts(db_get(ctl->db, row, COLUMN_JSON));
		if (count > 0)
			after = mem_strdup(
			    &ctl->mem, db_get(ctl->db, count - 1, COLUMN_ID));
	} while (count == PAGE && after != NULL && fflush(stdout) == 0);
	return CTL_DONE;
}
