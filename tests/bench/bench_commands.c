/* bench_commands - 1,000 short commands (/bin/true) as nodes of one execution,
 * beside a bare posix_spawn loop with as many at once, as the same user, each
 * with a pipe for what it prints. With bubblewrap the loop starts it with the
 * very arguments that the runner uses: then both pay for the same walls.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "engine.h"
#include "exec/runner_place.h"
#include "table.h"

#define COMMANDS 1000
#define ROUNDS	 3
#define AT_ONCE	 8

static char folder[64], socket_path[96], scratch[96];

static void __attribute__((noreturn)) quit(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- the bare loop --- */

struct bare {
	char **argv;
	unsigned running;
	struct {
		pid_t pid;
		int out;
	} at_once[AT_ONCE];
};

static void
bare_start(struct bare *b, unsigned i)
{
	static char *const no_env[] = {NULL};
	posix_spawn_file_actions_t files;
	int out[2];

	if (pipe2(out, O_CLOEXEC) != 0)
		quit("pipe");
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out[1], 1);
	/* What bubblewrap is told to read and to write: see runner_place.c. */
	posix_spawn_file_actions_addopen(&files, 3, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 4, "/dev/null", O_WRONLY, 0);
	errno = posix_spawn(
	    &b->at_once[i].pid, b->argv[0], &files, NULL, b->argv, no_env);
	if (errno != 0)
		quit(b->argv[0]);
	posix_spawn_file_actions_destroy(&files);
	close(out[1]);
	b->at_once[i].out = out[0];
	b->running++;
}

static unsigned
bare_wait(struct bare *b)
{
	unsigned i = 0;
	char text[64];
	int status;
	pid_t pid = wait(&status);

	if (pid < 0 || status != 0)
		quit("a bare command failed");
	while (b->at_once[i].pid != pid)
		i++;
	while (read(b->at_once[i].out, text, sizeof(text)) > 0)
		;
	close(b->at_once[i].out);
	b->running--;
	return i;
}

static double
bare_loop(char **argv)
{
	struct bare b = {.argv = argv};
	double begun = now_us();
	unsigned started = 0;

	while (started < AT_ONCE)
		bare_start(&b, started++);
	while (b.running > 0) {
		unsigned i = bare_wait(&b);

		if (started < COMMANDS) {
			bare_start(&b, i);
			started++;
		}
	}
	return now_us() - begun;
}

/* In a process of its own, as the commands' user; microseconds. */
static double
bare_run(const struct place *p)
{
	char *argv[PLACE_PREFIX_MAX + 2] = {NULL};
	unsigned n = 0;
	double us;
	int tell[2], status;
	pid_t pid;

	for (; p->sandbox && n < p->prefix_count; n++)
		argv[n] = (char *)(uintptr_t)p->prefix[n];
	if (p->sandbox)
		argv[p->folder] = (char *)(uintptr_t) "/tmp";
	argv[n] = (char *)(uintptr_t) "/bin/true";
	if (pipe2(tell, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		quit("fork");
	if (pid == 0) {
		if (p->drop && (setgroups(0, NULL) != 0 ||
				   setgid(p->gid) != 0 || setuid(p->uid) != 0))
			quit("user");
		/* bubblewrap's --args: none */
		dup2(memfd_create("arguments", 0), CHILD_EXTRA);
		us = bare_loop(argv);
		_exit(write(tell[1], &us, sizeof(us)) != sizeof(us));
	}
	close(tell[1]);
	if (read(tell[0], &us, sizeof(us)) != sizeof(us) ||
	    waitpid(pid, &status, 0) != pid || status != 0)
		quit("the bare loop failed");
	close(tell[0]);
	return us;
}

/* --- OPEN --- */

static void
commands_put(struct buf *b)
{
	buf_puts(b, "{\"nodes\":[");
	for (int i = 0; i < COMMANDS; i++)
		buf_printf(b,
		    "%s{\"name\":\"n%d\",\"op\":\"command\",\"with\":"
		    "{\"argv\":[\"/bin/true\"]}}",
		    i > 0 ? "," : "", i);
	buf_puts(b, "]}");
}

static void
settings_make(struct exec_settings *s, bool sandbox)
{
	exec_settings_default(s);
	s->pin = false;
	s->compute.threads = 1;
	s->runner = (struct runner_settings){.socket = socket_path,
	    .scratch = scratch,
	    .concurrency = AT_ONCE,
	    .result_bytes = 1 << 20,
	    .log_bytes = 64 << 10,
	    .kill_after_ns = INT64_C(1000000000),
	    .sandbox = sandbox};
}

static void
compare(bool sandbox)
{
	struct samples ours = {0}, theirs = {0};
	struct exec_settings s;
	struct plan_hash hash;
	struct place place;
	struct engine x;
	struct plan *p;
	struct err e = {0};
	struct buf b;
	pid_t runner;

	settings_make(&s, sandbox);
	/* It looks for bubblewrap; the runner does the same for itself. */
	if (place_create(&place, &s.runner, &e) != 0 ||
	    (runner = runner_spawn(&s.runner, &e)) < 0)
		engine_die("runner", &e);
	if (sandbox && !place.sandbox) {
		table_note("1,000 commands behind bubblewrap: not measured, it "
			   "does not work here");
		kill(runner, SIGTERM);
		return;
	}
	buf_create(&b, 0);
	commands_put(&b);
	p = engine_compile(&b, NULL, &hash);
	engine_create(&x, &s);
	engine_put(&x, p, &hash);
	for (int i = 0; i < ROUNDS; i++) {
		samples_add(&ours, engine_run(&x, &hash, 1) / 1e3);
		samples_add(&theirs, bare_run(&place) / 1e3);
	}
	if (x.unsuccessful > 0)
		quit("a command failed");
	table_row(&(struct row){
	    .what = sandbox ? "1,000 commands, 8 at once, behind bubblewrap"
			    : "1,000 commands, 8 at once, without bubblewrap",
	    .peer = sandbox ? "bare posix_spawn loop of bubblewrap, 8 at once"
			    : "bare posix_spawn loop, 8 at once",
	    .unit = "ms",
	    .ours = samples_quantile(&ours, 0.5),
	    .theirs = samples_quantile(&theirs, 0.5),
	    .limit = 1.5});
	engine_destroy(&x);
	kill(runner, SIGTERM);
	waitpid(runner, NULL, 0);
	free(p);
	buf_free(&b);
}

int
main(void)
{
	snprintf(folder, sizeof(folder), "/tmp/open-bench-XXXXXX");
	if (mkdtemp(folder) == NULL || chmod(folder, 0711) != 0)
		quit(folder);
	snprintf(socket_path, sizeof(socket_path), "%s/socket", folder);
	snprintf(scratch, sizeof(scratch), "%s/scratch", folder);
	table_head();
	compare(true);
	compare(false);
	rmdir(scratch);
	unlink(socket_path);
	rmdir(folder);
	return 0;
}
