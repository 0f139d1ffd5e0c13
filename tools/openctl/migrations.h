/* migrations.h - numbered SQL files and what a database has applied of them.
 *
 * A file is named NNNN_words.sql. Applied ones must still be there, unchanged
 * (SHA-256) and none may come in below the newest applied one.
 * Owner:    everything lives in the struct mem passed in.
 */
#ifndef OPEN_OPENCTL_MIGRATIONS_H
#define OPEN_OPENCTL_MIGRATIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

#define CHECKSUM_TEXT 65 /* SHA-256 in hex and NUL */

struct migration {
	uint32_t number;
	const char *name; /* the file's, without .sql */
	const char *text; /* NUL-terminated; NULL for one that was applied */
	char checksum[CHECKSUM_TEXT];
};

struct migrations {
	size_t count;
	struct migration *list; /* ascending by number */
};

/* Number and name of a file, false: it is not called like a migration. */
bool migration_name_parse(const char *file, uint32_t *number);

/* Reads the folder. -1: "migrations_unreadable", "migration_name" (a .sql file
 * with another kind of name), "migration_duplicate". */
int migrations_read(
    const char *folder, struct mem *m, struct migrations *out, struct err *e);

/* How many of files are applied; the rest waits, in order. -1 and e with the
 * name: "migration_missing", "migration_changed", "migration_out_of_order". */
int migrations_compare(const struct migrations *files,
    const struct migrations *applied, size_t *done, struct err *e);

#endif
