/* runner_child.h - starting one program, apart from us and without rights.
 *
 * Process:  the runner only (single-threaded: the child borrows its memory
 *           until it execs, as vfork does).
 */
#ifndef OPEN_EXEC_RUNNER_CHILD_H
#define OPEN_EXEC_RUNNER_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CHILD_EXTRA 3
#define CHILD_INFO  4

/* Everything a child needs, prepared before it exists. Not copied. */
struct child {
	const char *path; /* argv[0] is looked up in it if it has no slash */
	char *const *argv;
	char *const *env;
	const char *folder; /* becomes its current directory */
	int in, out, err;   /* become 0, 1, 2 */
	int extra;	    /* becomes CHILD_EXTRA; 0: nothing does */
	int info;	    /* becomes CHILD_INFO, if there is an extra */
	bool drop;	    /* become uid and gid, without groups */
	uid_t uid;
	gid_t gid;
	size_t processes; /* RLIMIT_NPROC; 0: as it is */
};

/* Its pid, which is also its session and process group; -1 and errno (of what
 * failed on the way to the program) otherwise. */
pid_t child_start(const struct child *);

/* The same for our own helpers: same user, same session, /dev/null. */
pid_t child_helper(char *const *argv);

#endif
