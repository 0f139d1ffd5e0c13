/* graph_mutation.c - the table of mutations.
 */
#include "web/graph_mutation.h"

#include <string.h>

#define END                                                                    \
	{                                                                      \
		NULL, NULL, 0, NULL, NULL                                      \
	}
#define ID(what)                                                               \
	{                                                                      \
		"id", "ID!", PLACE_PATH, NULL, what                            \
	}
#define INPUT                                                                  \
	{                                                                      \
		"input", NULL, PLACE_INPUT, NULL, NULL                         \
	}

/* --- DAGs ----------------------------------------------------------------- */

static const struct graph_argument create[] = {INPUT, END};
static const struct graph_argument dag[] = {ID("Of the DAG."), END};
static const struct graph_argument dag_update[] = {
    ID("Of the DAG."), INPUT, END};
static const struct graph_argument dag_activate[] = {
    ID("Of the DAG."),
    {"version", "Int", PLACE_ATTRIBUTE, "version",
	"Number of the version; without it the newest."},
    END,
};

/* --- executions ----------------------------------------------------------- */

static const struct graph_argument start[] = {
    {"dagId", "ID!", PLACE_RELATION, "dag", "Of the DAG, which is active."},
    {"context", "JSON", PLACE_ATTRIBUTE, "context",
	"The input: an object that expressions read as context."},
    {"metadata", "JSON", PLACE_ATTRIBUTE, "metadata",
	"Facts about it that its nodes don't read: an object."},
    {"priority", "Int", PLACE_ATTRIBUTE, "priority",
	"From -100 to 100; without it the DAG's."},
    {"idempotencyKey", "String", PLACE_HEADER, "idempotency-key",
	"The same key gives the same execution, for 24 hours."},
    END,
};
static const struct graph_argument execution[] = {ID("Of the execution."), END};
static const struct graph_argument rerun[] = {
    ID("Of the execution."),
    {"nodes", "[String!]", PLACE_ATTRIBUTE, "nodes",
	"Names of the nodes that run again, with all that depend on them; the "
	"results of the others are kept."},
    {"from", "RerunFrom", PLACE_ATTRIBUTE, "from",
	"FAILED: the nodes that did not succeed run again, with all that "
	"depend on them. Without nodes and from all nodes run."},
    {"context", "JSON", PLACE_ATTRIBUTE, "context",
	"Another context; only where no results are kept."},
    {"metadata", "JSON", PLACE_ATTRIBUTE, "metadata",
	"Without it that of the origin."},
    {"idempotencyKey", "String", PLACE_HEADER, "idempotency-key",
	"The same key gives the same execution, for 24 hours."},
    END,
};
static const struct graph_argument send[] = {
    {"executionId", "ID!", PLACE_PATH, NULL, "Of the execution."},
    {"name", "String!", PLACE_ATTRIBUTE, "name",
	"What a node waits for: letters, digits, _ and -."},
    {"value", "JSON", PLACE_ATTRIBUTE, "value",
	"Any JSON, for the node that takes it; without one null."},
    {"idempotencyKey", "String", PLACE_HEADER, "idempotency-key",
	"The same key sends it once."},
    END,
};

/* --- secrets -------------------------------------------------------------- */

static const struct graph_argument secret_create[] = {
    {"name", "String!", PLACE_ATTRIBUTE, "name",
	"What ${{ secrets.NAME }} calls it: letters, digits and _."},
    {"value", "String!", PLACE_ATTRIBUTE, "value",
	"Up to 64 KiB of text. It is stored encrypted and never shown again."},
    END,
};
static const struct graph_argument secret_update[] = {
    ID("Of the secret."),
    {"value", "String!", PLACE_ATTRIBUTE, "value", "The new value."},
    END,
};
static const struct graph_argument secret[] = {ID("Of the secret."), END};

const struct graph_mutation graph_mutations[] = {
    {.name = "createDAG",
	.description = "Stores a definition as a new DAG; it starts as a "
		       "draft.",
	.method = "POST",
	.path = "/api/v1/dags",
	.body = "dags",
	.arguments = create,
	.input = "CreateDAGInput",
	.flag = FIELD_CREATE,
	.result = "DAG"},
    {.name = "updateDAG",
	.description = "Changes a DAG; another definition becomes its next "
		       "version.",
	.method = "PATCH",
	.path = "/api/v1/dags/%s",
	.body = "dags",
	.arguments = dag_update,
	.input = "UpdateDAGInput",
	.flag = FIELD_UPDATE,
	.result = "DAG"},
    {.name = "activateDAG",
	.description = "Compiles a version and makes it the one that "
		       "executions run.",
	.method = "POST",
	.path = "/api/v1/dags/%s/activate",
	.body = "dags",
	.arguments = dag_activate,
	.result = "DAG"},
    {.name = "archiveDAG",
	.description = "Puts a DAG aside: it can't be started any more.",
	.method = "POST",
	.path = "/api/v1/dags/%s/archive",
	.arguments = dag,
	.result = "DAG"},
    {.name = "deleteDAG",
	.description = "Deletes a DAG: its history stays, its name is free.",
	.method = "DELETE",
	.path = "/api/v1/dags/%s",
	.arguments = dag},
    {.name = "executeDAG",
	.description = "Starts an execution; it is durable when this answers.",
	.method = "POST",
	.path = "/api/v1/executions",
	.body = "executions",
	.arguments = start,
	.result = "Execution"},
    {.name = "cancelExecution",
	.description = "Asks to end it: nothing new starts, running nodes are "
		       "stopped.",
	.method = "POST",
	.path = "/api/v1/executions/%s/cancel",
	.arguments = execution,
	.result = "Execution"},
    {.name = "pauseExecution",
	.description = "Starts no more nodes until it is resumed; running ones "
		       "go on.",
	.method = "POST",
	.path = "/api/v1/executions/%s/pause",
	.arguments = execution,
	.result = "Execution"},
    {.name = "resumeExecution",
	.description = "Ends its pause.",
	.method = "POST",
	.path = "/api/v1/executions/%s/resume",
	.arguments = execution,
	.result = "Execution"},
    {.name = "rerunExecution",
	.description = "Runs it again, or some nodes of it, as a new "
		       "execution.",
	.method = "POST",
	.path = "/api/v1/executions/%s/rerun",
	.body = "executions",
	.arguments = rerun,
	.result = "Execution"},
    {.name = "sendSignal",
	.description = "Sends a signal to an execution, for a node that waits "
		       "for its name.",
	.method = "POST",
	.path = "/api/v1/executions/%s/signals",
	.body = "signals",
	.arguments = send,
	.result = "Signal"},
    {.name = "createSecret",
	.description = "Stores a value that ops get as ${{ secrets.NAME }}.",
	.method = "POST",
	.path = "/api/v1/secrets",
	.body = "secrets",
	.arguments = secret_create,
	.result = "Secret"},
    {.name = "updateSecret",
	.description = "Gives a secret another value.",
	.method = "PATCH",
	.path = "/api/v1/secrets/%s",
	.body = "secrets",
	.arguments = secret_update,
	.result = "Secret"},
    {.name = "deleteSecret",
	.description = "Deletes a secret.",
	.method = "DELETE",
	.path = "/api/v1/secrets/%s",
	.arguments = secret},
    {NULL},
};

const struct graph_mutation *
graph_mutation_find(const char *name, size_t len)
{
	const struct graph_mutation *m = graph_mutations;

	for (; m->name != NULL; m++)
		if (strlen(m->name) == len && memcmp(m->name, name, len) == 0)
			return m;
	return NULL;
}
