/* thread.h - threads of drivers that work beside an arena's and that nobody
 * waits for.
 *
 * Signals: all are blocked in them; they are for the event loop's thread.
 */
#ifndef OPEN_EXEC_THREAD_H
#define OPEN_EXEC_THREAD_H

#include <stdbool.h>
#include <stddef.h>

/* stack: bytes, 0 for the system's default. False: none could be started. */
bool thread_start_detached(size_t stack, void *(*run)(void *), void *arg);

#endif
