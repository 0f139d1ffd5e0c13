/* runner_usage.c - from rusage, /proc and bubblewrap's word. */
#include "exec/runner_usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES 512

struct tree {
	pid_t pids[PROCESSES];
	unsigned count;
};

uint64_t
usage_ns(const struct rusage *u)
{
	return ((uint64_t)u->ru_utime.tv_sec + (uint64_t)u->ru_stime.tv_sec) *
		   1000000000u +
	       ((uint64_t)u->ru_utime.tv_usec + (uint64_t)u->ru_stime.tv_usec) *
		   1000u;
}

static uint64_t
ticks(pid_t pid)
{
	unsigned long long user, system, waited_user, waited_system;
	char path[64], text[512];
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	at = strrchr(text, ')');
	if (at == NULL ||
	    sscanf(at + 1,
		" %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		"%llu %llu %llu %llu",
		&user, &system, &waited_user, &waited_system) != 4)
		return 0;
	return user + system + waited_user + waited_system;
}

static void
add_children(struct tree *t, pid_t pid, const char *thread)
{
	char path[96];
	int child;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", (int)pid,
	    thread);
	f = fopen(path, "re");
	if (f == NULL)
		return;
	while (t->count < PROCESSES && fscanf(f, "%d", &child) == 1)
		t->pids[t->count++] = child;
	fclose(f);
}

/* Each thread has children of its own. */
static void
add_all_children(struct tree *t, pid_t pid)
{
	char path[64];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	d = opendir(path);
	if (d == NULL)
		return;
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			add_children(t, pid, e->d_name);
	closedir(d);
}

uint64_t
usage_of_tree(pid_t pid)
{
	struct tree t = {.pids = {pid}, .count = 1};
	long second = sysconf(_SC_CLK_TCK);
	uint64_t sum = 0;

	for (unsigned i = 0; i < t.count; i++) {
		sum += ticks(t.pids[i]);
		add_all_children(&t, t.pids[i]);
	}
	return second > 0 ? sum * (UINT64_C(1000000000) / (uint64_t)second) : 0;
}

pid_t
usage_first(int info)
{
	static const char key[] = "\"child-pid\":";
	char text[256];
	const char *at;
	ssize_t n = info < 0 ? 0 : pread(info, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, key);
	return at == NULL ? 0 : (pid_t)strtol(at + strlen(key), NULL, 10);
}
