/* redact.h - *** instead of secrets, in whatever leaves the process.
 *
 * Found:    the value as it stands; percent-encoded (also + for a blank);
 *           escaped as in JSON; base64 in both alphabets, also inside of more
 *           base64 and over line ends; a JSON value also as JSON writes it.
 *           Matches that overlap become one ***.
 * Not:      values under SECRET_REDACT_MIN bytes; what a program computes from
 *           a value in another way; parts of a value, but where a text was cut.
 * Cost:     linear in the text, for each value and form.
 * Process:  pure functions, any thread; scratch is wiped.
 */
#ifndef OPEN_EXEC_REDACT_H
#define OPEN_EXEC_REDACT_H

#include "exec/secret_value.h"

enum redact_cut { /* where a text may be a part of a longer one */
	REDACT_WHOLE = 0,
	REDACT_CUT_START = 1,
	REDACT_CUT_END = 2
};

enum redact_result {
	REDACT_CLEAN, /* nothing found: the text stays */
	REDACT_DONE,  /* *out is another text, in m */
	REDACT_MEMORY /* out of memory: don't show the text */
};

/* set: its older ones count too. */
enum redact_result redact_text(const struct secret_set *set, struct mem *m,
    const char *text, size_t len, unsigned cut, const char **out,
    size_t *out_len);
/* Whether redact_json has to look closer: REDACT_CLEAN, REDACT_DONE (it has),
 * REDACT_MEMORY. */
enum redact_result redact_probe(
    const struct secret_set *set, const char *text, size_t len);
/* A JSON text stays JSON: strings and names are redacted inside, a number that
 * holds a secret becomes "***". */
enum redact_result redact_json(const struct secret_set *set, struct mem *m,
    const char *text, size_t len, const char **out, size_t *out_len);

#endif
