/* http_server.h - a server of bad manners for tests of op http: one thread, one
 * poll loop, what it does is in the path. TLS is one connection at a time.
 *
 *   /json /text /bytes /cookies /echo   answers; echo gives the request back
 *   /status/N /to/N?URL                 that status; with Location: URL
 *   /circle                             redirects to itself
 *   /large                              300 KB of JSON
 *   /hang /drip                         never, or a byte every few ms
 *   /huge /stream                       5 GB by Content-Length, without end
 *   /head                               headers without end
 *   /barrier                            when `barrier` requests wait, all
 *   /close                              closes without an answer
 */
#ifndef TESTS_HTTP_SERVER_H
#define TESTS_HTTP_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define SERVER_MAX 4096

enum conn_mode {
	CONN_READ,
	CONN_ANSWER, /* send out, then read on */
	CONN_HANG,
	CONN_DRIP,
	CONN_STREAM, /* out again and again */
	CONN_BARRIER
};

struct conn {
	int fd;
	enum conn_mode mode;
	char *in, *out;
	size_t in_len, out_len, sent, again;
};

struct server {
	pthread_t thread;
	int fd, stop[2];
	unsigned port;
	unsigned barrier;
	unsigned count;
	_Atomic unsigned accepted, requests, barriers;
	_Atomic uint64_t streamed;
	struct conn conns[SERVER_MAX];
	struct pollfd fds[SERVER_MAX + 2];
};

static inline int
server_listen(unsigned *port)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, 4096) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		abort();
	*port = ntohs(a.sin_port);
	return fd;
}

/* --- answers --- */

static inline void
conn_send(struct conn *c, const char *head, const char *body, size_t len)
{
	size_t head_len = strlen(head);

	free(c->out);
	c->out = malloc(head_len + len + 1);
	memcpy(c->out, head, head_len);
	if (len > 0)
		memcpy(c->out + head_len, body, len);
	c->out_len = head_len + len;
	c->sent = 0;
	c->mode = CONN_ANSWER;
}

static inline void
conn_answer(struct conn *c, int status, const char *headers, const char *body,
    size_t len)
{
	char head[2048];

	snprintf(head, sizeof(head),
	    "HTTP/1.1 %d Said so\r\nContent-Length: %zu\r\n%s\r\n", status, len,
	    headers);
	conn_send(c, head, body, len);
}

static inline bool
path_is(const struct conn *c, const char *path)
{
	const char *at = strchr(c->in, ' ');

	return at != NULL && strncmp(at + 1, path, strlen(path)) == 0;
}

static inline const char *
path_after(const struct conn *c, const char *path)
{
	return strchr(c->in, ' ') + 1 + strlen(path);
}

/* Location: what stands behind ?; "\"" is a fault on purpose. */
static inline void
answer_redirect(struct conn *c)
{
	const char *at = path_after(c, "/to/");
	const char *query = strchr(at, '?');
	char headers[1200];

	snprintf(headers, sizeof(headers), "Location: %.*s\r\n",
	    (int)strcspn(query + 1, " "), query + 1);
	conn_answer(c, atoi(at), headers, "moved", 5);
}

/* No length and no end: a piece is sent again and again. */
static inline void
answer_stream(struct conn *c, const char *head, const char *piece)
{
	char text[65536];
	size_t len = 0;

	while (len + strlen(piece) < sizeof(text)) {
		memcpy(text + len, piece, strlen(piece));
		len += strlen(piece);
	}
	conn_send(c, head, text, len);
	c->again = strlen(head);
	c->mode = CONN_STREAM;
}

static inline void
answer_large(struct conn *c)
{
	static char text[300001];

	memset(text, '1', sizeof(text));
	for (size_t i = 2; i < sizeof(text); i += 2)
		text[i] = ',';
	text[0] = '[';
	text[sizeof(text) - 1] = ']';
	conn_answer(c, 200, "", text, sizeof(text));
}

static inline void
conn_plain(struct conn *c)
{
	static const char bytes[] = "a\xff\xfe\0b";

	if (path_is(c, "/json"))
		conn_answer(c, 200,
		    "Content-Type: application/json\r\nX-Two: 1\r\n"
		    "x-two: 2\r\n",
		    "{\"a\":[1,2.5,null]}", 18);
	else if (path_is(c, "/text"))
		conn_answer(c, 200, "", "hello\n", 6);
	else if (path_is(c, "/large"))
		answer_large(c);
	else if (path_is(c, "/bytes"))
		conn_answer(c, 200, "", bytes, 5);
	else if (path_is(c, "/cookies"))
		conn_answer(
		    c, 204, "Set-Cookie: a=1, b\r\nSet-Cookie: c=2\r\n", "", 0);
	else if (path_is(c, "/status/"))
		conn_answer(c, atoi(path_after(c, "/status/")), "", "no", 2);
	else if (path_is(c, "/to/"))
		answer_redirect(c);
	else if (path_is(c, "/circle"))
		conn_answer(c, 302, "Location: /circle\r\n", "", 0);
	else
		conn_answer(c, 404, "", "", 0);
}

static inline void
conn_handle(struct server *s, struct conn *c)
{
	atomic_fetch_add(&s->requests, 1);
	if (path_is(c, "/echo")) {
		conn_answer(c, 200, "", c->in, c->in_len);
	} else if (path_is(c, "/hang")) {
		c->mode = CONN_HANG;
	} else if (path_is(c, "/drip")) {
		conn_answer(c, 200, "", "0123456789", 10);
		c->out_len -= 1; /* and never the last byte */
		c->mode = CONN_DRIP;
	} else if (path_is(c, "/huge")) {
		conn_send(c,
		    "HTTP/1.1 200 OK\r\nContent-Length: 5368709120\r\n\r\n", "",
		    0);
	} else if (path_is(c, "/stream")) {
		answer_stream(c, "HTTP/1.1 200 OK\r\n\r\n", "more and ");
	} else if (path_is(c, "/head")) {
		answer_stream(c, "HTTP/1.1 200 OK\r\n", "X-More: more\r\n");
	} else if (path_is(c, "/barrier")) {
		c->mode = CONN_BARRIER;
		atomic_fetch_add(&s->barriers, 1);
	} else {
		conn_plain(c);
	}
	c->in_len = 0;
}

/* --- the loop --- */

static inline void
conn_close(struct conn *c)
{
	close(c->fd);
	free(c->in);
	free(c->out);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

static inline bool
conn_complete(const struct conn *c)
{
	const char *end = strstr(c->in, "\r\n\r\n");
	const char *length;

	if (end == NULL)
		return false;
	length = strcasestr(c->in, "content-length: ");
	return length == NULL || length > end ||
	       c->in_len >=
		   (size_t)(end + 4 - c->in) + strtoul(length + 16, NULL, 10);
}

static inline void
conn_read(struct server *s, struct conn *c)
{
	ssize_t n;

	c->in = realloc(c->in, c->in_len + 65537);
	n = recv(c->fd, c->in + c->in_len, 65536, MSG_DONTWAIT);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			conn_close(c);
		return;
	}
	if (c->in[0] == 22) { /* TLS, which is not spoken here */
		conn_close(c);
		return;
	}
	c->in_len += (size_t)n;
	c->in[c->in_len] = '\0';
	if (!conn_complete(c))
		return;
	if (path_is(c, "/close"))
		conn_close(c);
	else
		conn_handle(s, c);
}

static inline void
conn_write(struct server *s, struct conn *c)
{
	size_t left = c->out_len - c->sent;
	ssize_t n = send(c->fd, c->out + c->sent,
	    c->mode == CONN_DRIP && left > 0 ? 1 : left,
	    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0) {
		if (errno != EAGAIN)
			conn_close(c);
		return;
	}
	c->sent += (size_t)n;
	if (c->sent < c->out_len)
		return;
	if (c->mode == CONN_ANSWER)
		c->mode = CONN_READ;
	else if (c->mode == CONN_DRIP)
		c->mode = CONN_HANG;
	else if (c->mode == CONN_STREAM) {
		atomic_fetch_add(&s->streamed, c->out_len);
		c->sent = c->again;
	}
}

static inline short
conn_events(const struct conn *c)
{
	switch (c->mode) {
	case CONN_ANSWER:
	case CONN_STREAM:
		return POLLIN | POLLOUT;
	case CONN_READ:
	case CONN_HANG:
	case CONN_BARRIER:
	case CONN_DRIP:
		break;
	}
	return POLLIN;
}

static inline void
server_accept(struct server *s)
{
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0 || s->count == SERVER_MAX)
		return;
	s->conns[s->count++] = (struct conn){.fd = fd};
	atomic_fetch_add(&s->accepted, 1);
}

static inline void
server_lower_barrier(struct server *s)
{
	if (s->barrier == 0 || atomic_load(&s->barriers) < s->barrier)
		return;
	atomic_store(&s->barriers, 0);
	for (unsigned i = 0; i < s->count; i++)
		if (s->conns[i].mode == CONN_BARRIER)
			conn_answer(&s->conns[i], 200, "", "1", 1);
}

static inline void
server_round(struct server *s)
{
	unsigned n = s->count, kept = 0;

	for (unsigned i = 0; i < n; i++) {
		struct conn *c = &s->conns[i];
		short revents = s->fds[i + 2].revents;

		if (revents & (POLLIN | POLLHUP | POLLERR))
			conn_read(s, c);
		if (c->fd >= 0 && ((revents & POLLOUT) || c->mode == CONN_DRIP))
			conn_write(s, c);
	}
	server_lower_barrier(s);
	for (unsigned i = 0; i < n; i++)
		if (s->conns[i].fd >= 0)
			s->conns[kept++] = s->conns[i];
	s->count = kept;
	if (s->fds[1].revents != 0)
		server_accept(s);
}

static inline void *
server_main(void *arg)
{
	struct server *s = arg;

	for (;;) {
		int timeout = -1;

		s->fds[0] = (struct pollfd){s->stop[0], POLLIN, 0};
		s->fds[1] = (struct pollfd){s->fd, POLLIN, 0};
		for (unsigned i = 0; i < s->count; i++) {
			s->fds[i + 2] = (struct pollfd){
			    s->conns[i].fd, conn_events(&s->conns[i]), 0};
			if (s->conns[i].mode == CONN_DRIP)
				timeout = 5;
		}
		poll(s->fds, s->count + 2, timeout);
		if (s->fds[0].revents != 0)
			break;
		server_round(s);
	}
	for (unsigned i = 0; i < s->count; i++)
		conn_close(&s->conns[i]);
	return NULL;
}

static inline struct server *
server_start(void)
{
	struct server *s = calloc(1, sizeof(*s));

	s->fd = server_listen(&s->port);
	if (pipe2(s->stop, O_CLOEXEC) != 0 ||
	    pthread_create(&s->thread, NULL, server_main, s) != 0)
		abort();
	return s;
}

static inline void
server_stop(struct server *s)
{
	close(s->stop[1]);
	pthread_join(s->thread, NULL);
	close(s->stop[0]);
	close(s->fd);
	free(s);
}

/* --- TLS: answers "1" to each connection's first request --- */

struct tls_server {
	pthread_t thread;
	int fd;
	unsigned port;
	SSL_CTX *ctx;
	char ca[64]; /* the certificate, in a file */
	_Atomic bool stop;
	_Atomic unsigned handshakes;
};

static inline X509 *
certificate_make(EVP_PKEY *key, const char *name)
{
	X509 *x = X509_new();
	X509V3_CTX v3;
	char text[256];

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509V3_set_ctx_nodb(&v3);
	X509V3_set_ctx(&v3, x, x, NULL, NULL, 0);
	snprintf(text, sizeof(text), "DNS:%s", name);
	for (unsigned i = 0; i < 2; i++) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &v3,
		    i == 0 ? NID_subject_alt_name : NID_basic_constraints,
		    i == 0 ? text : "critical,CA:TRUE");

		X509_add_ext(x, e, -1);
		X509_EXTENSION_free(e);
	}
	X509_sign(x, key, EVP_sha256());
	return x;
}

static inline void *
tls_main(void *arg)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
				     "Connection: close\r\n\r\n1";
	struct tls_server *s = arg;
	char in[4096];

	for (;;) {
		int fd = accept(s->fd, NULL, NULL);
		SSL *ssl;

		if (fd < 0 || atomic_load(&s->stop)) {
			if (fd >= 0)
				close(fd);
			return NULL;
		}
		ssl = SSL_new(s->ctx);
		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1) {
			atomic_fetch_add(&s->handshakes, 1);
			if (SSL_read(ssl, in, sizeof(in)) > 0)
				SSL_write(ssl, answer, (int)strlen(answer));
			SSL_shutdown(ssl);
		}
		SSL_free(ssl);
		close(fd);
	}
}

static inline struct tls_server *
tls_start(const char *name)
{
	struct tls_server *s = calloc(1, sizeof(*s));
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = certificate_make(key, name);
	FILE *fp;

	s->fd = server_listen(&s->port);
	s->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(s->ctx, x);
	SSL_CTX_use_PrivateKey(s->ctx, key);
	strcpy(s->ca, "/tmp/open-test-ca-XXXXXX");
	fp = fdopen(mkstemp(s->ca), "w");
	PEM_write_X509(fp, x);
	fclose(fp);
	X509_free(x);
	EVP_PKEY_free(key);
	if (pthread_create(&s->thread, NULL, tls_main, s) != 0)
		abort();
	return s;
}

static inline void
tls_stop(struct tls_server *s)
{
	atomic_store(&s->stop, true);
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	unlink(s->ca);
	SSL_CTX_free(s->ctx);
	free(s);
}

#endif
