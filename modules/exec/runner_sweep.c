/* runner_sweep.c - reads the list of our children from /proc. */
#include "exec/runner_sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/runner_serve.h"

#define KILL_NS INT64_C(1000000000)

struct sweeper {
	bool (*keep)(void *ctx, pid_t session);
	void *ctx;
	pid_t self, session;
	bool found;
};

/* Parent and session of a process, from the fields behind its name. */
static bool
read_stat(pid_t pid, pid_t *parent, pid_t *session)
{
	char path[64], text[512];
	const char *at;
	ssize_t n;
	int fd, group;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	at = strrchr(text, ')');
	return at != NULL &&
	       sscanf(at + 1, " %*c %d %d %d", parent, &group, session) == 3;
}

static void
look_at(struct sweeper *s, pid_t pid)
{
	pid_t parent, session;

	if (pid <= 1 || !read_stat(pid, &parent, &session) ||
	    parent != s->self || session == s->session ||
	    (s->keep != NULL && s->keep(s->ctx, session)))
		return;
	kill(pid, SIGKILL);
	s->found = true;
}

static void
look_at_all(struct sweeper *s)
{
	DIR *d = opendir("/proc");

	if (d == NULL)
		return;
	for (struct dirent *f; (f = readdir(d)) != NULL;)
		if (f->d_name[0] >= '1' && f->d_name[0] <= '9')
			look_at(s, (pid_t)strtol(f->d_name, NULL, 10));
	closedir(d);
}

bool
sweep(bool (*keep)(void *ctx, pid_t session), void *ctx)
{
	struct sweeper s = {
	    .keep = keep, .ctx = ctx, .self = getpid(), .session = getsid(0)};
	char path[64];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", s.self);
	f = fopen(path, "re");
	if (f == NULL) {
		look_at_all(&s); /* a kernel without that list */
		return s.found;
	}
	while (fscanf(f, "%d", &pid) == 1)
		look_at(&s, pid);
	fclose(f);
	return s.found;
}

void
runner_kill_all(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int64_t end = clock_mono_ns() + KILL_NS;

	while (sweep(NULL, NULL) && clock_mono_ns() < end) {
		nanosleep(&pause, NULL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
