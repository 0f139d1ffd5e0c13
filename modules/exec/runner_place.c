/* runner_place.c - finds the user, makes scratch folders, tries bubblewrap. */
#include "exec/runner_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

#define FOLDER	       "command-"
#define ARGUMENTS      8192
#define PER_COMMAND    256  /* processes */
#define OWN_USER       4096 /* … where commands share them with our user */
#define BUBBLEWRAP     "/usr/bin/bwrap"
#define ENVIRONMENT_FD "3" /* CHILD_EXTRA */
#define INFO_FD	       "4" /* CHILD_INFO */
#define TRIAL_NS       INT64_C(5000000000)

/* Inside the sandbox, where processes are counted for it alone. */
static const char limits[] =
    "ulimit -p 256 2>/dev/null || ulimit -u 256 2>/dev/null; exec \"$@\"";

static const char *const roots[] = {
    "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

static const char *const etc[] = {"/etc/alternatives", "/etc/group",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/nsswitch.conf", "/etc/passwd",
    "/etc/ssl/certs"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- user and scratch ------------------------------------------------------- */

static int
find_user(struct place *p, const char *name, struct err *e)
{
	const struct passwd *u;

	if (geteuid() != 0)
		return 0;
	if (name == NULL || *name == '\0')
		name = "nobody";
	u = getpwnam(name);
	if (u == NULL || u->pw_uid == 0)
		return err_set(e, "no_user",
		    "Commands can't run as the user '%s': %s.", name,
		    u == NULL ? "there is none of that name"
			      : "it must not be root");
	p->drop = true;
	p->uid = u->pw_uid;
	p->gid = u->pw_gid;
	return 0;
}

/* Whether the user can get to the folder, by trying it as that user. */
static bool
reachable(const struct place *p)
{
	int status = -1;
	pid_t pid;

	if (!p->drop)
		return true;
	pid = fork();
	if (pid == 0)
		_exit(setgid(p->gid) != 0 || setuid(p->uid) != 0 ||
		      access(p->scratch, X_OK) != 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static bool
ours(const char *folder)
{
	struct stat st;

	return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

static uint64_t
hash(const char *s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	return h;
}

static int
make_scratch(struct place *p, const char *folder, struct err *e)
{
	snprintf(p->scratch, sizeof(p->scratch), "%s", folder);
	if ((mkdir(folder, 0711) == 0 || errno == EEXIST) && ours(folder)) {
		chmod(folder, 0711);
		if (reachable(p))
			return 0;
	}
	p->elsewhere = true;
	snprintf(p->scratch, sizeof(p->scratch), "/var/tmp/open-%u-%016llx",
	    (unsigned)geteuid(), (unsigned long long)hash(folder));
	if (mkdir(p->scratch, 0711) == 0 ||
	    (errno == EEXIST && ours(p->scratch)))
		chmod(p->scratch, 0711);
	else
		return err_set(e, "no_scratch",
		    "The folder for scratch directories can't be made: %s.",
		    strerror(errno));
	return 0;
}

void
place_destroy(struct place *p)
{
	if (p->elsewhere)
		rmdir(p->scratch); /* one that is not empty stays */
}

static void
empty_scratch(const struct place *p)
{
	DIR *d = opendir(p->scratch);
	char path[PATH_MAX];

	if (d == NULL)
		return;
	for (struct dirent *f; (f = readdir(d)) != NULL;) {
		if (strncmp(f->d_name, FOLDER, sizeof(FOLDER) - 1) != 0 ||
		    strlen(f->d_name) > 40)
			continue;
		snprintf(path, sizeof(path), "%s/%.40s", p->scratch, f->d_name);
		place_remove(path);
	}
	closedir(d);
}

int
place_folder(struct place *p, char folder[PATH_MAX])
{
	for (;;) {
		snprintf(folder, PATH_MAX, "%s/" FOLDER "%llu", p->scratch,
		    (unsigned long long)++p->folders);
		if (mkdir(folder, 0700) == 0)
			break;
		if (errno != EEXIST)
			return -1;
	}
	if (!p->drop || chown(folder, p->uid, p->gid) == 0)
		return 0;
	rmdir(folder);
	return -1;
}

/* A command may leave folders that nobody but root can enter. */
static const char removal[] =
    "rm -rf -- \"$1\" || { chmod -R u+rwx -- \"$1\"; rm -rf -- \"$1\"; }";

void
place_remove(const char *folder)
{
	const char *const argv[] = {"sh", "-c", removal, "sh", folder, NULL};

	if (rmdir(folder) != 0 && errno != ENOENT)
		child_helper((char *const *)(uintptr_t)argv);
}

/* --- bubblewrap -------------------------------------------------------------- */

static void
add(struct place *p, const char *a, const char *b, const char *c)
{
	const char *all[] = {a, b, c};

	for (unsigned i = 0; i < 3 && all[i] != NULL; i++)
		if (p->prefix_count < PLACE_PREFIX_MAX)
			p->prefix[p->prefix_count++] = all[i];
}

/* /bin is a link to usr/bin on a merged system, or a folder. */
static void
add_root(struct place *p, const char *root)
{
	static char targets[COUNT(roots)][64];
	static unsigned used;
	struct stat st;
	ssize_t n;

	if (lstat(root, &st) != 0)
		return;
	if (!S_ISLNK(st.st_mode)) {
		add(p, "--ro-bind", root, root);
		return;
	}
	n = readlink(root, targets[used % COUNT(roots)], 63);
	if (n <= 0)
		return;
	targets[used % COUNT(roots)][n] = '\0';
	add(p, "--symlink", targets[used++ % COUNT(roots)], root);
}

static void
build_prefix(struct place *p)
{
	add(p, BUBBLEWRAP, "--args", ENVIRONMENT_FD);
	add(p, "--info-fd", INFO_FD, NULL);
	add(p, "--unshare-all", "--die-with-parent", NULL);
	add(p, "--new-session", NULL, NULL);
	add(p, "--ro-bind", "/usr", "/usr");
	for (size_t i = 0; i < COUNT(roots); i++)
		add_root(p, roots[i]);
	for (size_t i = 0; i < COUNT(etc); i++)
		if (access(etc[i], F_OK) == 0)
			add(p, "--ro-bind", etc[i], etc[i]);
	add(p, "--proc", "/proc", NULL);
	add(p, "--dev", "/dev", NULL);
	add(p, "--perms", "1777", NULL);
	add(p, "--size", "268435456", NULL);
	add(p, "--tmpfs", "/tmp", NULL);
	add(p, "--bind", "", "/scratch");
	p->folder = p->prefix_count - 2;
	add(p, "--chdir", "/scratch", NULL);
	add(p, "--", "/bin/sh", "-c");
	add(p, limits, "sh", NULL);
}

const char *
place_home(const struct place *p, const char *folder)
{
	return p->sandbox ? "/scratch" : folder;
}

static int
write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return lseek(fd, 0, SEEK_SET) == 0 ? 0 : -1;
}

/* The command's variables as arguments of bubblewrap in a file: they are set
 * behind its walls. In its own environment LD_PRELOAD would be code before
 * them, on its command line everybody could read them. -1 and errno. */
static int
environment_file(char *const *env)
{
	int fd = memfd_create("environment", MFD_CLOEXEC);
	struct buf b;

	if (fd < 0)
		return -1;
	buf_create(&b, 0);
	for (; *env != NULL; env++) {
		size_t name = strcspn(*env, "=");

		buf_put(&b, "--setenv", sizeof("--setenv"));
		buf_put(&b, *env, name);
		buf_putc(&b, '\0');
		buf_put(&b, *env + name + 1, strlen(*env + name + 1) + 1);
	}
	if (buf_failed(&b) || write_all(fd, b.data, b.len) != 0) {
		close(fd);
		fd = -1;
		errno = ENOMEM;
	}
	buf_free(&b);
	return fd;
}

pid_t
place_start(const struct place *p, const char *folder, char *const *argv,
    char *const *env, const char *path, int in, int out, int err, int *info)
{
	static char *full[PLACE_PREFIX_MAX + ARGUMENTS];
	static char *const no_env[] = {NULL};
	struct child c = {.path = path,
	    .argv = argv,
	    .env = env,
	    .folder = folder,
	    .in = in,
	    .out = out,
	    .err = err,
	    .drop = p->drop,
	    .uid = p->uid,
	    .gid = p->gid,
	    .processes = p->processes};
	unsigned n = 0;
	int error;
	pid_t pid;

	*info = -1;
	if (!p->sandbox)
		return child_start(&c);
	for (; n < p->prefix_count; n++)
		full[n] = (char *)(uintptr_t)p->prefix[n];
	full[p->folder] = (char *)(uintptr_t)folder;
	for (; *argv != NULL && n < COUNT(full) - 1; argv++)
		full[n++] = *argv;
	full[n] = NULL;
	if (*argv != NULL) {
		errno = E2BIG;
		return -1;
	}
	c.argv = full;
	c.env = no_env;
	c.extra = environment_file(env);
	if (c.extra < 0)
		return -1;
	c.info = memfd_create("info", MFD_CLOEXEC);
	pid = c.info < 0 ? -1 : child_start(&c);
	error = errno;
	close(c.extra);
	if (pid > 0)
		*info = c.info;
	else if (c.info >= 0)
		close(c.info);
	return errno = error, pid;
}

/* Waits for the trial, but not for ever. */
static bool
succeeded(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	int64_t end = clock_mono_ns() + TRIAL_NS;
	int status;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0) {
		if (clock_mono_ns() > end) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
try_sandbox(struct place *p)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};
	char *const env[] = {(char *)(uintptr_t) "PATH=/usr/bin:/bin", NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char folder[PATH_MAX];
	pid_t pid = -1;
	int info;

	if (null < 0 || place_folder(p, folder) != 0)
		return false;
	p->sandbox = true;
	pid = place_start(p, folder, argv, env, NULL, null, null, null, &info);
	close(null);
	if (info >= 0)
		close(info);
	p->sandbox = pid > 0 && succeeded(pid);
	place_remove(folder);
	return p->sandbox;
}

int
place_create(struct place *p, const struct runner_settings *s, struct err *e)
{
	memset(p, 0, sizeof(*p));
	if (find_user(p, s->user, e) != 0 ||
	    make_scratch(p, s->scratch, e) != 0)
		return -1;
	empty_scratch(p);
	p->processes =
	    p->drop ? PER_COMMAND * ((size_t)s->concurrency + 4) : OWN_USER;
	build_prefix(p);
	if (s->sandbox && !try_sandbox(p))
		fprintf(stderr,
		    "runner: bubblewrap does not work here, commands run "
		    "without a sandbox\n");
	return 0;
}
