/* runner_serve.c - connections, the queue, and the loop around them. */
#include "exec/runner_serve.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/lease.h"
#include "exec/runner_job.h"
#include "exec/runner_leaving.h"
#include "exec/runner_sweep.h"
#include "exec/runner_usage.h"

#define READ_BYTES  (256u << 10)
#define BACKED_UP   (8u << 20) /* a client that doesn't read gets no more */
#define TENANTS	    4096u      /* queues apart; more share one */
#define PATIENCE_NS INT64_C(2000000000)
#define SWEEP_SHARE 9
#define LEASE_NS    INT64_C(50000000) /* looks for a lease that was over */

struct conn {
	struct conn *next;
	int fd;
	struct buf in, out;
	bool dead;
};

enum source_kind {
	SOURCE_SIGNAL,
	SOURCE_LISTENER,
	SOURCE_CONN,
	SOURCE_IN,
	SOURCE_OUT,
	SOURCE_ERR
};

struct source {
	enum source_kind kind;
	void *of; /* conn or job */
};

struct server {
	const struct runner_settings *settings;
	struct place place;
	int listener, signals;
	uid_t owner;
	pid_t guard;
	struct conn *conns;
	struct job *running, *queue; /* queue: in no order */
	struct leaving leaving;
	struct fair turns; /* who of the queue is next */
	unsigned count;	   /* running */
	bool ending, sweep;
	int64_t sweep_at;   /* not before */
	struct pollfd *fds; /* and what they belong to */
	struct source *sources;
	size_t used, room;
};

/* --- connections ---------------------------------------------------------------- */

static void
flush(struct conn *c)
{
	if (!wire_flush(c->fd, &c->out))
		c->dead = true;
}

static void
accept_all(struct server *s)
{
	struct ucred peer;
	socklen_t len;
	struct conn *c;
	int fd;

	while ((fd = accept4(s->listener, NULL, NULL,
		    SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		len = sizeof(peer);
		c = NULL;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
		    (peer.uid == geteuid() || peer.uid == s->owner))
			c = calloc(1, sizeof(*c));
		if (c == NULL) {
			close(fd);
			continue;
		}
		c->fd = fd;
		buf_create(&c->in, 0);
		buf_create(&c->out, 0);
		c->next = s->conns;
		s->conns = c;
	}
}

static void
report(struct server *s, struct job *j, int error)
{
	struct conn *c = j->conn;

	if (c == NULL || c->dead)
		return;
	job_report(j, s->settings->log_bytes, error, &c->out);
	flush(c);
}

static struct job **
find(struct job **list, const void *conn, uint64_t id)
{
	while (*list != NULL && ((*list)->conn != conn || (*list)->id != id))
		list = &(*list)->next;
	return list;
}

static void
enqueue(struct server *s, struct job *j)
{
	j->next = s->queue;
	j->link = &s->queue;
	if (j->next != NULL)
		j->next->link = &j->next;
	s->queue = j;
	fair_push(&s->turns, &j->turn, j->tenant % TENANTS, j->priority);
}

static void
dequeue(struct server *s, struct job *j)
{
	fair_remove(&s->turns, &j->turn);
	*j->link = j->next;
	if (j->next != NULL)
		j->next->link = j->link;
	j->next = NULL;
}

static void
drop_queued(struct server *s, struct job *j)
{
	dequeue(s, j);
	job_free(j);
}

static void
stop(struct server *s, struct conn *c, uint64_t id)
{
	struct job **at = find(&s->queue, c, id);

	if (*at != NULL) {
		report(s, *at, ECANCELED);
		drop_queued(s, *at);
		return;
	}
	at = find(&s->running, c, id);
	if (*at != NULL)
		job_stop(*at, &s->place,
		    clock_mono_ns() + s->settings->kill_after_ns);
}

static bool
handle_frame(struct server *s, struct conn *c, const struct wire_header *h,
    const char *payload)
{
	struct job *j;

	if (h->type == WIRE_STOP && h->length == 0) {
		stop(s, c, h->id);
		return true;
	}
	if (h->type != WIRE_START)
		return false;
	j = job_new(h->id, payload, h->length);
	if (j == NULL)
		return false;
	j->conn = c;
	enqueue(s, j);
	return true;
}

static void
read_conn(struct server *s, struct conn *c)
{
	static char chunk[READ_BYTES];
	ssize_t n = recv(c->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	struct wire_header h;
	size_t at = 0;
	int got;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		c->dead = true;
	if (n <= 0)
		return;
	buf_put(&c->in, chunk, (size_t)n);
	while ((got = wire_frame(c->in.data + at, c->in.len - at,
		    WIRE_FRAME_MAX, &h)) == 1) {
		if (!handle_frame(s, c, &h, c->in.data + at + sizeof(h)))
			got = -1;
		if (got < 0)
			break;
		at += sizeof(h) + h.length;
	}
	if (got < 0 || buf_failed(&c->in))
		c->dead = true;
	memmove(c->in.data, c->in.data + at, c->in.len - at);
	c->in.len -= at;
	if (c->in.len == 0 && c->in.cap > READ_BYTES)
		buf_free(&c->in);
}

static void
bury(struct server *s, struct conn *c)
{
	for (struct job **at = &s->queue; *at != NULL;)
		if ((*at)->conn == c)
			drop_queued(s, *at);
		else
			at = &(*at)->next;
	for (struct job *j = s->running; j != NULL; j = j->next)
		if (j->conn == c) {
			j->conn = NULL;
			job_kill(j, &s->place);
		}
	leaving_forget(&s->leaving, c);
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

static void
bury_dead(struct server *s, bool all)
{
	for (struct conn **at = &s->conns; *at != NULL;) {
		struct conn *c = *at;

		if (!c->dead && !all) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		bury(s, c);
	}
}

/* --- commands ------------------------------------------------------------------- */

static bool
is_running(void *context, pid_t session)
{
	const struct server *s = context;

	for (const struct job *j = s->running; j != NULL; j = j->next)
		if (j->pid == session)
			return true;
	return false;
}

static void
start_one(struct server *s, struct job *j)
{
	if (job_start(j, &s->place) != 0) {
		report(s, j, errno);
		job_free(j);
		return;
	}
	j->next = s->running;
	s->running = j;
	s->count++;
}

/* Who can't be told of an end now waits for a later turn. */
static void
start_queued(struct server *s)
{
	if (s->queue == NULL || lease_over(s->settings->lease, clock_mono_ns()))
		return;
	for (uint32_t n = s->turns.count;
	     n > 0 && s->count < s->settings->concurrency; n--) {
		struct job *j = (void *)((char *)fair_pop(&s->turns) -
					 offsetof(struct job, turn));
		const struct conn *c = j->conn;

		dequeue(s, j);
		if (c->dead || c->out.len > BACKED_UP)
			enqueue(s, j);
		else
			start_one(s, j);
	}
}

static void
tell(void *context, struct job *j)
{
	report(context, j, 0);
	job_free(j);
}

static void
ended(struct server *s, struct job **at, int status, const struct rusage *u)
{
	struct job *j = *at;

	*at = j->next;
	s->count--;
	j->status = status;
	j->cpu_ns = usage_ns(u);
	job_ended(
	    j, &s->place, s->settings->result_bytes, s->settings->log_bytes);
	leaving_add(&s->leaving, j, s->running);
}

/* Whoever died: a command, a helper, or something a command left behind, whose
 * own children are ours now. */
static void
reap(struct server *s)
{
	struct job **at;
	struct rusage u;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &u)) > 0) {
		at = &s->running;
		while (*at != NULL && (*at)->pid != pid)
			at = &(*at)->next;
		if (*at != NULL)
			ended(s, at, status, &u);
		else
			leaving_reaped(&s->leaving, pid, &u);
		s->sweep = true;
	}
}

static int64_t
kill_late(struct server *s)
{
	int64_t now = clock_mono_ns(), next = INT64_MAX;

	for (struct job *j = s->running; j != NULL; j = j->next) {
		if (j->kill_at == 0)
			continue;
		if (j->kill_at <= now) {
			job_kill(j, &s->place);
			j->kill_at = now + PATIENCE_NS; /* and again */
		}
		if (j->kill_at < next)
			next = j->kill_at;
	}
	return next == INT64_MAX ? -1 : next - now;
}

/* --- the loop ------------------------------------------------------------------- */

static void
watch(struct server *s, int fd, short events, enum source_kind kind, void *of)
{
	if (fd < 0)
		return;
	if (s->used == s->room) {
		size_t room = s->room > 0 ? 2 * s->room : 64;
		void *fds = realloc(s->fds, room * sizeof(*s->fds));

		if (fds == NULL)
			return;
		s->fds = fds;
		fds = realloc(s->sources, room * sizeof(*s->sources));
		if (fds == NULL)
			return;
		s->sources = fds;
		s->room = room;
	}
	s->fds[s->used] = (struct pollfd){.fd = fd, .events = events};
	s->sources[s->used++] = (struct source){.kind = kind, .of = of};
}

static void
watch_all(struct server *s)
{
	s->used = 0;
	watch(s, s->signals, POLLIN, SOURCE_SIGNAL, NULL);
	watch(s, s->listener, POLLIN, SOURCE_LISTENER, NULL);
	for (struct conn *c = s->conns; c != NULL; c = c->next)
		watch(s, c->fd, c->out.len > 0 ? POLLIN | POLLOUT : POLLIN,
		    SOURCE_CONN, c);
	for (struct job *j = s->running; j != NULL; j = j->next) {
		watch(s, j->in, POLLOUT, SOURCE_IN, j);
		watch(s, j->out, POLLIN, SOURCE_OUT, j);
		watch(s, j->err, POLLIN, SOURCE_ERR, j);
	}
}

static void
read_signals(struct server *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGTERM)
			s->ending = true;
}

static void
handle_conn(struct server *s, struct conn *c, short events)
{
	if (events & POLLOUT)
		flush(c);
	if (events & (POLLIN | POLLHUP | POLLERR))
		read_conn(s, c);
}

static void
handle(struct server *s, const struct source *source, short events)
{
	switch (source->kind) {
	case SOURCE_SIGNAL:
		read_signals(s);
		return;
	case SOURCE_LISTENER:
		accept_all(s);
		return;
	case SOURCE_CONN:
		handle_conn(s, source->of, events);
		return;
	case SOURCE_IN:
		job_write(source->of);
		return;
	case SOURCE_OUT:
		job_read_output(
		    source->of, &s->place, s->settings->result_bytes);
		return;
	case SOURCE_ERR:
		job_read_log(source->of, s->settings->log_bytes);
		return;
	}
}

/* Where the kernel has no list of children, looking for them reads all of
 * /proc, which takes longer than a short command. So many commands that end
 * share one look: it takes a tenth of our time at most. */
static void
sweep_turn(struct server *s)
{
	int64_t begun = clock_mono_ns(), ended;

	if (!s->sweep || begun < s->sweep_at)
		return;
	s->sweep = sweep(is_running, s);
	ended = clock_mono_ns();
	s->sweep_at = ended + SWEEP_SHARE * (ended - begun);
}

/* How long turn may sleep; -1: until something happens. */
static int64_t
sleep_ns(struct server *s)
{
	int64_t wait = kill_late(s), left = leaving_tell(&s->leaving);
	int64_t now = clock_mono_ns();

	if (left >= 0 && (wait < 0 || wait > left))
		wait = left;
	if (s->queue != NULL && (wait < 0 || wait > LEASE_NS) &&
	    lease_over(s->settings->lease, now))
		wait = LEASE_NS;
	if (s->sweep && (wait < 0 || wait > s->sweep_at - now))
		wait = s->sweep_at > now ? s->sweep_at - now : 0;
	return wait;
}

/* Jobs and connections are freed after all events were handled, as the
 * events point to them. */
static void
turn(struct server *s)
{
	int64_t wait = sleep_ns(s);
	int n;

	watch_all(s);
	n = poll(s->fds, s->used,
	    wait < 0
		? -1
		: (int)(wait / 1000000 < 60000 ? wait / 1000000 + 1 : 60000));
	for (size_t i = 0; n > 0 && i < s->used; i++)
		if (s->fds[i].revents != 0)
			handle(s, &s->sources[i], s->fds[i].revents);
	reap(s);
	start_queued(s);
	bury_dead(s, false);
	sweep_turn(s);
	if (getppid() != s->guard)
		s->ending = true;
}

/* Ends as soon as there are no children, or when patience does. */
static void
reap_until(struct server *s, bool (*more)(struct server *), int64_t end)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	while (more(s) && clock_mono_ns() < end)
		nanosleep(&pause, NULL);
}

static bool
commands_left(struct server *s)
{
	reap(s);
	sweep(is_running, s);
	return s->running != NULL;
}

/* Helpers that remove folders. */
static bool
children_left(struct server *s)
{
	(void)s;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return waitpid(-1, NULL, WNOHANG) == 0;
}

static void
free_jobs(struct job **list)
{
	while (*list != NULL) {
		struct job *j = *list;

		*list = j->next;
		job_free(j);
	}
}

/* Kills all commands and waits until they are gone. */
static void
finish(struct server *s)
{
	bury_dead(s, true);
	reap_until(s, commands_left, clock_mono_ns() + PATIENCE_NS);
	runner_kill_all();
	free_jobs(&s->running);
	free_jobs(&s->leaving.jobs);
	reap_until(s, children_left, clock_mono_ns() + PATIENCE_NS);
	place_destroy(&s->place);
}

static int
open_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

enum serve_end
runner_serve(const struct runner_settings *settings, int listener, uid_t owner,
    pid_t guard)
{
	struct server s = {.settings = settings,
	    .listener = listener,
	    .owner = owner,
	    .guard = guard,
	    .leaving = {.tell = tell, .ctx = &s}};
	struct err e;

	prctl(PR_SET_NAME, "open-runner");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	s.signals = open_signals();
	err_clear(&e);
	if (fair_create(&s.turns, TENANTS) != 0) {
		fprintf(stderr, "runner: out of memory\n");
		s.ending = true;
	} else if (s.signals < 0 || place_create(&s.place, settings, &e) != 0) {
		fprintf(stderr, "runner: %s\n", e.message);
		s.ending = true;
	}
	while (!s.ending && getppid() == guard)
		turn(&s);
	finish(&s);
	close(s.signals);
	fair_free(&s.turns);
	free(s.fds);
	free(s.sources);
	return getppid() == guard ? SERVE_STOPPED : SERVE_GUARD_DIED;
}
