/* plan.h - what an operation will do: a statement for each root field, where
 * its parameters come from, and how its rows become JSON.
 *
 * Owner:    all of it lives in the struct mem of plan_make and points into the
 *           document, the schema and web's tables.
 * Lifetime: a plan holds for any variables of the same shape (shape.h): what is
 *           in its statements is which filters there are, never their values.
 * Process:  pure; a finished plan is only read.
 */
#ifndef OPEN_GRAPHQL_PLAN_H
#define OPEN_GRAPHQL_PLAN_H

#include "dag/json.h"
#include "graphql/collect.h"
#include "web/graph.h"
#include "web/sql.h"

/* --- values --------------------------------------------------------------- */

/* Where a value stands in the variables: a name or an index below another. */
struct plan_path {
	const struct plan_path *up; /* NULL: name is the variable's */
	struct gql_name name;	    /* s NULL: an index */
	uint32_t index;
};

/* A value given to an argument: in the document, or in the variables. None:
 * both are NULL. */
struct plan_input {
	const struct gql_value *ast;
	const struct json *json;
	const struct plan_path *path; /* of json */
	struct gql_place at;
};

enum plan_param_kind {
	PARAM_USER,    /* the actor */
	PARAM_SUBJECT, /* what an event is about, or a mutation's route answered */
	PARAM_VALUE,
	PARAM_LIST,  /* of values, as an array */
	PARAM_LIMIT, /* of a page, and one more if it must tell whether more
			 follows */
	PARAM_OFFSET,
	PARAM_CURSOR /* a value of the page's cursor */
};

struct plan_param {
	enum plan_param_kind kind;
	enum graph_scalar scalar;
	struct plan_input value; /* json: that of the first request, unused */
	const struct plan_page *page;
	unsigned key; /* PARAM_CURSOR: which of its values */
};

/* --- pages ---------------------------------------------------------------- */

#define PLAN_KEYS_MAX 8 /* sort keys, the last one unique */

/* Types of a cursor's values. */
struct plan_key {
	enum field_type type;
	const char *cast; /* "timestamptz" */
	int column;	  /* of the row; -1: no cursors are asked for */
};

struct plan_page {
	const char *type; /* of its rows: "DAG" */
	unsigned size_default, size_max;
	bool sized, more; /* an argument says the size; one more row is read */
	bool after_given;
	struct plan_input size, offset, after;
	unsigned key_count;
	struct plan_key keys[PLAN_KEYS_MAX];
	uint32_t order; /* hash of the order: a cursor belongs to one */
};

/* --- output --------------------------------------------------------------- */

enum plan_out_kind {
	OUT_SCALAR,
	OUT_TYPENAME, /* constant text */
	OUT_ONE,      /* an object; column tells whether it is there */
	OUT_LIST,
	OUT_CONNECTION,
	/* Below OUT_CONNECTION: */
	OUT_EDGES,
	OUT_NODES,
	OUT_PAGE_INFO,
	OUT_TOTAL,
	/* Below OUT_EDGES: */
	OUT_NODE,
	OUT_CURSOR,
	/* Below OUT_PAGE_INFO: */
	OUT_HAS_NEXT,
	OUT_HAS_PREVIOUS,
	OUT_START_CURSOR,
	OUT_END_CURSOR
};

/* Rows within a row: `count` arrays of the same length in the columns from
 * `first` on, or, within other such rows, one record of them. */
struct plan_rows {
	unsigned first, count;
	bool record;
	int total; /* column of the number of all, or -1 */
	const struct plan_page *page;
};

struct plan_out {
	struct plan_out *next;
	enum plan_out_kind kind;
	const char *key; /* "\"name\":" */
	uint32_t key_len;
	struct gql_name response; /* for paths */
	struct gql_place at;
	const char *type, *field; /* for messages: "DAG", "name" */
	bool not_null;
	enum graph_scalar scalar;
	int column;
	const char *text; /* OUT_TYPENAME */
	struct plan_out *children;
	const struct plan_rows *rows;
};

enum plan_root_kind {
	ROOT_ONE,	 /* the first row, if there is one */
	ROOT_LIST,	 /* the rows */
	ROOT_CONNECTION, /* one row that holds the connection's arrays */
	ROOT_TYPENAME,
	ROOT_DONE, /* true: a mutation without a row */
	ROOT_INTROSPECTION
};

struct plan_root {
	struct plan_root *next;
	enum plan_root_kind kind;
	struct gql_name response;
	struct gql_place at;
	const struct gql_collected *collected;
	bool not_null;
	uint64_t actions;    /* bits: enum policy_action that it reads by */
	struct plan_out out; /* key, children, rows */
	struct sql sql;
	unsigned param_count;
	const struct plan_param *params;
	const struct plan_page *page; /* ROOT_LIST */
	unsigned column_count;
};

struct query_plan {
	const struct gql_definition *operation;
	struct plan_root *roots; /* in the order of the answer */
	unsigned root_count, statement_count;
	uint64_t hash; /* of all statements */
};

/* Plans an operation of a valid document. variables: coerced; an object or
 * NULL. -1 and e with a place: what validation can't know ("invalid_argument").
 * Memory from the collector's. */
int plan_make(struct gql_collector *collector,
    const struct gql_definition *operation, const struct json *variables,
    struct query_plan **out, struct gql_error *e);

#define PLAN_PARAMS_MAX	 1000
#define PLAN_COLUMNS_MAX 1600 /* PostgreSQL's */

#endif
