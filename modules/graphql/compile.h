/* compile.h - the text of a statement, and its parameters, while a plan is
 * made.
 *
 * Values never become text of a statement: they are parameters. What does are
 * expressions of web's tables, with their aliases numbered.
 *
 * Process: pure; memory from the plan's; sticky failures.
 */
#ifndef OPEN_GRAPHQL_COMPILE_H
#define OPEN_GRAPHQL_COMPILE_H

#include "graphql/input.h"

/* Text that grows in a struct mem. */
struct text {
	struct mem *mem;
	char *data;
	size_t len, room;
};
void text_put(struct text *, const char *s, size_t len);
void text_puts(struct text *, const char *s);
void text_putf(struct text *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
const char *text_end(struct text *); /* never NULL; mem tells */

struct compiler {
	struct mem *mem;
	struct gql_collector *collector;
	const struct json *variables;
	struct gql_error *e;
	bool failed;
	/* Of the statement: */
	unsigned scopes;
	uint64_t actions; /* bits: what is read, see policy.h */
	unsigned param_count;
	struct plan_param *params; /* PLAN_PARAMS_MAX */
};

/* -1, always. */
int compile_fail(struct compiler *, struct gql_place, const char *code,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Rows of one resource in a statement. */
struct scope {
	const struct graph *graph;
	unsigned number;
	const char *id, *owner; /* what @id and @owner stand for; or NULL */
	unsigned joins;		/* bits: those that are named */
};
struct scope scope_of(struct compiler *, const struct graph *);

/* A template of web's tables. */
void compile_put(
    struct text *, struct compiler *, struct scope *, const char *from_table);
/* "$7" of a new parameter. */
void compile_param(struct text *, struct compiler *, const struct plan_param *);
/* An expression of the resource, in brackets. */
void compile_column(
    struct text *, struct compiler *, struct scope *, int column);
/* That the row exists for the actor (policy.h). */
void compile_visible(struct text *, struct compiler *, struct scope *);
/* " from … joins": after everything that names aliases. */
void compile_from(struct text *, struct compiler *, struct scope *);
/* "text": how values of a type are compared, and sent. */
const char *compile_cast(enum graph_scalar);

/* --- filter.c ------------------------------------------------------------- */

/* A condition; "true" where there is none. */
void filter_put(struct text *, struct compiler *, struct scope *,
    const struct plan_input *);

/* --- order.c -------------------------------------------------------------- */

struct order_key {
	const char *expression;
	bool descending, nulls_first, not_null;
	struct plan_key type;
};

/* Fills keys and page's. */
void order_make(struct compiler *, struct scope *,
    const struct plan_input *sort, struct order_key *keys,
    struct plan_page *page);
/* "a desc, b": without "order by". */
void order_put(
    struct text *, const struct order_key *keys, const struct plan_page *);
/* That a row stands behind the page's cursor. */
void order_after(struct text *, struct compiler *, const struct order_key *keys,
    const struct plan_page *);

/* The fields of a type, made once. */
const struct graph_member *members_of(const struct graph *, unsigned *count);
int members_init(void); /* once, before the first plan */
void members_free(void);

#endif
