/* args.h - the words after a command: options and operands, by a table.
 *
 * Owner:    the caller; values point into argv.
 * Accepts:  --name value, --name=value, flags, `--` before operands that start
 *           with a dash. An option that is not `many` may be given once.
 */
#ifndef OPEN_OPENCTL_ARGS_H
#define OPEN_OPENCTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct option {
	const char *name;  /* without dashes; NULL ends the table */
	const char *value; /* what the help calls its value; NULL: a flag */
	bool required;
	bool many;
	const char *help;
};

#define ARGS_OPTIONS_MAX  64
#define ARGS_OPERANDS_MAX 4096

struct args {
	size_t option_count;
	struct {
		const char *name, *value; /* value "" for a flag */
	} options[ARGS_OPTIONS_MAX];
	size_t operand_count;
	const char *operands[ARGS_OPERANDS_MAX];
};

/* -1 and e (code "usage") for an unknown, repeated or incomplete option. Does
 * not ask for required ones, so that --help works without. */
int args_parse(struct args *, const struct option *table, int argc,
    char *const *argv, struct err *e);
/* -1 and e when a required option is missing, or the number of operands is not
 * in min..max. */
int args_check(const struct args *, const struct option *table, size_t min,
    size_t max, struct err *e);
/* The value of an option, NULL: not given. */
const char *args_get(const struct args *, const char *name);
bool args_has(const struct args *, const char *name);

#endif
