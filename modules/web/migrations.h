/* migrations.h - which migrations this program comes with, to compare with
 * what the database has applied.
 *
 * Text:     "1 CHECKSUM\n2 CHECKSUM\n…", ascending by number; CHECKSUM is the
 *           file's SHA-256 in hex, as openctl migrate records it.
 */
#ifndef OPEN_WEB_MIGRATIONS_H
#define OPEN_WEB_MIGRATIONS_H

#include "base/err.h"

/* malloc'd; NULL and e: the folder can't be read. */
char *migrations_expected(const char *folder, struct err *e);

#endif
