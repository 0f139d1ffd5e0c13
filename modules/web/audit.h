/* audit.h - refused attempts of requests, written to the audit log a moment
 * later; what was done is written by the database (migrations, audit_log).
 *
 * Bounds:   refusals.h; a database that is away loses what does not fit.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_AUDIT_H
#define OPEN_WEB_AUDIT_H

struct flow;

/* A request was answered: 401, 403, 429, and 404 of a change are kept. */
void audit_answered(struct flow *);
void audit_start(void);

#endif
