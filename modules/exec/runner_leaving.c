/* runner_leaving.c - one list, looked through whenever a child was reaped. */
#include "exec/runner_leaving.h"

#include <sys/wait.h>

#include "base/clock.h"
#include "exec/runner_usage.h"

#define WAIT_NS INT64_C(500000000)

/* What bubblewrap wrote may be old: the number may be another command's now. */
static bool
is_command(const struct job *running, pid_t pid)
{
	while (running != NULL && running->pid != pid)
		running = running->next;
	return running != NULL;
}

void
leaving_add(struct leaving *l, struct job *j, const struct job *running)
{
	pid_t first = usage_first(j->info), got = -1;
	struct rusage u;

	if (first > 0 && !is_command(running, first))
		got = wait4(first, NULL, WNOHANG, &u);
	if (got > 0)
		j->cpu_ns += usage_ns(&u);
	if (got != 0) {
		l->tell(l->ctx, j);
		return;
	}
	j->first = first;
	j->report_at = clock_mono_ns() + WAIT_NS;
	j->next = l->jobs;
	l->jobs = j;
}

void
leaving_reaped(struct leaving *l, pid_t pid, const struct rusage *u)
{
	struct job *j = l->jobs;

	while (j != NULL && j->first != pid)
		j = j->next;
	if (j == NULL)
		return;
	j->cpu_ns += usage_ns(u);
	j->report_at = 0;
	leaving_tell(l);
}

int64_t
leaving_tell(struct leaving *l)
{
	int64_t now = clock_mono_ns(), next = INT64_MAX;

	for (struct job **at = &l->jobs; *at != NULL;) {
		struct job *j = *at;

		if (j->report_at > now) {
			next = j->report_at < next ? j->report_at : next;
			at = &j->next;
			continue;
		}
		*at = j->next;
		l->tell(l->ctx, j);
	}
	return next == INT64_MAX ? -1 : next - now;
}

void
leaving_forget(struct leaving *l, const void *conn)
{
	for (struct job *j = l->jobs; j != NULL; j = j->next)
		if (j->conn == conn)
			j->conn = NULL;
}
