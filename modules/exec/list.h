/* list.h - the text of a JSON list, cut into its elements: so that each can be
 * read alone, and the whole is parsed by nobody.
 *
 * Process:  pure functions, any thread.
 */
#ifndef OPEN_EXEC_LIST_H
#define OPEN_EXEC_LIST_H

#include <stddef.h>
#include <stdint.h>

#define LIST_BAD UINT32_MAX

/* How many elements the list has, or LIST_BAD: the text is no list as json_write
 * writes it. starts NULL, or room for max + 1: element i is the text from
 * starts[i] on, starts[i + 1] - 1 - starts[i] bytes. LIST_BAD too if there are
 * more than max. A text that is not JSON gives any elements of it. */
uint32_t list_split(
    const char *text, size_t len, uint32_t *starts, uint32_t max);

#endif
