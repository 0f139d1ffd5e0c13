/* names.h - looks up host names on threads of its own, as getaddrinfo blocks.
 *
 * Owner:    a driver on an arena's thread; all functions are that thread's.
 * Threads:  started when needed, at most NAMES_THREADS; of these one owner's
 *           (an organization's) lookups take at most half, so that slow names
 *           of one don't hold up the others.
 * Lifetime: a lookup is the caller's before names_ask and after names_answers
 *           returned it. names_free does not wait for threads that are in a
 *           lookup; they end by themselves.
 */
#ifndef OPEN_EXEC_NAMES_H
#define OPEN_EXEC_NAMES_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/uuid.h"

#define NAMES_THREADS 16
#define NAMES_HOST    256 /* bytes of a name, and a NUL */

struct lookup {
	struct lookup *next;
	char host[NAMES_HOST];
	struct uuid owner;
	void *ctx;	      /* the caller's */
	_Atomic bool dropped; /* nobody waits for it any more */
	/* Afterwards: "192.0.2.1,[2001:db8::1]", malloc'd; NULL: error tells. */
	char *addresses;
	const char *error; /* literal */
};

struct names;

struct names *names_new(void); /* NULL: out of memory or descriptors */
/* Readable when there are answers. */
int names_fd(const struct names *);
void names_ask(struct names *, struct lookup *);
/* A list of answered lookups; NULL: none. */
struct lookup *names_answers(struct names *);
/* Frees what was asked and not taken back. */
void names_free(struct names *);
void lookup_free(struct lookup *);

#endif
