/* runner.c - the socket, the guard and its runner. */
#include "exec/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/runner_address.h"
#include "exec/runner_place.h"
#include "exec/runner_serve.h"

#define BACKLOG	      128
#define PER_CPU	      4
#define LOG_BYTES     (64u << 10)
#define KILL_AFTER_NS INT64_C(5000000000)
#define QUICK_NS      INT64_C(1000000000) /* a runner that dies so soon … */
#define PAUSE_MS      200		  /* … is not restarted at once */
#define FAREWELL_MS   4000

struct guard {
	struct runner_settings settings;
	int listener;
	int parent; /* a pidfd: readable when the parent is gone */
	int signals;
	uid_t owner;
	bool ending;
	pid_t former; /* whose runner this was; 0: nobody's */
};

static int
find_owner(const char *name, uid_t *owner, struct err *e)
{
	const struct passwd *u;

	*owner = geteuid();
	if (name == NULL || geteuid() != 0)
		return 0;
	u = getpwnam(name);
	if (u == NULL)
		return err_set(e, "no_user",
		    "There is no user '%s' who could use the runner.", name);
	*owner = u->pw_uid;
	return 0;
}

static int
listen_at(const char *path, uid_t owner, struct err *e)
{
	struct runner_address a;
	mode_t mask = umask(0177);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc = -1;

	if (fd >= 0 && runner_address(&a, path) == 0) {
		unlink(path);
		rc = bind(fd, (struct sockaddr *)&a.sun, sizeof(a.sun));
		runner_address_close(&a);
	}
	umask(mask);
	if (rc == 0 && owner != geteuid())
		rc = chown(path, owner, (gid_t)-1);
	if (rc == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err_set(
	    e, "no_socket", "The runner can't listen: %s.", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* --- the guard -------------------------------------------------------------------- */

static bool
parent_gone(const struct guard *g)
{
	struct pollfd p = {.fd = g->parent, .events = POLLIN};

	return poll(&p, 1, 0) != 0;
}

static void
read_signals(struct guard *g)
{
	struct signalfd_siginfo info;

	while (read(g->signals, &info, sizeof(info)) == sizeof(info))
		/* The news of the former guard's death may come late. */
		if (info.ssi_signo == SIGTERM &&
		    (g->former == 0 || info.ssi_pid != (uint32_t)g->former))
			g->ending = true;
}

/* Until the runner is dead (true) or everything is to end. */
static bool
wait_for(struct guard *g, pid_t runner)
{
	struct pollfd p[] = {{.fd = g->signals, .events = POLLIN},
	    {.fd = g->parent, .events = POLLIN}};
	bool dead = false;
	pid_t pid;

	while (!dead && !g->ending) {
		poll(p, 2, -1);
		read_signals(g);
		if (p[1].revents != 0)
			g->ending = true;
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			dead |= pid == runner;
	}
	return dead;
}

static void
end_runner(pid_t runner)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	kill(runner, SIGTERM);
	for (int i = 0; i < FAREWELL_MS; i++) {
		if (waitpid(runner, NULL, WNOHANG) != 0)
			return;
		nanosleep(&pause, NULL);
	}
	kill(runner, SIGKILL);
	waitpid(runner, NULL, 0);
}

static void
open_signals(struct guard *g)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	g->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static _Noreturn void
leave(const struct guard *g)
{
	runner_kill_all();
	unlink(g->settings.socket);
	_exit(0);
}

/* A runner whose guard died comes back here to be the guard of another. */
static _Noreturn void
guard(struct guard *g)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	pid_t self, runner;
	int64_t start;

	for (;;) {
		prctl(PR_SET_NAME, "open-guard");
		prctl(PR_SET_PDEATHSIG, 0);
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		open_signals(g);
		start = clock_mono_ns();
		self = getpid();
		runner = fork();
		if (runner == 0) {
			close(g->signals);
			if (runner_serve(&g->settings, g->listener, g->owner,
				self) == SERVE_STOPPED)
				_exit(0);
			if (parent_gone(g))
				leave(g);
			g->former = self;
			continue;
		}
		if (runner > 0 && !wait_for(g, runner))
			end_runner(runner);
		runner_kill_all();
		if (g->ending)
			leave(g);
		if (clock_mono_ns() - start < QUICK_NS)
			nanosleep(&pause, NULL);
		close(g->signals);
	}
}

/* Keeps stdin, stdout and stderr, the listener and the pidfd. */
static void
close_others(struct guard *g)
{
	int a = g->listener < g->parent ? g->listener : g->parent;
	int b = g->listener < g->parent ? g->parent : g->listener;

	if (a > 3)
		syscall(SYS_close_range, 3u, (unsigned)a - 1, 0);
	if (b > a + 1)
		syscall(SYS_close_range, (unsigned)a + 1, (unsigned)b - 1, 0);
	syscall(SYS_close_range, (unsigned)b + 1, ~0u, 0);
}

static void
reset_signals(void)
{
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
}

static int
prepare(struct guard *g, const struct runner_settings *s, struct err *e)
{
	g->settings = *s;
	if (s->concurrency == 0)
		g->settings.concurrency =
		    PER_CPU * (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (s->log_bytes == 0)
		g->settings.log_bytes = LOG_BYTES;
	if (s->kill_after_ns == 0)
		g->settings.kill_after_ns = KILL_AFTER_NS;
	if (find_owner(s->owner, &g->owner, e) != 0)
		return -1;
	g->parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (g->parent < 0)
		return err_set(
		    e, "no_pidfd", "pidfd_open: %s.", strerror(errno));
	g->listener = listen_at(s->socket, g->owner, e);
	if (g->listener >= 0)
		return 0;
	close(g->parent);
	return -1;
}

pid_t
runner_spawn(const struct runner_settings *s, struct err *e)
{
	struct guard g = {.listener = -1, .parent = -1};
	pid_t pid;

	if (prepare(&g, s, e) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		setsid();
		close_others(&g);
		reset_signals();
		guard(&g);
	}
	if (pid < 0)
		err_set(e, "no_process", "fork: %s.", strerror(errno));
	close(g.listener);
	close(g.parent);
	return pid;
}
