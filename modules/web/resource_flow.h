/* resource_flow.h - a GET of one resource or of a list, for any table of
 * resource.h.
 *
 *   static enum flow_next
 *   show_ask(struct flow *f) { return resource_show(f, &resource_dags, &id); }
 *
 *   static const struct flow_step show[] = {
 *           FLOW_STEP(show_ask), RESOURCE_STEPS, FLOW_END };
 *
 * State: struct resource_state, first in the flow's state. A write ends in the
 * same steps: it asks resource_show for what it wrote.
 */
#ifndef OPEN_WEB_RESOURCE_FLOW_H
#define OPEN_WEB_RESOURCE_FLOW_H

#include "web/flow.h"
#include "web/resource.h"

struct resource_state {
	struct resource_query query;
	int status;		       /* 0: 200 */
	bool lines;		       /* answered as lines of JSON */
	bool located;		       /* with a Location header */
	const char *path;	       /* of a list, for its links */
	const struct resource *parent; /* must exist, or NULL */
	struct uuid parent_id;
	struct cell *cells; /* of the one resource */
	struct uuid *ends;  /* of the list's to-one includes */
	struct linkage links[RESOURCE_INCLUDES_MAX + 1];
	unsigned asked; /* includes asked so far */
	bool parent_asked;
	unsigned row_count;
	char *next; /* cursor of the next page */
	char *data; /* written so far, while it waits */
	size_t data_len;
	char *included;
	size_t included_len;
};

/* Asks for one resource. The flow answers 404 if there is none. */
enum flow_next resource_show(
    struct flow *, const struct resource *, const struct uuid *id);

/* The same, after a write: query parameters other than include and fields were
 * refused before it by resource_check. */
enum flow_next resource_written(
    struct flow *, const struct resource *, const struct uuid *id, int status);

/* Checks Accept and the query parameters of a request that answers with one
 * resource. False: it has answered, return FLOW_DONE. */
bool resource_check(struct flow *, const struct resource *);

/* Asks for a page. parent: the list is that of a parent resource, filtered by
 * `filter` (its value the parent's id); path: of the list. */
struct resource_parent {
	const struct resource *resource;
	const char *filter, *path;
	struct uuid id;
};
enum flow_next resource_list(struct flow *, const struct resource *,
    const struct resource_parent *parent);

/* The steps after that: rows, then one per include (and the parent). */
enum flow_next resource_rows(struct flow *);
enum flow_next resource_more(struct flow *);
#define RESOURCE_STEPS                                                         \
	FLOW_STEP(resource_rows), FLOW_STEP(resource_more),                    \
	    FLOW_STEP(resource_more), FLOW_STEP(resource_more),                \
	    FLOW_STEP(resource_more)

/* Answers with one resource that was not read from the database: cells are the
 * resource's columns. */
enum flow_next resource_reply_cells(struct flow *, const struct resource *,
    const struct cell *cells, int status);

/* --- links of a list ------------------------------------------------------ */

/* The request's own URL (after: NULL), or that of the page after a cursor. */
void resource_link(
    struct buf *, const struct resource_state *, const char *after);
/* ,"links":{"self":…,"next":…} */
void resource_links(struct buf *, const struct resource_state *);

#endif
