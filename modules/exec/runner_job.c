/* runner_job.c - one command from its frame to its report. */
#include "exec/runner_job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/runner_usage.h"

#define CHUNK	 (64u << 10)
#define PATH	 "/usr/local/bin:/usr/bin:/bin"
#define DEFAULTS 6  /* variables of ours */
#define READS	 16 /* chunks in a row before others get their turn */

/* --- reading the frame -------------------------------------------------------- */

static char *
copy_text(struct mem *m, struct wire_reader *r)
{
	struct wire_text t = wire_text(r);

	if (memchr(t.data, 0, t.len) != NULL)
		r->failed = true;
	return mem_strndup(m, t.data, t.len);
}

/* Room for `more` behind the strings of the frame. */
static char **
copy_list(struct mem *m, struct wire_reader *r, size_t more, size_t *count)
{
	uint32_t n = wire_u32(r);
	char **list;

	if (r->failed || n > (size_t)(r->end - r->at) / 4) {
		r->failed = true;
		return NULL;
	}
	list = mem_array(m, n + more + 1, sizeof(*list));
	for (uint32_t i = 0; list != NULL && i < n; i++)
		list[i] = copy_text(m, r);
	*count = n;
	return list;
}

static bool
read_start(struct job *j, struct wire_reader *r)
{
	struct mem *m = &j->mem;
	struct wire_text input;
	size_t arguments = 0;

	j->execution = copy_text(m, r);
	j->node = copy_text(m, r);
	j->attempt = mem_printf(m, "OPEN_ATTEMPT=%u", wire_u32(r));
	j->tenant = wire_u32(r);
	j->priority = (int)(wire_u32(r) & 0xff) + PRIORITY_MIN;
	j->argv = copy_list(m, r, 0, &arguments);
	j->env = copy_list(m, r, DEFAULTS, &j->variables);
	j->has_input = wire_u32(r) != 0;
	input = wire_text(r);
	j->input.data = mem_strndup(m, input.data, input.len);
	j->input.len = input.len;
	return wire_finished(r) && !mem_failed(m) && arguments > 0;
}

struct job *
job_new(uint64_t id, const char *payload, size_t len)
{
	struct wire_reader r = {.at = payload, .end = payload + len};
	struct job *j = mem_heap(sizeof(*j));

	if (j == NULL)
		return NULL;
	memset(j, 0, sizeof(*j));
	j->id = id;
	j->in = j->out = j->err = j->info = -1;
	mem_create(&j->mem, 0);
	buf_create(&j->output, 0);
	buf_create(&j->log, 0);
	if (read_start(j, &r))
		return j;
	job_free(j);
	return NULL;
}

static void
close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
job_free(struct job *j)
{
	close_end(&j->in);
	close_end(&j->out);
	close_end(&j->err);
	close_end(&j->info);
	if (j->folder[0] != '\0')
		place_remove(j->folder);
	mem_destroy(&j->mem);
	buf_free(&j->output);
	buf_free(&j->log);
	free(j);
}

/* --- start ---------------------------------------------------------------------- */

static const char *
variable(const struct job *j, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < j->variables; i++)
		if (strncmp(j->env[i], name, len) == 0 && j->env[i][len] == '=')
			return j->env[i] + len + 1;
	return NULL;
}

static void
add_default(struct job *j, const char *name, const char *value)
{
	if (variable(j, name) == NULL)
		j->env[j->variables++] =
		    mem_printf(&j->mem, "%s=%s", name, value);
}

static bool
complete_env(struct job *j, const struct place *p)
{
	add_default(j, "PATH", PATH);
	add_default(j, "HOME", place_home(p, j->folder));
	add_default(j, "LANG", "C.UTF-8");
	add_default(j, "OPEN_EXECUTION_ID", j->execution);
	add_default(j, "OPEN_NODE", j->node);
	add_default(j, "OPEN_ATTEMPT", strchr(j->attempt, '=') + 1);
	return !mem_failed(&j->mem);
}

/* pipes[i]: 0 stdin, 1 stdout, 2 stderr; all closed on exec. */
static int
open_pipes(struct job *j, int theirs[3])
{
	int *ours[3] = {&j->in, &j->out, &j->err}, ends[2];

	for (int i = 0; i < 3; i++) {
		if (i == 0 && !j->has_input) {
			theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
			if (theirs[0] < 0)
				return -1;
			continue;
		}
		if (pipe2(ends, O_CLOEXEC) != 0)
			return -1;
		theirs[i] = ends[i != 0];
		*ours[i] = ends[i == 0];
		fcntl(*ours[i], F_SETFL, O_NONBLOCK);
	}
	return 0;
}

int
job_start(struct job *j, struct place *p)
{
	int theirs[3] = {-1, -1, -1}, error = 0;
	pid_t pid = -1;

	if (place_folder(p, j->folder) != 0) {
		j->folder[0] = '\0';
		return -1;
	}
	if (!complete_env(j, p))
		errno = ENOMEM;
	else if (open_pipes(j, theirs) == 0)
		pid = place_start(p, j->folder, j->argv, j->env,
		    p->sandbox ? NULL : variable(j, "PATH"), theirs[0],
		    theirs[1], theirs[2], &j->info);
	if (pid < 0)
		error = errno;
	for (int i = 0; i < 3; i++)
		close_end(&theirs[i]);
	if (pid < 0)
		return errno = error, -1;
	j->pid = pid;
	job_write(j);
	return 0;
}

/* --- pipes ---------------------------------------------------------------------- */

/* A command that reads no more has its reasons. */
void
job_write(struct job *j)
{
	ssize_t n = 0;

	while (j->in >= 0 && j->written < j->input.len) {
		n = write(j->in, j->input.data + j->written,
		    j->input.len - j->written);
		if (n < 0)
			break;
		j->written += (size_t)n;
	}
	if (j->written == j->input.len ||
	    (n < 0 && errno != EAGAIN && errno != EINTR))
		close_end(&j->in);
}

/* 1: read some, 0: nothing there now, -1: the end. */
static int
read_chunk(int fd, struct buf *b)
{
	static char chunk[CHUNK];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n > 0)
		buf_put(b, chunk, (size_t)n);
	if (n > 0)
		return 1;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

void
job_read_output(struct job *j, const struct place *p, size_t limit)
{
	int got = 1;

	for (int i = 0; i < READS && got == 1 && j->out >= 0; i++) {
		got = read_chunk(j->out, &j->output);
		if (j->output.len <= limit && !buf_failed(&j->output))
			continue;
		j->too_large = true;
		got = -1;
	}
	/* First, while all its processes are there to be summed up. */
	if (j->too_large && j->pid > 0)
		job_kill(j, p);
	if (got < 0)
		close_end(&j->out);
}

static void
keep_end(struct buf *b, size_t keep)
{
	if (b->len <= keep)
		return;
	memmove(b->data, b->data + b->len - keep, keep);
	b->len = keep;
}

void
job_read_log(struct job *j, size_t limit)
{
	int got = 1;

	for (int i = 0; i < READS && got == 1 && j->err >= 0; i++) {
		got = read_chunk(j->err, &j->log);
		if (j->log.len > limit + CHUNK)
			keep_end(&j->log, limit);
	}
	if (got < 0)
		close_end(&j->err);
}

/* --- end ------------------------------------------------------------------------ */

/* bubblewrap's child is process 1 of the sandbox: a session of its own, whose
 * group holds the command. It ignores TERM, and takes all others with it. */
static pid_t
sandbox_init(pid_t bubblewrap)
{
	char path[64], text[32] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children",
	    (int)bubblewrap, (int)bubblewrap);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

void
job_stop(struct job *j, const struct place *p, int64_t kill_at)
{
	pid_t group = p->sandbox ? sandbox_init(j->pid) : j->pid;

	if (j->pid <= 0 || j->kill_at != 0)
		return;
	j->kill_at = kill_at;
	if (group <= 0 || (p->sandbox && getpgid(group) != group)) {
		job_kill(j, p); /* the sandbox is still being built */
		return;
	}
	kill(-group, SIGTERM);
	kill(-group, SIGCONT);
}

/* What dies together is waited for by nobody, so nobody sums it up then. */
void
job_kill(struct job *j, const struct place *p)
{
	pid_t init = p->sandbox ? sandbox_init(j->pid) : 0;
	uint64_t seen;

	if (j->pid <= 0)
		return;
	seen = usage_of_tree(j->pid);
	if (seen > j->seen_ns)
		j->seen_ns = seen;
	if (init > 0)
		kill(init, SIGKILL);
	if (init <= 0 || getpgid(init) != init)
		kill(-j->pid, SIGKILL);
}

void
job_ended(struct job *j, const struct place *p, size_t output, size_t log)
{
	kill(-j->pid, SIGKILL);
	j->pid = 0;
	/* What is in the pipes now (at most 64 KiB each); a process that escaped
	 * may hold them open and is not waited for. */
	job_read_output(j, p, output);
	job_read_log(j, log);
	close_end(&j->in);
	close_end(&j->out);
	close_end(&j->err);
}

void
job_report(const struct job *j, size_t log_limit, int error, struct buf *out)
{
	size_t frame = wire_begin(out, WIRE_DONE, j->id);
	size_t log = j->log.len < log_limit ? j->log.len : log_limit;

	if (error != 0) {
		wire_put_u32(out, WIRE_NOT_STARTED);
		wire_put_u32(out, (uint32_t)error);
	} else if (j->too_large) {
		wire_put_u32(out, WIRE_TOO_LARGE);
		wire_put_u32(out, 0);
	} else if (WIFSIGNALED(j->status)) {
		wire_put_u32(out, WIRE_SIGNALLED);
		wire_put_u32(out, (uint32_t)WTERMSIG(j->status));
	} else {
		wire_put_u32(out, WIRE_EXITED);
		wire_put_u32(out, (uint32_t)WEXITSTATUS(j->status));
	}
	wire_put_u64(out, j->cpu_ns > j->seen_ns ? j->cpu_ns : j->seen_ns);
	wire_put_text(out, j->output.data != NULL ? j->output.data : "",
	    j->too_large ? 0 : j->output.len);
	/* Cut off at its start: not in the middle of a character. */
	for (int i = 0; i < 3 && log > 0 && log < j->log.len &&
			(j->log.data[j->log.len - log] & 0xc0) == 0x80;
	     i++)
		log--;
	wire_put_text(
	    out, log > 0 ? j->log.data + (j->log.len - log) : "", log);
	wire_end(out, frame);
}
