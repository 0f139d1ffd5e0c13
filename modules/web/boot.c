/* boot.c - the server's start and end: what the parent makes before it forks,
 * what a worker starts, and Kore's hooks that call it.
 *
 *   kore_parent_configure   settings, server id, shared memory, runner
 *   kore_worker_configure   database, arena, journal, recovery
 *   kore_worker_teardown    arena, last flush of the journal
 *   kore_parent_teardown    end of the lease
 */

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "exec/op_module.h"
#include "exec/runner.h"
#include "web/asks.h"
#include "web/audit.h"
#include "web/limits.h"
#include "web/graphql_sse.h"
#include "web/graphql_ws.h"
#include "web/lease.h"
#include "web/live_client.h"
#include "web/live_feed.h"
#include "web/log.h"
#include "web/mail.h"
#include "web/migrations.h"
#include "web/own_database.h"
#include "web/rate_table.h"
#include "web/request.h"
#include "web/route.h"
#include "web/secrets.h"
#include "web/tls.h"

#define FLUSH_MS 3000
/* Descriptors besides connections and transfers; the idle connections of op
 * http are most of it. */
#define FILES_SPARE 2560
#define BODY_SLACK  (16u << 20)

struct server server;

static char data_path[PATH_MAX], scratch_path[PATH_MAX + 16],
    socket_path[PATH_MAX + 24];
static pid_t parent; /* a worker was forked from it */

void kore_parent_configure(int, char **);
void kore_parent_teardown(void);
void kore_worker_configure(void);
void kore_worker_teardown(void);

const struct config *
flow_config(void)
{
	return &server.config;
}

/* --- the parent ----------------------------------------------------------- */

static void __attribute__((noreturn, format(printf, 1, 2)))
stop(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, fmt);
	fputs("error: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	unlink(kore_pidfile);
	exit(1);
}

static void
settings_load(void)
{
	struct err e;

	err_clear(&e);
	if (config_load(NULL, &server.config, &e) == 0)
		return;
	if (e.line != 0)
		stop("%s (line %u, column %u)", e.message, e.line, e.column);
	stop("%s", e.message);
}

static void
folders_make(void)
{
	const char *data = server.config.data;

	if (mkdir(data, 0755) == -1 && errno != EEXIST)
		stop("%s: %s", data, strerror(errno));
	if (realpath(data, data_path) == NULL)
		stop("%s: %s", data, strerror(errno));
	snprintf(socket_path, sizeof(socket_path), "%s/run", data_path);
	if (mkdir(socket_path, 0711) == -1 && errno != EEXIST)
		stop("%s: %s", socket_path, strerror(errno));
	snprintf(
	    socket_path, sizeof(socket_path), "%s/run/runner.sock", data_path);
	snprintf(scratch_path, sizeof(scratch_path), "%s/scratch", data_path);
	free(server.config.data);
	if ((server.config.data = strdup(data_path)) == NULL)
		stop("out of memory");
}

/* Made once: executions name the server that runs them. */
static void
server_id_load(void)
{
	char path[PATH_MAX + 16], text[UUID_TEXT] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/server-id", data_path);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) != -1) {
		if (read(fd, text, UUID_TEXT - 1) != UUID_TEXT - 1 ||
		    !uuid_parse(text, UUID_TEXT - 1, &server.id))
			stop("%s does not hold a UUID", path);
		close(fd);
		return;
	}
	server.id = uuid_v7();
	uuid_format(&server.id, text);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd == -1 || dprintf(fd, "%s\n", text) < 0 || fsync(fd) == -1)
		stop("%s: %s", path, strerror(errno));
	close(fd);
}

/* The workers read it whenever they need it. */
static void
secret_keys_make(void)
{
	struct passwd *user = NULL;
	struct err e;

	if (getuid() == 0 && !skip_runas && kore_runas_user != NULL)
		user = getpwnam(kore_runas_user);
	err_clear(&e);
	if (secret_ring_create(&server.config,
		user != NULL ? user->pw_uid : (uid_t)-1,
		user != NULL ? user->pw_gid : (gid_t)-1, &e) != 0)
		stop("%s", e.message);
}

/* What Kore takes from its file but is a setting of ours; Kore counts all
 * descriptors up to the limit when a worker starts, so it must be small. */
static void
kore_limits(void)
{
	const struct config *c = &server.config;
	struct rlimit rl;

	worker_count = (u_int8_t)c->workers;
	worker_max_connections = (u_int32_t)c->max_connections;
	worker_rlimit_nofiles =
	    (u_int32_t)(c->max_connections + c->http_concurrency +
			c->sql_connections + FILES_SPARE);
	worker_set_affinity = 0;
	http_body_max = (size_t)c->body_limit + BODY_SLACK;
	http_request_limit = (u_int32_t)c->max_connections;
	http_hsts_enable = 0;
	http_server_version("open");
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 &&
	    rl.rlim_cur > worker_rlimit_nofiles) {
		rl.rlim_cur = worker_rlimit_nofiles;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
}

static void
runner_settings(struct runner_settings *r)
{
	const struct config *c = &server.config;

	r->socket = socket_path;
	r->scratch = scratch_path;
	r->user = getuid() == 0 ? c->command_user : NULL;
	/* Workers connect as the user they become. */
	r->owner = skip_runas ? NULL : kore_runas_user;
	r->concurrency = (unsigned)c->command_concurrency;
	r->result_bytes = (size_t)c->result_limit;
	r->log_bytes = (size_t)c->command_log_limit;
	r->kill_after_ns = c->command_kill_after;
	r->sandbox = c->command_sandbox != 0;
	r->lease = lease_guard();
}

static void
executor_create(void)
{
	const struct config *c = &server.config;
	struct exec_settings s;
	struct err e;

	exec_settings_default(&s);
	s.shm_bytes = (size_t)c->shared_memory;
	s.arenas = (unsigned)c->workers;
	s.max_runs = (unsigned)c->max_runs;
	s.max_plans = (unsigned)c->max_plans;
	s.reserve_bytes = s.shm_bytes / 8;
	s.flush_ns = c->flush_interval;
	s.pin = c->pin != 0;
	s.compute.threads = (unsigned)c->compute_threads;
	s.compute.lua_time_ns = c->lua_time;
	s.compute.lua_memory = (size_t)c->lua_memory;
	s.compute.result_bytes = (size_t)c->result_limit;
	s.for_each_limit = (uint32_t)c->for_each_limit;
	s.http.concurrency = (unsigned)c->http_concurrency;
	s.http.result_bytes = (size_t)c->result_limit;
	s.http.memory = (size_t)c->http_memory;
	s.sql.connections = (unsigned)c->sql_connections;
	s.sql.pool_connections = (unsigned)c->sql_pool_connections;
	s.sql.result_bytes = (size_t)c->result_limit;
	err_clear(&e);
	if ((s.sql.own = own_database(c, &e)) == NULL)
		stop("%s", e.message);
	runner_settings(&s.runner);
	s.secrets = secrets_source();
	s.lease = lease_guard();
	s.host = asks_source();
	if (runner_spawn(&s.runner, &e) == -1)
		stop("the runner of commands: %s", e.message);
	if ((server.exec = exec_create(&s, &e)) == NULL)
		stop("shared memory: %s", e.message);
}

/* A route without its line in the policy would be a hole. */
static void
route_check(const struct kore_module_handle *route)
{
	char symbol[128];
	const struct route_method *const *methods;
	const char *method;

	snprintf(symbol, sizeof(symbol), "%s" ROUTE_METHODS, route->func);
	if ((methods = dlsym(RTLD_DEFAULT, symbol)) == NULL)
		stop("%s: route %s shows no methods (see web/route.h)",
		    route->path, route->func);
	if ((method = route_fault(*methods)) != NULL)
		stop("%s: %s names no action of the policy", route->path,
		    method);
}

static void
routes_check(void)
{
	const struct kore_module_handle *route;
	const struct kore_domain *domain;
	const struct kore_server *s;

	LIST_FOREACH(s, &kore_servers, list)
	TAILQ_FOREACH (domain, &s->domains, list)
		TAILQ_FOREACH (route, &domain->handlers, list)
			if (strcmp(route->func, "web_not_found") != 0)
				route_check(route);
}

void
kore_parent_configure(int argc, char **argv)
{
	struct err e;

	(void)argc;
	(void)argv;
	parent = getpid();
	setvbuf(stdout, NULL, _IOLBF, 0);
	routes_check();
	settings_load();
	log_level_set((enum config_log)server.config.log);
	folders_make();
	server_id_load();
	secret_keys_make();
	kore_limits();
	err_clear(&e);
	if (op_modules_load(server.config.op_modules, &e) != 0)
		stop("op_modules: %s", e.message);
	server.migrations = migrations_expected(server.config.migrations, &e);
	if (server.migrations == NULL)
		stop("%s", e.message);
	if (mail_create(&e) != 0)
		stop("%s", e.message);
	server.limits.bytes = (size_t)server.config.document_limit;
	server.limits.nodes = (uint32_t)server.config.node_limit;
	server.limits.dependencies = (uint32_t)server.config.dependency_limit;
	server.counters = mmap(NULL, sizeof(struct counters) * WORKERS_MAX,
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	server.known = known_create(server.config.token_cache);
	server.rates = rate_table_create();
	if (server.counters == MAP_FAILED || server.known == NULL ||
	    server.rates == NULL)
		stop("shared memory: %s", strerror(errno));
	err_clear(&e);
	if (lease_create(&e) != 0)
		stop("%s", e.message);
	executor_create();
	/* The runner of commands has been forked: it never had the key. */
	if (tls_create(&server.config, &e) != 0)
		stop("%s", e.message);
	if (live_feed_create() != 0)
		stop("shared memory: %s", strerror(errno));
	log_info("%lld workers, %lld MiB shared memory",
	    (long long)server.config.workers,
	    (long long)(server.config.shared_memory >> 20));
}

void
kore_parent_teardown(void)
{
	unlink(socket_path);
	lease_end();
	if (!lease_fenced())
		return;
	unlink(kore_pidfile);
	_exit(LEASE_EXIT);
}

/* --- a worker ------------------------------------------------------------- */

/* Kore starts a worker that fails again at once: not too fast. */
static void __attribute__((noreturn)) worker_stop(const char *why)
{
	log_error("worker: %s", why);
	sleep(1);
	fatalx("worker: %s", why);
}

/* Whoever starts next runs what a server leaves behind: nothing of one whose
 * parent was killed may go on. */
static void
die_with_parent(void)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		worker_stop(strerror(errno));
	if (getppid() != parent)
		_exit(1);
}

void
kore_worker_configure(void)
{
	struct err e;

	die_with_parent();
	server.worker = worker->id - 1u;
	server.mine = &server.counters[server.worker];
	tls_start();
	flow_init(&server.config);
	session_init();
	if (work_init() != 0 || call_init() != 0)
		worker_stop("no eventfd");
	if (secrets_init() != 0 || asks_init() != 0 || mail_init() != 0)
		worker_stop("no eventfd");
	err_clear(&e);
	if (exec_attach(server.exec, server.worker, &e) != 0)
		worker_stop(e.message);
	handoff_start();
	recovery_start();
	control_start();
	idempotency_start();
	limits_start();
	journal_start();
	secrets_start();
	asks_start();
	mail_start();
	live_feed_start();
	live_client_start();
	graphql_ws_start();
	graphql_sse_start();
	database_start(&server.config);
	lease_start();
	history_start();
	beat_start();
	audit_start();
	health_start();
}

/* Called around each reload of a module (kore.conf names it). Steps that wait
 * keep nothing of a module; a thread may be in the middle of one. */
int
web_module(int action)
{
	if (action == KORE_MODULE_UNLOAD)
		work_drain();
	return KORE_RESULT_OK;
}

void
kore_worker_teardown(void)
{
	handoff_all();
	graphql_ws_stop();
	exec_hold(server.exec);
	journal_flush(FLUSH_MS);
	exec_detach(server.exec);
	work_stop();
	mail_stop();
	database_stop();
}
