/* secrets.h - where an arena gets secrets from, and keeps them while they are
 * used.
 *
 *   run with secrets adopted ─► all its names asked of the host ─► its first
 *   node starts; each later one starts with the values of then: NOTIFY makes
 *   the arena ask again.
 *
 * Host:     exec_settings.secrets.ask is called on the arena's thread and must
 *           only hand the request over; the host answers each request once, by
 *           exec_secret_answer on its event loop's thread. Without an ask
 *           there are no secrets.
 * Bounded:  an arena keeps at most SECRETS_KEPT values beside those that runs
 *           hold, each for at most SECRETS_FRESH_NS.
 * Memory:   secret_value.h. A run remembers what it was given, also values
 *           replaced since (the last SECRETS_OLDER), so that its nodes' results
 *           never show them.
 */
#ifndef OPEN_EXEC_SECRETS_H
#define OPEN_EXEC_SECRETS_H

#include "exec/secret_value.h"

struct exec;
struct secret_request {
	struct secret_request *next; /* the host's, until it answers */
	struct uuid organization;
	char name[SECRET_NAME_MAX + 1];
};

struct secret_source {
	void (*ask)(void *ctx, struct secret_request *);
	void *ctx;
};

/* Ends a request; text is copied. */
void exec_secret_answer(struct exec *, struct secret_request *,
    enum secret_state, const char *text, size_t len);
/* A secret was written or deleted; organization NULL: any may have been. */
void exec_secret_changed(
    struct exec *, const struct uuid *organization, const char *name);

/* --- inside exec: the arena's thread --- */

#define SECRETS_KEPT	 1024
#define SECRETS_OLDER	 16
#define SECRETS_FRESH_NS INT64_C(60000000000)

struct arena;
struct local;
struct attempt;
struct op_call;
struct op_outcome;
struct secrets;

/* What the host said and no arena has taken yet. */
struct secret_note;
void secret_notes_free(struct exec *);

struct secrets *secrets_new(void); /* NULL: out of memory */
void secrets_free(struct arena *); /* also what its runs hold */

/* Whether any node of a plan names a secret: secrets_open is for these. */
bool secrets_named(const struct plan *);
/* A run begins here: which secrets its plan names. False: out of memory. */
bool secrets_open(struct arena *, struct local *);
void secrets_close(struct local *);
/* True: the attempt may go on, and its call holds the values of now (none, if
 * its plan names none). False: it is ATTEMPT_SECRETS until attempt_go_on. */
bool secrets_ready(struct arena *, struct attempt *);
/* Takes what the host answered; attempts go on. */
void secrets_collect(struct arena *);
/* Now and then: asks again where there was no memory to. */
void secrets_check(struct arena *);
/* No secret in it any more. m: where it lies. */
void secrets_redact(const struct arena *, const struct local *, struct mem *m,
    struct op_outcome *);

#endif
