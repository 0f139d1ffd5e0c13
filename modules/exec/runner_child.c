/* runner_child.c - a child shares our memory until it execs (as posix_spawn
 * does it), which costs a tenth of copying the address space. Between clone and
 * exec it makes system calls only. */
#include "exec/runner_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child runs on a stack that the sanitizers don't know. */
#define PLAIN __attribute__((no_sanitize("address", "undefined")))

#define STACK	   (64u << 10)
#define FILES	   1024
#define FILE_BYTES (UINT64_C(4) << 30)
#define DATA_BYTES (UINT64_C(4) << 30)
#define OOM_SCORE  "500" /* a command goes before the server */
#define CANDIDATES 16

struct start {
	const struct child *child;
	const char *candidates[CANDIDATES + 1]; /* where the program may be */
	char paths[CANDIDATES][PATH_MAX];
	pid_t parent;
	bool helper;
	int error;
};

static struct start start; /* too large for a stack; one at a time */
static char stack[STACK] __attribute__((aligned(64)));

PLAIN static void
limit(int resource, uint64_t value)
{
	struct rlimit l = {.rlim_cur = value, .rlim_max = value}, old;

	if (getrlimit(resource, &old) == 0 && old.rlim_max < value)
		l.rlim_cur = l.rlim_max = old.rlim_max;
	setrlimit(resource, &l);
}

PLAIN static void
set_limits(const struct child *c)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, OOM_SCORE, sizeof(OOM_SCORE) - 1) < 0)
			errno = 0; /* only a hint */
		close(fd);
	}
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, FILES);
	limit(RLIMIT_FSIZE, FILE_BYTES);
	limit(RLIMIT_DATA, DATA_BYTES);
	if (c->processes > 0)
		limit(RLIMIT_NPROC, c->processes);
}

/* The C library's functions would tell all threads; there is only us. */
PLAIN static bool
drop(const struct child *c)
{
	return !c->drop ||
	       (syscall(SYS_setgroups, 0, NULL) == 0 &&
		   syscall(SYS_setresgid, c->gid, c->gid, c->gid) == 0 &&
		   syscall(SYS_setresuid, c->uid, c->uid, c->uid) == 0);
}

/* The descriptors are all above 2. */
PLAIN static bool
set_files(const struct child *c)
{
	int info;

	if (dup2(c->in, 0) < 0 || dup2(c->out, 1) < 0 || dup2(c->err, 2) < 0)
		return false;
	if (c->extra == 0)
		return syscall(SYS_close_range, 3, ~0u, 0) == 0;
	/* Neither in the way of the other. */
	info = fcntl(c->info, F_DUPFD_CLOEXEC, CHILD_INFO + 1);
	return info >= 0 && dup2(c->extra, CHILD_EXTRA) >= 0 &&
	       fcntl(CHILD_EXTRA, F_SETFD, 0) == 0 &&
	       dup2(info, CHILD_INFO) >= 0 &&
	       syscall(SYS_close_range, CHILD_INFO + 1, ~0u, 0) == 0;
}

PLAIN static bool
set_up(const struct child *c)
{
	sigset_t none;

	if (!start.helper) {
		if (setsid() < 0 || chdir(c->folder) != 0)
			return false;
		set_limits(c);
		umask(022);
	}
	if (!set_files(c) || !drop(c) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	/* After the change of user, which would clear it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return false;
	if (getppid() != start.parent)
		_exit(127);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

PLAIN static int
child_main(void *context)
{
	const struct child *c = context;
	int error = ENOENT;

	if (!set_up(c)) {
		start.error = errno;
		_exit(127);
	}
	for (const char **p = start.candidates; *p != NULL; p++) {
		execve(*p, c->argv, c->env);
		if (errno != ENOENT && errno != ENOTDIR)
			error = errno;
		if (error != ENOENT && error != EACCES)
			break;
	}
	start.error = error;
	_exit(127);
}

static void
find_candidates(const char *program, const char *path)
{
	unsigned n = 0;

	if (strchr(program, '/') != NULL || path == NULL) {
		start.candidates[n++] = program;
		path = "";
	}
	while (*path != '\0' && n < CANDIDATES) {
		size_t len = strcspn(path, ":");
		int size = snprintf(start.paths[n], PATH_MAX, "%.*s/%s",
		    (int)len, path, program);

		if (len > 0 && size > 0 && size < PATH_MAX) {
			start.candidates[n] = start.paths[n];
			n++;
		}
		path += len;
		path += *path == ':';
	}
	start.candidates[n] = NULL;
}

static pid_t
run(const struct child *c, bool helper)
{
	sigset_t all, old;
	pid_t pid;

	find_candidates(c->argv[0], c->path);
	start.child = c;
	start.parent = getpid();
	start.helper = helper;
	start.error = 0;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = clone(child_main, stack + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD,
	    (void *)(uintptr_t)c);
	if (pid < 0)
		start.error = errno;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (start.error == 0)
		return pid;
	if (pid > 0)
		waitpid(pid, NULL, 0);
	errno = start.error;
	return -1;
}

pid_t
child_start(const struct child *c)
{
	return run(c, false);
}

pid_t
child_helper(char *const *argv)
{
	static char *const env[] = {NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct child c = {.argv = argv,
	    .path = "/usr/bin:/bin",
	    .env = env,
	    .in = null,
	    .out = null,
	    .err = null};
	pid_t pid = null < 0 ? -1 : run(&c, true);

	if (null >= 0)
		close(null);
	return pid;
}
