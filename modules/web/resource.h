/* resource.h - what the API shows: one table of descriptors per resource, from
 * which JSON:API's output, its query parameters and OpenAPI come.
 *
 * Tables:   resources.c. A field is added as a column of sql/_NAME.sql and as
 *           a line of its table.
 * Names:    attributes are snake_case, types and relationships have dashes.
 * Long:     a field marked so comes with a single resource; in lists only when
 *           fields[TYPE] names it.
 * Lifetime: tables are constant; everything else lives in a request's mem.
 * Process:  a worker's event loop; the pure parts (query, writer) anywhere.
 */
#ifndef OPEN_WEB_RESOURCE_H
#define OPEN_WEB_RESOURCE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "web/sql.h"

/* --- descriptors ------------------------------------------------------- */

enum field_type {
	FIELD_TEXT,
	FIELD_ENUM, /* one of values */
	FIELD_UUID,
	FIELD_INTEGER,
	FIELD_NUMBER,
	FIELD_BOOLEAN,
	FIELD_TIME, /* RFC 3339 */
	FIELD_JSON, /* an object */
	FIELD_LIST, /* an array */
	FIELD_VALUE /* any JSON */
};

enum field_flags {
	FIELD_CREATE = 1 << 0,	 /* may be given to POST */
	FIELD_REQUIRED = 1 << 1, /* must be given to POST */
	FIELD_UPDATE = 1 << 2,	 /* may be given to PATCH */
	FIELD_LONG = 1 << 3,
	FIELD_WRITE_ONLY = 1 << 5, /* may be given, is never shown */
	FIELD_BY_ID = 1 << 4,	   /* to sort by it is to sort by id (UUIDv7) */
	FIELD_NULLABLE = 1 << 6,   /* null may be given */
	FIELD_SOLID = 1 << 8,
	FIELD_BIG = 1 << 9 /* may need more than 32 bits */
};

struct field {
	const char *name;
	enum field_type type;
	int column; /* of the resource's statements */
	unsigned flags;
	const char *const *values; /* FIELD_ENUM: ended by NULL */
	const char *description;   /* a sentence */
};

struct resource;

struct relation {
	const char *name;
	const char *type; /* of the resources at the other end */
	int column;	  /* to-one: where its id stands; to-many: -1 */
	const char *path; /* to-many: printf format of the related link, takes
			     the id; else NULL */
	/* What include= may load. to-one: target's `get`. */
	const struct resource *target; /* NULL: can't be included */
	const struct sql *many;	       /* to-many: $1 organization, $2 uuid[] of
				   one owner, $3… the target's long fields */
	const char *description;
};

struct filter {
	const char *name; /* filter[name] */
	enum field_type type;
	const char *const *values; /* FIELD_ENUM: ended by NULL */
	bool required;
	const char *description;
};

enum resource_operations {
	RESOURCE_CREATE = 1 << 0,
	RESOURCE_GET = 1 << 1,
	RESOURCE_LIST = 1 << 2,
	RESOURCE_UPDATE = 1 << 3,
	RESOURCE_DELETE = 1 << 4,
	/* None of them: it is only listed below another resource. */
	RESOURCE_YAML = 1 << 5, /* export, and where it may be made: import */
	RESOURCE_CREATE_BELOW = 1 << 6 /* POST to the list below its owner */
};

/* POST path/{id}/name */
struct action {
	const char *name; /* NULL ends the table */
	const char *description;
	const struct field *fields; /* optional attributes; NULL: none */
	const char *status;	    /* of its answer */
};

struct resource {
	const char *type; /* "dag-versions" */
	const char *path; /* "/api/v1/dag-versions" */
	const char *title;
	const char *description;
	unsigned operations;
	const struct field *fields;	  /* ended by name NULL */
	const struct relation *relations; /* ended by name NULL */
	const struct filter *filters;	  /* ended by name NULL */
	const struct action *actions;	  /* ended by name NULL */
	int column_count;
	/* Statements select the columns of sql/_NAME.sql, the id first.
	 * get:  $1 organization, $2 uuid[] of ids, $3… a boolean for each long
	 *       field: wanted.
	 * list: $1 organization, $2 limit, $3… long fields, then the filters
	 *       (null: not given; FIELD_ENUM: text[]), then, after a cursor,
	 *       the last row's sort value and id. Every order's name is a
	 *       field's. */
	const struct sql *get;
	const struct sql_sort *list;
	const char *sort; /* default, as in the parameter: "-inserted_at" */
	const char *not_found; /* code: "dag_not_found" */
};

#define RESOURCE_FIELDS_MAX   64
#define RESOURCE_FILTERS_MAX  8
#define RESOURCE_INCLUDES_MAX 4
#define RESOURCE_COLUMNS_MAX  32
#define RESOURCE_PAGE_MAX     1000
#define RESOURCE_PAGE_DEFAULT 100
#define RESOURCE_INCLUDED_MAX 10000 /* resources of one to-many include */

extern const struct resource resource_dags, resource_dag_versions,
    resource_executions, resource_node_executions, resource_elements,
    resource_secrets, resource_organizations, resource_signals, resource_users,
    resource_invitations, resource_audit_log, resource_tokens,
    resource_sessions, resource_graphql_operations;
/* resource_users of oneself: other fields can be written. */
extern const struct resource resource_profile;
extern const struct resource *const resource_table[];	/* NULL-ended */
const struct resource *resource_find(const char *type); /* NULL: unknown */
const struct field *resource_field(const struct resource *, const char *name);

/* --- query parameters -------------------------------------------------- */

/* Which fields (bit i: fields[i]) and relations are written. */
struct fieldset {
	uint64_t fields, relations;
};

enum resource_mode {
	RESOURCE_ONE,
	RESOURCE_MANY
};

struct resource_query {
	const struct resource *resource;
	enum resource_mode mode;
	struct fieldset fieldset;
	unsigned include_count;
	struct {
		const struct relation *relation;
		struct fieldset fieldset;
	} include[RESOURCE_INCLUDES_MAX];
	/* RESOURCE_MANY only: */
	unsigned size;
	const struct sql_sort *sort;
	const struct field *sort_field;
	bool descending;
	const char *filters[RESOURCE_FILTERS_MAX]; /* as SQL text; NULL: none */
	const char *after_value; /* SQL text; NULL: from the start */
	struct uuid after_id;
	/* As given, for links. */
	const char *given[RESOURCE_FILTERS_MAX + RESOURCE_INCLUDES_MAX + 8][2];
	unsigned given_count;
};

/* Why a query was refused: for an error object with source.parameter. */
struct query_fault {
	const char *code;
	const char *parameter;
	char message[ERR_MESSAGE_MAX];
};

/* get: the decoded value of a query parameter, or NULL. fixed: the name of a
 * filter that the path gives (its value in fixed_value), or NULL. 0 or -1. */
struct query_source {
	const char *(*get)(void *ctx, const char *name);
	void *ctx;
	const char *fixed, *fixed_value;
};
int resource_query_parse(struct resource_query *, const struct resource *,
    enum resource_mode, const struct query_source *, struct mem *,
    struct query_fault *);
/* All parameter names that the resource takes, NULL-ended, in mem. */
const char *const *resource_parameters(const struct resource *,
    enum resource_mode, const char *fixed, struct mem *);

/* The place after a row, for page[after]: opaque, URL-safe text in mem.
 * value: the row's sort value as PostgreSQL prints it, NULL for null. */
char *resource_cursor(const struct resource_query *, const char *value,
    const struct uuid *id, struct mem *);

/* Sets after_value and after_id; false: not a cursor of this order. */
bool resource_cursor_parse(
    struct resource_query *, const char *given, struct mem *);

/* Decimal digits, maybe after a minus, in the range. */
bool resource_integer(const char *text, long long min, long long max);

/* --- output ------------------------------------------------------------ */

/* A column of a row as PostgreSQL prints it; text NULL: null. */
struct cell {
	const char *text;
	size_t len;
};

/* What a to-many relation leads to, where it was included. */
struct linkage {
	const struct relation *relation;
	const char *ids; /* 36 characters each */
	size_t count;
};

/* One resource object. cells: column_count of them. links: ended by relation
 * NULL; may be NULL. */
void resource_write(struct buf *, const struct resource *,
    const struct fieldset *, const struct cell *cells,
    const struct linkage *links);
/* All fields but (in lists) the long ones, all relations. */
struct fieldset resource_fieldset(const struct resource *, enum resource_mode);
/* Appends the booleans of the long fields, as `get` and `list` want them. */
void resource_long_params(
    struct sql_params *, const struct resource *, const struct fieldset *);
void resource_row(const struct sql_rows *, int row, const struct resource *,
    struct cell *cells);

/* The OpenAPI 3.1 document of all resources. */
void openapi_write(struct buf *);
extern const char openapi_ops[];    /* the path item of /api/v1/ops */
extern const char openapi_errors[]; /* its error object */
/* Members of "paths" after others: the requests of forms.h. */
void openapi_forms(struct buf *);

#endif
