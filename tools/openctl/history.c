/* history.c - how much of executions that have ended is kept. */

#include <stdio.h>
#include <stdlib.h>

#include "openctl.h"
#include "openctl_sql.h"

#define BATCH  2000
#define DAY_NS (INT64_C(86400) * 1000000000)

enum ctl_exit
history_status(struct ctl *ctl)
{
	static const char *const headings[] = {
	    "PARTITION", "BEGINS", "ENDS", "ROWS", "BYTES"};

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    !ctl_query(ctl, &SQL_HISTORY_STATUS))
		return CTL_FAILED;
	ctl_print_rows(ctl, headings);
	return CTL_DONE;
}

enum ctl_exit
history_drop(struct ctl *ctl)
{
	if (!ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	db_text(ctl->db, args_get(&ctl->args, "before"));
	if (!ctl_query(ctl, &SQL_HISTORY_DROP))
		return CTL_FAILED;
	printf(ctl->json ? "{\"dropped\": %s}\n" : "%s partitions dropped\n",
	    db_get(ctl->db, 0, 0));
	return CTL_DONE;
}

enum ctl_exit
history_keep(struct ctl *ctl)
{
	int64_t days = ctl->config.history_retention / DAY_NS;
	long made = 0, dropped = 0, deleted = 0, batch;

	if (!ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	do {
		db_text(ctl->db,
		    days > 0 ? mem_printf(&ctl->mem, "%lld", (long long)days)
			     : NULL);
		db_text(ctl->db, mem_printf(&ctl->mem, "%d", BATCH));
		if (!ctl_query(ctl, &SQL_HISTORY_KEEP))
			return CTL_FAILED;
		if (db_count(ctl->db) == 0)
			return ctl_fail("a server is doing it");
		made += strtol(db_get(ctl->db, 0, 0), NULL, 10);
		dropped += strtol(db_get(ctl->db, 0, 1), NULL, 10);
		batch = strtol(db_get(ctl->db, 0, 2), NULL, 10);
		deleted += batch;
	} while (batch >= BATCH);
	printf(ctl->json ? "{\"made\": %ld, \"dropped\": %ld, \"deleted\": "
			   "%ld}\n"
			 : "partitions: %ld made, %ld dropped; executions: "
			   "%ld deleted\n",
	    made, dropped, deleted);
	return CTL_DONE;
}
