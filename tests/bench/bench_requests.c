/* bench_requests - 2,000 nodes of op http at once, on one arena, beside a bare
 * client that makes the same requests with the same library, curl's multi
 * interface on epoll. The server, a process of its own, answers nobody before
 * all 2,000 have asked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <curl/curl.h>

#include "engine.h"
#include "table.h"

#define REQUESTS 2000
#define ROUNDS	 5

static void __attribute__((noreturn)) quit(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- the server --- */

static _Atomic unsigned *most; /* connections that waited at once */

static const char answer[] = "HTTP/1.1 200 OK\r\n"
			     "Content-Type: application/json\r\n"
			     "Content-Length: 12\r\n\r\n{\"value\": 7}";

static void
server_answer(int *waiting, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (write(waiting[i], answer, sizeof(answer) - 1) < 0)
			quit("answer");
}

/* True: it has asked. A request arrives in one piece, it is that short. */
static bool
server_read(int fd)
{
	char request[4096];
	ssize_t n = read(fd, request, sizeof(request));

	if (n <= 0)
		close(fd);
	return n > 0;
}

static void __attribute__((noreturn)) server_loop(int listener)
{
	static int waiting[REQUESTS];
	struct epoll_event events[256], ev = {.events = EPOLLIN};
	unsigned count = 0;
	int ep = epoll_create1(0), n;

	ev.data.fd = listener;
	epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev);
	for (;;) {
		n = epoll_wait(ep, events, 256, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == listener) {
				ev.data.fd = accept(listener, NULL, NULL);
				epoll_ctl(ep, EPOLL_CTL_ADD, ev.data.fd, &ev);
			} else if (server_read(fd)) {
				waiting[count++] = fd;
			}
			if (count > atomic_load(most))
				atomic_store(most, count);
			if (count == REQUESTS) {
				server_answer(waiting, count);
				count = 0;
			}
		}
	}
}

static pid_t
server_start(char url[64])
{
	struct sockaddr_in sin = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	most = mmap(NULL, sizeof(*most), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, len) != 0 ||
	    listen(fd, REQUESTS) != 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) != 0)
		quit("server");
	snprintf(url, 64, "http://127.0.0.1:%u/value", ntohs(sin.sin_port));
	if ((pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		server_loop(fd);
	}
	close(fd);
	return pid;
}

/* --- the bare client --- */

struct bare {
	CURLM *multi;
	int ep, timer;
	unsigned done;
};

static int
bare_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct bare *b = arg;
	struct epoll_event ev = {
	    .events = (what & CURL_POLL_IN ? EPOLLIN : 0u) |
		      (what & CURL_POLL_OUT ? EPOLLOUT : 0u),
	    .data.fd = fd};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(b->ep, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	epoll_ctl(
	    b->ep, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev);
	curl_multi_assign(b->multi, fd, b);
	return 0;
}

static int
bare_timer(CURLM *multi, long ms, void *arg)
{
	struct bare *b = arg;
	struct itimerspec t = {
	    .it_value = {ms / 1000, ms > 0 ? ms % 1000 * 1000000 : 1}};

	(void)multi;
	if (ms < 0)
		t.it_value = (struct timespec){0};
	timerfd_settime(b->timer, 0, &t, NULL);
	return 0;
}

static size_t
bare_body(char *data, size_t size, size_t count, void *arg)
{
	(void)data;
	(void)arg;
	return size * count;
}

static void
bare_reap(struct bare *b)
{
	struct CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(b->multi, &left)) != NULL) {
		CURL *easy = m->easy_handle;

		if (m->data.result != CURLE_OK) {
			fprintf(stderr, "bench: the bare client: %s\n",
			    curl_easy_strerror(m->data.result));
			exit(1);
		}
		curl_multi_remove_handle(b->multi, easy);
		curl_easy_cleanup(easy);
		b->done++;
	}
}

static void
bare_turn(struct bare *b)
{
	struct epoll_event events[256];
	uint64_t ticks;
	int n = epoll_wait(b->ep, events, 256, -1), running;

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd, what = 0;

		if (fd == b->timer) {
			if (read(fd, &ticks, sizeof(ticks)) > 0)
				curl_multi_socket_action(
				    b->multi, CURL_SOCKET_TIMEOUT, 0, &running);
			continue;
		}
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			what |= CURL_CSELECT_IN;
		if (events[i].events & EPOLLOUT)
			what |= CURL_CSELECT_OUT;
		curl_multi_socket_action(b->multi, fd, what, &running);
	}
	bare_reap(b);
}

/* Microseconds. */
static double
bare_run(const char *url)
{
	struct bare b = {.multi = curl_multi_init(),
	    .ep = epoll_create1(EPOLL_CLOEXEC),
	    .timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)};
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = b.timer};
	double begun = now_us(), us;

	epoll_ctl(b.ep, EPOLL_CTL_ADD, b.timer, &ev);
	curl_multi_setopt(b.multi, CURLMOPT_SOCKETFUNCTION, bare_socket);
	curl_multi_setopt(b.multi, CURLMOPT_SOCKETDATA, &b);
	curl_multi_setopt(b.multi, CURLMOPT_TIMERFUNCTION, bare_timer);
	curl_multi_setopt(b.multi, CURLMOPT_TIMERDATA, &b);
	for (int i = 0; i < REQUESTS; i++) {
		CURL *easy = curl_easy_init();

		curl_easy_setopt(easy, CURLOPT_URL, url);
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, bare_body);
		curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
		curl_multi_add_handle(b.multi, easy);
	}
	while (b.done < REQUESTS)
		bare_turn(&b);
	us = now_us() - begun;
	curl_multi_cleanup(b.multi);
	close(b.ep);
	close(b.timer);
	return us;
}

/* --- the rounds --- */

static void
requests_put(struct buf *b, const char *url)
{
	buf_puts(b, "{\"nodes\":[");
	for (int i = 0; i < REQUESTS; i++)
		buf_printf(b,
		    "%s{\"name\":\"n%d\",\"op\":\"http\",\"with\":"
		    "{\"url\":\"%s\"}}",
		    i > 0 ? "," : "", i, url);
	buf_puts(b, "]}");
}

static void
files_allow(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0)
		quit("limits");
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
	if (l.rlim_max < REQUESTS + 200)
		quit("too few files may be open");
}

int
main(void)
{
	struct samples ours = {0}, theirs = {0};
	struct exec_settings s;
	struct plan_hash hash;
	struct engine x;
	struct plan *p;
	struct buf b;
	char url[64];
	pid_t server;

	files_allow();
	server = server_start(url);
	exec_settings_default(&s);
	s.pin = false;
	s.compute.threads = 1;
	engine_create(&x, &s);
	buf_create(&b, 0);
	requests_put(&b, url);
	p = engine_compile(&b, NULL, &hash);
	engine_put(&x, p, &hash);
	table_head();
	for (int i = 0; i < ROUNDS; i++) {
		samples_add(&ours, engine_run(&x, &hash, 1) / 1e3);
		if (i == 0)
			table_row(&(struct row){
			    .what = "http nodes under way at once, one arena",
			    .ours = atomic_load(most),
			    .unit = "",
			    .limit = REQUESTS,
			    .at_least = 1});
		samples_add(&theirs, bare_run(url) / 1e3);
	}
	if (x.unsuccessful > 0 || x.nodes < (uint64_t)ROUNDS * REQUESTS)
		quit("a request failed");
	table_row(&(struct row){.what = "2,000 http nodes, to the journal",
	    .peer = "bare client: curl's multi interface, epoll",
	    .unit = "ms",
	    .ours = samples_quantile(&ours, 0.5),
	    .theirs = samples_quantile(&theirs, 0.5)});
	engine_destroy(&x);
	kill(server, SIGKILL);
	free(p);
	buf_free(&b);
	return 0;
}
