/* execution.c - shows an execution and waits for its end. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "execution.h"
#include "openctl_sql.h"

#define POLL_FIRST_US 10000
#define POLL_MAX_US   250000
#define HINT_NS	      INT64_C(5000000000)

void
milliseconds_format(double ms, char *text, size_t size)
{
	if (ms < 1)
		snprintf(text, size, "%.0f us", ms * 1000);
	else if (ms < 1000)
		snprintf(text, size, "%.1f ms", ms);
	else if (ms < 60000)
		snprintf(text, size, "%.2f s", ms / 1000);
	else
		snprintf(text, size, "%lld min %lld s", (long long)(ms / 60000),
		    (long long)(ms / 1000) % 60);
}

/* --- show ----------------------------------------------------------------- */

enum {
	HEAD_ID,
	HEAD_DAG,
	HEAD_VERSION,
	HEAD_STATUS,
	HEAD_INSERTED,
	HEAD_MS,
	HEAD_TOTAL,
	HEAD_SUCCEEDED,
	HEAD_FAILED,
	HEAD_ERROR,
	HEAD_RESULT
};
enum {
	NODE_NAME,
	NODE_STATUS,
	NODE_STARTED,
	NODE_TOOK,
	NODE_RETRIES,
	NODE_ERROR,
	NODE_ELEMENTS,
	NODE_ATTEMPTS
};

static const char *
cell_time(const struct db *db, int row, int column, char *text, size_t size)
{
	if (db_is_null(db, row, column))
		return "-";
	milliseconds_format(atof(db_get(db, row, column)), text, size);
	return text;
}

/* Under their node. An error may have lines of its own. */
static void
lines_print(const char *text)
{
	while (text != NULL) {
		const char *end = strchr(text, '\n');
		size_t len = end == NULL ? strlen(text) : (size_t)(end - text);

		printf("%37s%.*s\n", "", (int)len, text);
		text = end == NULL ? NULL : end + 1;
	}
}

static void
node_print(const struct db *db, int row)
{
	char started[32], took[32];
	int retries = atoi(db_get(db, row, NODE_RETRIES));

	printf("%-9s  %10s  %10s  %s", db_get(db, row, NODE_STATUS),
	    cell_time(db, row, NODE_STARTED, started, sizeof(started)),
	    cell_time(db, row, NODE_TOOK, took, sizeof(took)),
	    db_get(db, row, NODE_NAME));
	if (retries > 0)
		printf(
		    "  (%d %s)", retries, retries == 1 ? "retry" : "retries");
	if (!db_is_null(db, row, NODE_ELEMENTS))
		printf("  (%s elements)", db_get(db, row, NODE_ELEMENTS));
	if (!db_is_null(db, row, NODE_ERROR))
		printf("  %s", db_get(db, row, NODE_ERROR));
	putchar('\n');
	if (!db_is_null(db, row, NODE_ATTEMPTS))
		lines_print(db_get(db, row, NODE_ATTEMPTS));
}

static bool
nodes_print(struct ctl *ctl, const char *id)
{
	int row;

	db_text(ctl->db, id);
	if (!ctl_query(ctl, &SQL_EXECUTION_NODES))
		return false;
	printf("%-9s  %10s  %10s  %s\n", "STATE", "STARTED", "TOOK", "NODE");
	for (row = 0; row < db_count(ctl->db); row++)
		node_print(ctl->db, row);
	return true;
}

/* --- the elements of a node's for_each ------------------------------------- */

static bool
ask_elements(
    struct ctl *ctl, const struct sql *sql, const char *id, const char *node)
{
	db_text(ctl->db, id);
	db_text(ctl->db, node);
	return ctl_query(ctl, sql);
}

static void
element_print(const struct db *db, int row)
{
	char started[32], took[32];
	int retries = atoi(db_get(db, row, NODE_RETRIES));

	printf("%7s  %-9s  %10s  %10s", db_get(db, row, NODE_NAME),
	    db_get(db, row, NODE_STATUS),
	    cell_time(db, row, NODE_STARTED, started, sizeof(started)),
	    cell_time(db, row, NODE_TOOK, took, sizeof(took)));
	if (retries > 0)
		printf(
		    "  (%d %s)", retries, retries == 1 ? "retry" : "retries");
	if (!db_is_null(db, row, NODE_ERROR))
		printf("  %s", db_get(db, row, NODE_ERROR));
	putchar('\n');
}

static enum ctl_exit
elements_print(struct ctl *ctl, const char *id, const char *node)
{
	int row;

	if (!ask_elements(ctl, &SQL_EXECUTION_HAS_NODE, id, node))
		return CTL_FAILED;
	if (strcmp(db_get(ctl->db, 0, 0), "t") != 0)
		return ctl_fail("the execution has no node '%s'", node);
	if (!ask_elements(ctl,
		ctl->json ? &SQL_EXECUTION_ELEMENTS_JSON
			  : &SQL_EXECUTION_ELEMENTS,
		id, node))
		return CTL_FAILED;
	if (ctl->json) {
		puts(db_get(ctl->db, 0, 0));
		return CTL_DONE;
	}
	printf(
	    "%7s  %-9s  %10s  %10s\n", "ELEMENT", "STATE", "STARTED", "TOOK");
	for (row = 0; row < db_count(ctl->db); row++)
		element_print(ctl->db, row);
	return CTL_DONE;
}

/* --- the execution ---------------------------------------------------------- */

static void
head_print(const struct db *db)
{
	char took[32];

	if (!db_is_null(db, 0, HEAD_RESULT))
		printf("\n%s\n", db_get(db, 0, HEAD_RESULT));
	if (!db_is_null(db, 0, HEAD_ERROR))
		printf("\n%s\n", db_get(db, 0, HEAD_ERROR));
	printf("\n%s  %s version %s: %s in %s, %s nodes, %s succeeded, %s "
	       "failed\n",
	    db_get(db, 0, HEAD_ID), db_get(db, 0, HEAD_DAG),
	    db_get(db, 0, HEAD_VERSION), db_get(db, 0, HEAD_STATUS),
	    cell_time(db, 0, HEAD_MS, took, sizeof(took)),
	    db_get(db, 0, HEAD_TOTAL), db_get(db, 0, HEAD_SUCCEEDED),
	    db_get(db, 0, HEAD_FAILED));
}

enum ctl_exit
execution_print(struct ctl *ctl, const char *id)
{
	if (ctl->json) {
		db_text(ctl->db, id);
		if (!ctl_query(ctl, &SQL_EXECUTION_JSON))
			return CTL_FAILED;
		puts(db_get(ctl->db, 0, 0));
		return CTL_DONE;
	}
	if (!nodes_print(ctl, id))
		return CTL_FAILED;
	db_text(ctl->db, id);
	if (!ctl_query(ctl, &SQL_EXECUTION_HEAD))
		return CTL_FAILED;
	head_print(ctl->db);
	return CTL_DONE;
}

enum ctl_exit
execution_show(struct ctl *ctl)
{
	const char *id = ctl->args.operands[0];
	struct uuid uuid;

	if (!uuid_parse(id, strlen(id), &uuid))
		return ctl_usage("'%s' is no id of an execution", id);
	if (!ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	db_text(ctl->db, id);
	if (!ctl_query(ctl, &SQL_EXECUTION_PROGRESS))
		return CTL_FAILED;
	if (db_count(ctl->db) == 0)
		return ctl_fail("there is no execution %s", id);
	if (args_has(&ctl->args, "elements"))
		return elements_print(
		    ctl, id, args_get(&ctl->args, "elements"));
	return execution_print(ctl, id);
}

/* --- wait ----------------------------------------------------------------- */

static bool
has_ended(const char *status)
{
	return strcmp(status, "success") == 0 ||
	       strcmp(status, "failed") == 0 ||
	       strcmp(status, "cancelled") == 0;
}

static void
progress_show(const struct db *db, bool end)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (end)
		fputs("\r\033[K", stderr);
	else
		fprintf(stderr, "\r\033[K%s, %s of %s nodes ended",
		    db_get(db, 0, 0), db_get(db, 0, 3), db_get(db, 0, 1));
}

const char *
execution_wait(struct ctl *ctl, const char *id)
{
	int64_t begin = clock_mono_ns();
	useconds_t pause = POLL_FIRST_US;
	bool hinted = false;

	for (;;) {
		db_text(ctl->db, id);
		if (!ctl_query(ctl, &SQL_EXECUTION_PROGRESS))
			return NULL;
		if (db_count(ctl->db) == 0) {
			ctl_fail("execution %s is gone", id);
			return NULL;
		}
		if (has_ended(db_get(ctl->db, 0, 0)))
			break;
		progress_show(ctl->db, false);
		if (!hinted && db_get(ctl->db, 0, 2)[0] == 't' &&
		    clock_mono_ns() - begin > HINT_NS) {
			fputs("No server has taken it yet: does ./build.sh "
			      "run?\n",
			    stderr);
			hinted = true;
		}
		usleep(pause);
		pause =
		    pause * 3 / 2 > POLL_MAX_US ? POLL_MAX_US : pause * 3 / 2;
	}
	progress_show(ctl->db, true);
	return mem_strdup(&ctl->mem, db_get(ctl->db, 0, 0));
}

enum ctl_exit
execution_follow(struct ctl *ctl, const char *id)
{
	const char *status;

	if (!args_has(&ctl->args, "wait")) {
		printf(ctl->json ? "{\"id\": \"%s\"}\n" : "%s\n", id);
		return CTL_DONE;
	}
	status = execution_wait(ctl, id);
	if (status == NULL || execution_print(ctl, id) != CTL_DONE)
		return CTL_FAILED;
	return strcmp(status, "success") == 0 ? CTL_DONE : CTL_FAILED;
}
