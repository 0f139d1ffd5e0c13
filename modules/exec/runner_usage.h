/* runner_usage.h - CPU time of a command's processes, in nanoseconds.
 *
 * Process:  the runner.
 */
#ifndef OPEN_EXEC_RUNNER_USAGE_H
#define OPEN_EXEC_RUNNER_USAGE_H

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

uint64_t usage_ns(const struct rusage *);

/* Of a living process, its descendants, and what they waited for; in steps of
 * the kernel's clock ticks (10 ms), of the first few hundred processes. */
uint64_t usage_of_tree(pid_t);

/* The first process of the sandbox, by what bubblewrap wrote into info (see
 * place_start); 0: it did not get that far, or there is no sandbox. */
pid_t usage_first(int info);

#endif
