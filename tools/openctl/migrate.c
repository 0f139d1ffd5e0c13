/* migrate.c - brings the schema up to date: each file in a transaction of its
 * own, all under one advisory lock, so that servers may start at once. */

#include <stdio.h>
#include <string.h>

#include "openctl_sql.h"
#include "migrations.h"
#include "openctl.h"

static const char prepare_script[] =
    "set client_min_messages = warning;"
    "create schema if not exists open;"
    "create table if not exists open.migrations ("
    " number integer primary key check (number > 0),"
    " name text not null unique,"
    " checksum text not null,"
    " applied_at timestamptz not null default clock_timestamp())";

/* A database that was never migrated has none applied. */
static int
applied_read(struct ctl *ctl, struct migrations *out, struct err *e)
{
	int i;

	out->count = 0;
	if (db_query(ctl->db, &SQL_MIGRATIONS_EXIST, e) != 0)
		return -1;
	if (strcmp(db_get(ctl->db, 0, 0), "t") != 0)
		return 0;
	if (db_query(ctl->db, &SQL_MIGRATIONS_APPLIED, e) != 0)
		return -1;
	out->list = mem_array(
	    &ctl->mem, (size_t)db_count(ctl->db) + 1, sizeof(*out->list));
	if (out->list == NULL)
		return err_memory(e);
	for (i = 0; i < db_count(ctl->db); i++) {
		sscanf(db_get(ctl->db, i, 0), "%u", &out->list[i].number);
		out->list[i].name =
		    mem_strdup(&ctl->mem, db_get(ctl->db, i, 1));
		snprintf(out->list[i].checksum, CHECKSUM_TEXT, "%s",
		    db_get(ctl->db, i, 2));
		out->count++;
	}
	return mem_failed(&ctl->mem) ? err_memory(e) : 0;
}

static int
apply(struct ctl *ctl, const struct migration *migration, struct err *e)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", migration->number);
	if (db_script(ctl->db, "begin", e) != 0 ||
	    db_script(ctl->db, migration->text, e) != 0)
		return -1;
	if (!db_in_transaction(ctl->db))
		return err_set(e, "migration_transaction",
		    "a migration must not end its transaction");
	db_text(ctl->db, number);
	db_text(ctl->db, migration->name);
	db_text(ctl->db, migration->checksum);
	if (db_query(ctl->db, &SQL_MIGRATION_RECORD, e) != 0)
		return -1;
	return db_script(ctl->db, "commit", e);
}

static enum ctl_exit
apply_all(struct ctl *ctl, const struct migrations *files, size_t done)
{
	struct err e = {0};
	size_t i;

	for (i = done; i < files->count; i++) {
		if (apply(ctl, &files->list[i], &e) != 0) {
			ctl_fail("%s: %s", files->list[i].name, e.message);
			db_script(ctl->db, "rollback", &e);
			return CTL_FAILED;
		}
		if (!ctl->json)
			printf("migrated %s\n", files->list[i].name);
	}
	if (!ctl_query(ctl, &SQL_ENSURE_PARTITIONS))
		return CTL_FAILED;
	if (ctl->json)
		printf("{\"applied\": %zu, \"total\": %zu}\n",
		    files->count - done, files->count);
	return CTL_DONE;
}

/* Whoever serves must be able to become both roles; where that is another login
 * than the owner and it can't yet, the owner lets it. */
static enum ctl_exit
grant_login(struct ctl *ctl)
{
	struct err e = {0};
	struct db *login = db_open(&ctl->config, DB_LOGIN, &e);
	const char *statement;
	bool may;

	if (login == NULL)
		return ctl_fail("the server's login: %s", e.message);
	may = db_query(login, &SQL_LOGIN_MAY, &e) == 0 &&
	      strcmp(db_get(login, 0, 0), "t") == 0;
	statement = may ? NULL : mem_strdup(&ctl->mem, db_get(login, 0, 1));
	db_close(login);
	if (may || db_script(ctl->db, statement, &e) == 0)
		return CTL_DONE;
	return ctl_fail("the server's login can't become open_server and "
			"open_system: %s",
	    e.message);
}

static void
status_print(const struct ctl *ctl, const struct migrations *files, size_t done)
{
	size_t i;

	if (ctl->json)
		printf("[");
	for (i = 0; i < files->count; i++)
		printf(ctl->json ? "%s\n {\"name\": \"%s\", \"state\": \"%s\"}"
				 : "%s%-40s %s\n",
		    ctl->json && i > 0 ? "," : "", files->list[i].name,
		    i < done ? "applied" : "waiting");
	if (ctl->json)
		printf("\n]\n");
}

enum ctl_exit
migrate_command(struct ctl *ctl)
{
	struct migrations files, applied;
	bool status = args_has(&ctl->args, "status");
	struct err e = {0};
	enum ctl_exit result;
	size_t done = 0;

	if (migrations_read(ctl->config.migrations, &ctl->mem, &files, &e) != 0)
		return ctl_fail("%s", e.message);
	if (!ctl_connect(ctl, DB_OWNER))
		return CTL_FAILED;
	if (!status && (db_query(ctl->db, &SQL_MIGRATIONS_LOCK, &e) != 0 ||
			   db_script(ctl->db, prepare_script, &e) != 0))
		return ctl_fail("%s", e.message);
	if (applied_read(ctl, &applied, &e) != 0 ||
	    migrations_compare(&files, &applied, &done, &e) != 0)
		return ctl_fail("%s", e.message);
	if (status) {
		status_print(ctl, &files, done);
		return done == files.count ? CTL_DONE : CTL_FAILED;
	}
	result = apply_all(ctl, &files, done);
	return result == CTL_DONE ? grant_login(ctl) : result;
}
