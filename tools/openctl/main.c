/* main.c - openctl: the table of its commands, their help, and how one is
 * found and run. */

#include <stdio.h>
#include <string.h>

#include "exec/op_module.h"
#include "openctl.h"

static const struct option no_options[] = {{0}};

#define ORG                                                                    \
	{                                                                      \
		"org", "SLUG", true, false, "the organization"                 \
	}
#define MISSING                                                                \
	{                                                                      \
		"if-missing", NULL, false, false,                              \
		    "do nothing if it is there already"                        \
	}

static const struct option migrate_options[] = {
    {"status", NULL, false, false, "only tell what is applied and what waits"},
    {0}};
static const struct option org_create_options[] = {
    {"slug", "S", true, false, "its short name: a-z, 0-9 and -"},
    {"set", "KEY=JSON", false, true, "a setting, as allow_commands=true"},
    MISSING, {0}};
static const struct option org_set_options[] = {
    {"slug", "S", true, false, "the organization"}, {0}};
static const struct option user_create_options[] = {ORG,
    {"email", "E", true, false, "what they sign in with"},
    {"role", "user|admin", true, false, "what they may do"},
    {"name", "N", false, false, "what they are called"},
    {"password-stdin", NULL, true, false,
	"read the password from standard input"},
    MISSING, {0}};
static const struct option token_create_options[] = {ORG,
    {"user", "E", true, false, "email of whom the token speaks for"},
    {"name", "N", false, false, "what it is for"},
    {"scope", "A,B", false, false,
	"what it may be used for: read, execute, write, admin; without it: "
	"all"},
    {"expires", "30d", false, false, "after how long; without it: never"}, {0}};
static const struct option token_revoke_options[] = {
    {"token-stdin", NULL, false, false,
	"read the token itself from standard input"},
    {0}};
static const struct option session_list_options[] = {
    ORG, {"user", "E", false, false, "email of whose sessions"}, {0}};
static const struct option execution_show_options[] = {
    {"elements", "NODE", false, false,
	"show instead what became of the elements of this node's for_each"},
    {0}};
static const struct option org_options[] = {ORG, {0}};
static const struct option dag_import_options[] = {ORG,
    {"activate", NULL, false, false, "compile the plan and activate it"},
    {"user", "E", false, false, "email of whom to record as creator"}, {0}};
static const struct option dag_export_options[] = {ORG,
    {"version", "N", false, false,
	"a version's number; without it: the newest"},
    {0}};
static const struct option secret_set_options[] = {ORG,
    {"value-stdin", NULL, true, false,
	"read the value from standard input, without its last line end"},
    {0}};
static const struct option secret_rotate_options[] = {
    {"new-key", NULL, false, false,
	"first put a new key in front of the file of secret keys"},
    {0}};
static const struct option history_drop_options[] = {
    {"before", "DATE", true, false, "the first day to keep: 2026-01-31"}, {0}};
static const struct option audit_list_options[] = {ORG,
    {"action", "A", false, false, "only these: dag.update, session.create …"},
    {"user", "E", false, false, "only what this user did"},
    {"since", "T", false, false, "not before this time: 2026-01-31T12:00:00Z"},
    {"limit", "N", false, false, "of a list: how many; without it: 100"}, {0}};
static const struct option execution_signal_options[] = {
    {"value", "JSON", false, false,
	"what the node gets, or - for standard input; without it: null"},
    {0}};
static const struct option run_options[] = {ORG,
    {"context", "JSON", false, false,
	"an object, or @FILE, or - for standard input"},
    {"priority", "N", false, false,
	"-100 to 100, the higher goes first; without it: the DAG's"},
    {"idempotency-key", "K", false, false,
	"asked again with the same key within a day, it is the same execution"},
    {"wait", NULL, false, false,
	"wait for the end; tell each node's state and time"},
    {0}};

static const struct option rerun_options[] = {
    {"nodes", "A,B", false, false,
	"these nodes and all that depend on them; the other results are kept"},
    {"failed", NULL, false, false,
	"the nodes that did not succeed and all that depend on them"},
    {"wait", NULL, false, false,
	"wait for the end; tell each node's state and time"},
    {0}};

static const struct command commands[] = {
    {"migrate", "[--status]", "Brings the database's schema up to date.",
	migrate_options, migrate_command},
    {"org create", "NAME --slug S", "Creates an organization; prints its id.",
	org_create_options, org_create},
    {"org set", "KEY=JSON... --slug S", "Changes settings of an organization.",
	org_set_options, org_set},
    {"org list", "", "Lists the organizations.", no_options, org_list},
    {"org show", "--slug S",
	"Shows an organization's retention and statistics.", org_set_options,
	org_show},
    {"org usage", "SLUG", "Shows what an organization may use and has used.",
	no_options, org_usage},
    {"user create", "--org S --email E --role user|admin --password-stdin",
	"Creates a user (password: 12 characters or more); prints the id.",
	user_create_options, user_create},
    {"user list", "--org S", "Lists an organization's members.", org_options,
	user_list},
    {"user show", "EMAIL --org S", "Shows a member of an organization.",
	org_options, user_show},
    {"user role", "EMAIL ROLE --org S",
	"Changes what a member may do: user or admin.", org_options, user_role},
    {"user deactivate", "EMAIL --org S",
	"Keeps a member from acting in the organization, at once.", org_options,
	user_deactivate},
    {"user reactivate", "EMAIL --org S", "Ends a member's deactivation.",
	org_options, user_reactivate},
    {"token create",
	"--org S --user E [--name N] [--scope A,B] [--expires 30d]",
	"Creates an API token; prints it, and nothing else. It can't be shown "
	"again.",
	token_create_options, token_create},
    {"token list", "--org S", "Lists the tokens, without the secrets.",
	org_options, token_list},
    {"token revoke", "ID | --token-stdin", "Revokes a token at once.",
	token_revoke_options, token_revoke},
    {"session list", "--org S [--user E]", "Lists where users are signed in.",
	session_list_options, session_list},
    {"session revoke", "ID", "Ends a session at once.", no_options,
	session_revoke},
    {"dag validate", "FILE...",
	"Checks documents (- is standard input); tells every fault.",
	no_options, dag_validate},
    {"dag import", "FILE... --org S [--activate]",
	"Saves documents as DAGs: a new version where the definition changed.",
	dag_import_options, dag_import},
    {"dag export", "NAME --org S", "Prints a DAG as a YAML document.",
	dag_export_options, dag_export},
    {"dag list", "--org S", "Lists the DAGs.", org_options, dag_list},
    {"secret set", "NAME --org S --value-stdin",
	"Creates a secret or replaces its value.", secret_set_options,
	secret_set},
    {"secret list", "--org S", "Lists the secrets, without their values.",
	org_options, secret_list},
    {"secret delete", "NAME --org S", "Deletes a secret.", org_options,
	secret_delete},
    {"secret rotate", "[--new-key]",
	"Encrypts all secrets with the newest key; may be repeated at any "
	"time.",
	secret_rotate_options, secret_rotate},
    {"run", "NAME --org S [--context JSON] [--priority N] [--wait]",
	"Starts an execution; prints its id. With --wait: exit 0 only if it "
	"succeeds.",
	run_options, run_command},
    {"server list", "",
	"Lists the servers of this database, the living ones first.",
	no_options, server_list},
    {"history status", "",
	"Lists the partitions of executions and their nodes' history.",
	no_options, history_status},
    {"history drop", "--before DATE",
	"Drops partitions that end before a day; what is unfinished stays.",
	history_drop_options, history_drop},
    {"history keep", "",
	"Does at once what a server does every hour: makes partitions, drops "
	"and deletes what is older than it is kept.",
	no_options, history_keep},
    {"audit list", "--org S [--action A] [--user E] [--since T]",
	"Lists who did what to what, the newest first; also what was refused.",
	audit_list_options, audit_list},
    {"audit export", "--org S [--since T]",
	"Prints the whole audit log, a line of JSON each, the newest first.",
	audit_list_options, audit_export},
    {"execution show", "ID [--elements NODE]",
	"Shows an execution and its nodes, or the elements of one of them.",
	execution_show_options, execution_show},
    {"execution cancel", "ID",
	"Asks to end it: running nodes are stopped, cleanups run.", no_options,
	execution_cancel},
    {"execution pause", "ID", "Starts no more nodes of it until it is resumed.",
	no_options, execution_pause},
    {"execution resume", "ID", "Ends its pause.", no_options, execution_resume},
    {"execution rerun", "ID [--nodes A,B] [--failed] [--wait]",
	"Runs it again, or some nodes of it, as a new execution; prints its "
	"id.",
	rerun_options, execution_rerun},
    {"execution signal", "ID NAME [--value JSON]",
	"Sends it a signal, for a node that waits for one of this name (op "
	"wait_for), now or later.",
	execution_signal_options, execution_signal},
    {"op list", "", "Lists the ops that documents may name.", no_options,
	op_list},
    {"graphql schema", "", "Prints the schema of GraphQL, in SDL.", no_options,
	graphql_schema},
    {"operation register", "FILE... --org S",
	"Registers documents of GraphQL for an organization; prints each "
	"one's SHA-256. One that is registered stays as it is.",
	org_options, operation_register},
    {"operation list", "--org S", "Lists the registered operations.",
	org_options, operation_list},
    {"operation remove", "SHA256... --org S", "Removes registered operations.",
	org_options, operation_remove},
    {"op show", "NAME", "Shows an op and its parameters.", no_options, op_show},
    {"op reference", "", "Prints the reference of all ops, as Markdown.",
	no_options, op_reference},
    {"config", "[KEY]", "Prints the settings in force, secrets hidden.",
	no_options, config_command},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct option common_options[] = {
    {"json", NULL, false, false, "answer in JSON"},
    {"help", NULL, false, false, "this text"}, {0}};

static void
options_print(FILE *out, const struct option *o)
{
	char left[64];

	for (; o->name != NULL; o++) {
		snprintf(left, sizeof(left), "--%s%s%s", o->name,
		    o->value == NULL ? "" : " ",
		    o->value == NULL ? "" : o->value);
		fprintf(out, "  %-24s %s%s%s\n", left, o->help,
		    o->required ? " (required)" : "",
		    o->many ? " (may be repeated)" : "");
	}
}

static void
command_help(FILE *out, const struct command *c)
{
	fprintf(
	    out, "usage: openctl %s %s\n\n%s\n\n", c->name, c->usage, c->help);
	options_print(out, c->options);
	options_print(out, common_options);
}

/* group: only commands that start with this word; NULL: all. */
static void
overview(FILE *out, const char *group)
{
	size_t i, len = group == NULL ? 0 : strlen(group);

	fprintf(out, "usage: openctl COMMAND ...\n\n");
	for (i = 0; i < COMMANDS; i++)
		if (len == 0 || (strncmp(commands[i].name, group, len) == 0 &&
				    commands[i].name[len] == ' '))
			fprintf(out, "  %-17s %s\n", commands[i].name,
			    commands[i].help);
	fprintf(out,
	    "\nopenctl COMMAND --help tells more. Settings: conf/open.yaml or "
	    "OPEN_* in the\nenvironment. Exit: 0 done, 1 failed, 2 wrong "
	    "usage.\n");
}

/* How many words of argv name the command; 0: they don't. */
static int
name_matches(const char *name, int argc, char **argv)
{
	const char *space = strchr(name, ' ');
	size_t first = space == NULL ? strlen(name) : (size_t)(space - name);

	if (argc < 1 || strlen(argv[0]) != first ||
	    memcmp(argv[0], name, first) != 0)
		return 0;
	if (space == NULL)
		return 1;
	return argc > 1 && strcmp(argv[1], space + 1) == 0 ? 2 : 0;
}

static const struct command *
command_find(int argc, char **argv, int *words)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		if ((*words = name_matches(commands[i].name, argc, argv)) > 0)
			return &commands[i];
	return NULL;
}

static enum ctl_exit
command_unknown(int argc, char **argv)
{
	bool group = false;
	size_t i, len;

	if (argc < 1 || strcmp(argv[0], "--help") == 0 ||
	    strcmp(argv[0], "help") == 0) {
		overview(argc < 1 ? stderr : stdout, NULL);
		return argc < 1 ? CTL_USAGE : CTL_DONE;
	}
	len = strlen(argv[0]);
	for (i = 0; i < COMMANDS; i++)
		group |= strncmp(commands[i].name, argv[0], len) == 0 &&
			 commands[i].name[len] == ' ';
	if (group && argc > 1 && strcmp(argv[1], "--help") == 0) {
		overview(stdout, argv[0]);
		return CTL_DONE;
	}
	fprintf(stderr, "openctl: no such command: %s%s%s\n", argv[0],
	    argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	overview(stderr, group ? argv[0] : NULL);
	return CTL_USAGE;
}

/* The command's own options and the common ones, as one table. */
static int
args_read(struct ctl *ctl, const struct command *c, int argc, char **argv,
    struct err *e)
{
	static struct option all[32];
	size_t n = 0, i;

	for (i = 0; c->options[i].name != NULL; i++)
		all[n++] = c->options[i];
	for (i = 0; common_options[i].name != NULL; i++)
		all[n++] = common_options[i];
	all[n].name = NULL;
	return args_parse(&ctl->args, all, argc, argv, e);
}

/* "ID NAME [--value JSON]": two words in capitals. */
static size_t
operands_needed(const char *usage)
{
	size_t n = 0;

	while (*usage >= 'A' && *usage <= 'Z') {
		n++;
		usage += strcspn(usage, " ");
		usage += strspn(usage, " ");
	}
	return n;
}

/* How many operands a usage line allows, from its capitals before any option. */
static void
operands_allowed(const struct command *c, size_t *min, size_t *max)
{
	const char *u = c->usage;
	bool optional = u[0] == '[' && u[1] != '-';
	bool choice = strstr(u, " | ") != NULL;

	*min = *max = 0;
	if (u[0] == '\0' || u[0] == '-' || (u[0] == '[' && !optional))
		return;
	*max = optional ? 1 : operands_needed(u);
	*min = optional || choice ? 0 : *max;
	if (strstr(u, "...") != NULL)
		*max = ARGS_OPERANDS_MAX;
}

static enum ctl_exit
command_run(struct ctl *ctl, const struct command *c)
{
	enum ctl_exit result;
	struct err e = {0};

	if (config_load(NULL, &ctl->config, &e) != 0) {
		if (e.line != 0)
			fprintf(stderr, "openctl: line %u: %s\n", e.line,
			    e.message);
		else
			fprintf(stderr, "openctl: %s\n", e.message);
		return CTL_FAILED;
	}
	if (op_modules_load(ctl->config.op_modules, &e) != 0) {
		config_free(&ctl->config);
		return ctl_fail("op_modules: %s", e.message);
	}
	mem_create(&ctl->mem, 0);
	ctl->json = args_has(&ctl->args, "json");
	result = c->run(ctl);
	db_close(ctl->db);
	mem_destroy(&ctl->mem);
	config_free(&ctl->config);
	if (fflush(stdout) != 0 && result == CTL_DONE)
		return ctl_fail("standard output can't be written");
	return result;
}

int
main(int argc, char **argv)
{
	static struct ctl ctl;
	const struct command *c;
	struct err e = {0};
	size_t min, max;
	int words;

	c = command_find(argc - 1, argv + 1, &words);
	if (c == NULL)
		return command_unknown(argc - 1, argv + 1);
	if (args_read(&ctl, c, argc - 1 - words, argv + 1 + words, &e) != 0)
		return ctl_usage("%s: %s", c->name, e.message);
	if (args_has(&ctl.args, "help")) {
		command_help(stdout, c);
		return CTL_DONE;
	}
	operands_allowed(c, &min, &max);
	if (args_check(&ctl.args, c->options, min, max, &e) != 0) {
		fprintf(stderr, "openctl: %s: %s\n", c->name, e.message);
		command_help(stderr, c);
		return CTL_USAGE;
	}
	return command_run(&ctl, c);
}
