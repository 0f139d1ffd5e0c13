/* graph.h - resources as GraphQL's types: what resource.h's tables don't say,
 * and the names and types that follow from them.
 *
 * One source: attributes and relations stand in resources.c, expressions in
 *           sql/_NAME.sql (EXPR_NAME); graph.c says where a resource's rows come
 *           from and how lists hang together. Schema, statements and filters
 *           follow.
 * Policy:   which rows and fields there are for an actor is policy.h's.
 * Names:    inserted_at is insertedAt; a number that ends in _ms is a Duration
 *           of the name without it; a relation `creator` is also creatorId; a
 *           value of an enum is in capitals.
 * Lifetime: tables are constant and resident.
 * Process:  any.
 */
#ifndef OPEN_WEB_GRAPH_H
#define OPEN_WEB_GRAPH_H

#include "web/policy.h"
#include "web/resource.h"

/* In conditions and joins of the tables:
 *   @id     the id that is asked for, any expression of type uuid
 *   @owner  the id of the resource that the rows are listed below
 * Aliases of tables stand alone before a dot; a statement numbers them. */
struct graph_join {
	const char *alias; /* joined where an expression names it */
	const char *text;
};

/* A list that no relation of the resource tells, or whose other end has several
 * relations to here. */
struct graph_list {
	const char *name; /* of the relation; NULL ends the table */
	const struct resource *target;
	const char *inverse; /* the target's relation that leads back */
	const char *description;
};

/* An attribute that is called otherwise; to NULL: not shown. */
struct graph_rename {
	const char *name, *to;
};

struct graph {
	const struct resource *resource;
	const char *type;	/* "DAG" */
	const char *one, *many; /* fields of Query: "dag", "dags"; or NULL */
	const char *const *columns;
	const char *aliases; /* those that are numbered: "n x a" */
	/* "open.dags d"; of a table of which requests may read some columns
	 * only, a subquery of these: a page is asked for whole, as "d.*". */
	const char *from;
	const struct graph_join *joins; /* ended by alias NULL; or NULL */
	const char *by_id;		/* condition on @id */
	enum policy_action action;	/* what reading it is */
	/* Of rows that are only reached through another one: the relation that
	 * leads to it, and its id where only @id is known. */
	const char *owner, *owner_of_id;
	const char *tie; /* unique order of last resort, not null */
	enum field_type tie_type;
	const struct graph_list *lists;	    /* or NULL */
	const struct graph_rename *renames; /* or NULL */
	unsigned page_default, page_max;    /* 0: as REST's */
};

extern const struct graph graph_table[]; /* ended by resource NULL */
const struct graph *graph_of(const char *resource_type); /* NULL: none */
const struct graph *graph_of_type(const char *type);	 /* NULL: none */
unsigned graph_page_default(const struct graph *);
unsigned graph_page_max(const struct graph *);

enum graph_scalar {
	GRAPH_STRING,
	GRAPH_ID,
	GRAPH_UUID,
	GRAPH_INT,
	GRAPH_FLOAT,
	GRAPH_BOOLEAN,
	GRAPH_DATETIME,
	GRAPH_DURATION, /* a number of milliseconds in SQL */
	GRAPH_JSON,
	GRAPH_ENUM
};
#define GRAPH_SCALARS (GRAPH_ENUM + 1)

enum graph_kind {
	GRAPH_FIELD, /* also the id */
	GRAPH_ONE,
	GRAPH_LIST,
	GRAPH_CONNECTION
};

#define GRAPH_NAME_MAX 64

/* A field of an object type. */
struct graph_member {
	enum graph_kind kind;
	char name[GRAPH_NAME_MAX];
	const char *description;
	/* GRAPH_FIELD: */
	enum graph_scalar scalar;
	const char *const *values; /* GRAPH_ENUM */
	bool not_null, filterable, sortable;
	bool by_id; /* to sort by it is to sort by `tie` */
	/* GRAPH_FIELD, GRAPH_ONE: index of its expression in columns. */
	int column;
	/* The others: */
	const struct graph *target;
	/* GRAPH_LIST, GRAPH_CONNECTION: the target's expression of our id. */
	int inverse;
};

#define GRAPH_MEMBERS_MAX 96

/* All fields of the type, in the order of its tables. Returns their number. */
unsigned graph_members(const struct graph *,
    struct graph_member members[static GRAPH_MEMBERS_MAX]);

/* Whether not everybody who sees the row sees the field. */
bool graph_field_guarded(const struct graph *, const struct field *);

/* "inserted_at", "node-executions" → insertedAt, nodeExecutions. */
void graph_camel(const char *name, char out[static GRAPH_NAME_MAX]);
/* insertedAt → INSERTED_AT. */
void graph_capitals(const char *name, char out[static GRAPH_NAME_MAX]);
/* The enum's type: the first that has the values gives it its name. */
void graph_enum_name(
    const char *const *values, char out[static GRAPH_NAME_MAX]);
/* "String"; the enum's name for GRAPH_ENUM (then from graph_enum_name). */
extern const char *const graph_scalar_names[GRAPH_SCALARS];

/* Type Query's fields: a graph's `one`, `many` and manyConnection; a list's
 * arguments beside filters, sort, first, after, limit and offset: the owner's
 * id (required) or, where optional_owner tells, one that may be given. */
const char *graph_optional_owner(const struct graph *); /* NULL: none */

/* A description before what it is of; NULL or "": nothing. */
void graph_sdl_describe(struct buf *, const char *indent, const char *text);

/* The schema in SDL. */
void graph_sdl_write(struct buf *);

#endif
