/* openctl.h - what every command of the admin tool gets and returns.
 *
 * Owner:    main. A command runs once; everything it allocates lives in
 *           ctl->mem or dies with the process.
 * Fails:    a command returns CTL_FAILED after it has told why on standard
 *           error (ctl_fail), CTL_USAGE when it was called wrongly.
 * Secrets:  never in argv, never printed but where a command's only purpose is
 *           to print one (token create).
 */
#ifndef OPEN_OPENCTL_H
#define OPEN_OPENCTL_H

#include "args.h"
#include "base/mem.h"
#include "db.h"
#include "web/config.h"

enum ctl_exit {
	CTL_DONE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2
};

struct ctl {
	struct config config;
	struct args args;
	struct mem mem;
	bool json;     /* --json */
	struct db *db; /* NULL before ctl_connect */
};

struct command {
	const char *name;  /* "dag import": one or two words */
	const char *usage; /* what follows the name */
	const char *help;
	const struct option *options; /* beside --help and --json */
	enum ctl_exit (*run)(struct ctl *);
};

/* One row each in main.c's table. */
enum ctl_exit migrate_command(struct ctl *);
enum ctl_exit org_create(struct ctl *);
enum ctl_exit org_set(struct ctl *);
enum ctl_exit org_list(struct ctl *);
enum ctl_exit org_show(struct ctl *);
enum ctl_exit history_status(struct ctl *);
enum ctl_exit history_drop(struct ctl *);
enum ctl_exit history_keep(struct ctl *);
enum ctl_exit audit_list(struct ctl *);
enum ctl_exit audit_export(struct ctl *);
enum ctl_exit org_usage(struct ctl *);
enum ctl_exit user_create(struct ctl *);
enum ctl_exit user_list(struct ctl *);
enum ctl_exit user_show(struct ctl *);
enum ctl_exit user_role(struct ctl *);
enum ctl_exit user_deactivate(struct ctl *);
enum ctl_exit user_reactivate(struct ctl *);
enum ctl_exit token_create(struct ctl *);
enum ctl_exit token_list(struct ctl *);
enum ctl_exit token_revoke(struct ctl *);
enum ctl_exit session_list(struct ctl *);
enum ctl_exit session_revoke(struct ctl *);
enum ctl_exit dag_validate(struct ctl *);
enum ctl_exit dag_import(struct ctl *);
enum ctl_exit dag_export(struct ctl *);
enum ctl_exit dag_list(struct ctl *);
enum ctl_exit secret_set(struct ctl *);
enum ctl_exit secret_list(struct ctl *);
enum ctl_exit secret_delete(struct ctl *);
enum ctl_exit secret_rotate(struct ctl *);
enum ctl_exit server_list(struct ctl *);
enum ctl_exit run_command(struct ctl *);
enum ctl_exit execution_show(struct ctl *);
enum ctl_exit op_list(struct ctl *);
enum ctl_exit graphql_schema(struct ctl *);
enum ctl_exit operation_register(struct ctl *);
enum ctl_exit operation_list(struct ctl *);
enum ctl_exit operation_remove(struct ctl *);
enum ctl_exit op_show(struct ctl *);
enum ctl_exit op_reference(struct ctl *);
enum ctl_exit execution_cancel(struct ctl *);
enum ctl_exit execution_pause(struct ctl *);
enum ctl_exit execution_resume(struct ctl *);
enum ctl_exit execution_rerun(struct ctl *);
enum ctl_exit execution_signal(struct ctl *);
enum ctl_exit config_command(struct ctl *);

/* "openctl: …" on standard error; returns CTL_FAILED. */
enum ctl_exit ctl_fail(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
/* The same with a hint at --help; returns CTL_USAGE. */
enum ctl_exit ctl_usage(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* Connects as a role; false after telling why not. */
bool ctl_connect(struct ctl *, enum db_role role);
/* Asks; false after telling why not. Takes the parameters in ctl->db. */
bool ctl_query(struct ctl *, const struct sql *);
/* The id of the organization that --org names, in ctl->mem; NULL after telling
 * that there is none. */
const char *ctl_organization(struct ctl *);
/* Prints the rows: a table with these headings, or with --json an array of
 * objects whose members are the columns' names. */
void ctl_print_rows(struct ctl *, const char *const *headings);
/* Standard input up to its end or limit, in ctl->mem; NULL after telling. */
char *ctl_read_stdin(struct ctl *, size_t limit, size_t *len);

#endif
