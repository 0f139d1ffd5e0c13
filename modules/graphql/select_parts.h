/* select_parts.h - what the files of select share: a select that grows, its
 * columns, its output; select.h tells how they fit together.
 *
 * A row of the statement (or of a list within it) has numbered columns; a select
 * knows the expression of each of its own, and passes on those of the selects
 * joined to it, under the same number.
 */
#ifndef OPEN_GRAPHQL_SELECT_PARTS_H
#define OPEN_GRAPHQL_SELECT_PARTS_H

#include "graphql/select.h"

struct row {
	unsigned columns;
	bool nested; /* of a list within the statement */
};

struct item {
	unsigned column;
	int member; /* index in the graph's columns; -1: another */
	const char *expression;
};

struct select {
	struct row *row;
	struct scope scope;
	struct item *items;
	unsigned count, room;
	struct text joins;
};

/* What makes a list: which rows, beside the actor's. */
struct listing {
	const struct graph *graph;
	const struct gql_collected *field;
	const char *owner; /* expression of the owner's id, or NULL */
	int inverse;	   /* column that equals it, or -1 */
	/* A relation that an argument may name, or -1. */
	int optional;
	struct plan_input optional_id;
};

/* --- select.c: each NULL, false or 0 after a failure ---------------------- */

struct select select_of(struct compiler *, struct row *, const struct graph *);
int select_add_expression(
    struct compiler *, struct select *, const char *expression);
/* A column that is not null in every row that is there. */
int select_add_presence(struct compiler *, struct select *);
/* "a as c0, b as c1" */
void select_put_items(struct text *, const struct select *);
struct plan_out *select_out_new(struct compiler *, enum plan_out_kind,
    const struct gql_collected *, const char *type);
bool select_is_typename(const struct compiler *, const struct gql_collected *);
struct plan_out *select_out_typename(
    struct compiler *, const struct gql_collected *, const char *type);
bool select_object(struct compiler *, struct select *, const struct gql_type *,
    const struct gql_collected *, struct plan_out **);
/* Where the next one goes; NULL: out is. */
struct plan_out **select_append(struct plan_out **last, struct plan_out *out);

/* --- select_list.c -------------------------------------------------------- */

struct plan_input select_argument(
    struct compiler *, const struct gql_collected *, const char *name);
struct plan_page *select_page_new(
    struct compiler *, const struct gql_collected *, const struct graph *);
void select_put_list(struct text *, struct compiler *, struct select *,
    const struct listing *, const struct plan_page *, const struct order_key *);
bool select_list(struct compiler *, struct select *, const struct listing *,
    struct plan_out *);
bool select_connection(struct compiler *, struct select *,
    const struct listing *, struct plan_out *);

#endif
