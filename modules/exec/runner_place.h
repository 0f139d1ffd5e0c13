/* runner_place.h - as whom, where and behind which walls commands run.
 *
 * Owner:    the runner; made once at its start, before it accepts anyone.
 * Walls:    bubblewrap, where a trial shows that it works: own namespaces (no
 *           network, no other processes), /usr and little of /etc read-only,
 *           private /tmp, the scratch folder as /scratch. Else only the user,
 *           limits and no new privileges.
 */
#ifndef OPEN_EXEC_RUNNER_PLACE_H
#define OPEN_EXEC_RUNNER_PLACE_H

#include <limits.h>

#include "exec/runner.h"
#include "exec/runner_child.h"

#define PLACE_PREFIX_MAX 96

struct place {
	bool drop, sandbox;
	uid_t uid;
	gid_t gid;
	size_t processes;
	char scratch[PATH_MAX - 64];
	bool elsewhere;	  /* scratch is the one in /var/tmp */
	uint64_t folders; /* made so far */
	/* bubblewrap's arguments; `folder` is the index of the scratch one's */
	const char *prefix[PLACE_PREFIX_MAX];
	unsigned prefix_count, folder;
};

/* 0, or -1 and e ("no_user", "no_scratch"). */
int place_create(struct place *, const struct runner_settings *, struct err *e);

/* Nothing of it is in use any more. */
void place_destroy(struct place *);

/* A fresh folder that belongs to the commands' user; -1 and errno. */
int place_folder(struct place *, char folder[PATH_MAX]);
/* Removes it and what is in it; may go on after the return. */
void place_remove(const char *folder);

/* Starts argv in folder; env must hold its HOME (place_home). argv has room
 * for none behind it: the prefix is put before a copy. *info is the caller's to
 * close: where bubblewrap says which process is the sandbox's first (see
 * usage_first), -1 without one. -1 and errno, then without info. */
pid_t place_start(const struct place *, const char *folder, char *const *argv,
    char *const *env, const char *path, int in, int out, int err, int *info);
const char *place_home(const struct place *, const char *folder);

#endif
