/* error_body.h - JSON:API error documents. Pure: knows neither Kore nor flows.
 *
 * {"errors":[{"status":"404","code":"dag_not_found","title":"Dag not found",
 *   "detail":"…","source":{"pointer":"/data/id"},"meta":{"line":3}}]}
 */
#ifndef OPEN_WEB_ERROR_BODY_H
#define OPEN_WEB_ERROR_BODY_H

#include "base/buf.h"
#include "dag/document.h"

struct error_object {
	const char *code;
	const char *detail;    /* NULL: none */
	const char *prefix;    /* before pointer; NULL: none */
	const char *pointer;   /* into the body; NULL: none */
	const char *parameter; /* of the query; NULL: none */
	uint32_t line, column; /* 0: none */
};

void error_body_begin(struct buf *);
void error_body_add(struct buf *, int status, const struct error_object *);
void error_body_end(struct buf *);
/* A whole document: one object per kept fault; the last one tells how many
 * there were where not all were kept. */
void error_body_faults(struct buf *, int status, const struct faults *,
    const char *pointer_prefix);

/* {"errors":[{"message":"…","extensions":{"code":"…"}}]}, GraphQL's form. */
void error_body_graphql(struct buf *, const struct error_object *);

#endif
