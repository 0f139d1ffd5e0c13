/* names.h - what a name may be, see document.h.
 *
 * Process:  pure functions, any thread.
 */
#ifndef OPEN_DAG_NAMES_H
#define OPEN_DAG_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define NAME_MAX_LENGTH 200

/* The charset only, not the length. s is valid UTF-8. */
bool name_is_valid(const char *s, size_t len);
size_t name_characters(const char *s, size_t len);

#endif
