/* execution.h - what the database knows of an execution, for people and
 * programs. */
#ifndef OPEN_OPENCTL_EXECUTION_H
#define OPEN_OPENCTL_EXECUTION_H

#include "openctl.h"

/* Waits until it ended, with its progress on a terminal; its final status, or
 * NULL after telling what went wrong. */
const char *execution_wait(struct ctl *, const char *id);
/* What follows a start: its id is printed, or with --wait how it ended; CTL_DONE
 * then only if it succeeded. */
enum ctl_exit execution_follow(struct ctl *, const char *id);
/* Its nodes, their states and times, the result; or --json. */
enum ctl_exit execution_print(struct ctl *, const char *id);

/* "850 us", "12.3 ms", "4.56 s", "3 min 2 s" */
void milliseconds_format(double ms, char *text, size_t size);

#endif
