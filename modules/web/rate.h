/* rate.h - limits of how often a client may ask, for flows.
 *
 * Whom:     an address (of IPv6 the first 64 bits, which one customer has), an
 *           account (its email in lower case), the pair of both, a credential.
 * Lock-out: wrong passwords count against the pair of account and address: who
 *           guesses from elsewhere never uses up what its owner has. Guesses
 *           from many addresses use up the account's own limit; from then on
 *           every pair has fewer attempts (RATE_FEW), but never none.
 * Settings: rate_… in conf/open.yaml.
 * Answers:  429 rate_limited with Retry-After, before anything is asked or
 *           hashed, and the same whether there is such an account or not.
 * Process:  a worker's event loop; the table is all workers'.
 */
#ifndef OPEN_WEB_RATE_H
#define OPEN_WEB_RATE_H

#include "web/flow.h"

#define RATE_FEW 3 /* attempts of a pair, where the account is attacked */

/* Before a password is looked at: FLOW_NEXT with one attempt taken, or the
 * answer. email: as it came; may be no address at all. */
enum flow_next rate_sign_in(struct flow *, const char *email);
/* The password was right: the attempt is given back, what the pair has used up
 * is forgotten. */
void rate_signed_in(struct flow *, const char *email);
/* Before a mail to reset a password is made. *silent: the account had enough of
 * them; answer as always, and send none. */
enum flow_next rate_reset(struct flow *, const char *email, bool *silent);
/* Before somebody registers, confirms or accepts: by address. */
enum flow_next rate_register(struct flow *);

/* --- session.c's ---------------------------------------------------------- */

/* Anything, with a known credential. */
enum flow_next rate_credential(struct flow *);
/* Before the database is asked about a token that is not known: whether too
 * many from this address were nobody's. */
enum flow_next rate_unknown(struct flow *);
/* It was nobody's. */
void rate_refused(struct flow *);

#endif
