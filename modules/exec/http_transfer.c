/* http_transfer.c - one request with curl: its options, what comes in, what
 * that means for the node. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "exec/http_address.h"
#include "exec/http_answer.h"
#include "exec/http_client.h"

#define CONNECT_MS   10000L
#define HEAD_BYTES   65536
#define INLINE_BYTES 8192
#define SKIP_BYTES   65536 /* read and dropped, to keep the connection */
#define BUFFER_BYTES 16384L

/* --- curl's callbacks ----------------------------------------------------- */

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct transfer *t = arg;
	int fd;

	(void)purpose;
	if ((t->pool->allowed & ALLOW_PRIVATE_ADDRESSES) == 0 &&
	    !http_address_public(&a->addr, a->addrlen)) {
		t->refused = true;
		return CURL_SOCKET_BAD;
	}
	if (a->family != AF_INET && a->family != AF_INET6)
		return CURL_SOCKET_BAD;
	fd = socket(
	    a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
	t->opened = t->opened || fd >= 0;
	return fd;
}

static bool
is_redirect(long status)
{
	return status == 301 || status == 302 || status == 303 ||
	       status == 307 || status == 308;
}

static long
status_of(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void
release_body(struct transfer *t)
{
	atomic_fetch_sub(&t->client->held, t->body.len);
	buf_free(&t->body);
	buf_create(&t->body, 0);
}

/* A line of the head, or of another one after 1xx. */
static size_t
on_header(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * count;

	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {
		buf_reset(&t->head);
		t->head_lines = 0;
	}
	if (t->head.len + len > HEAD_BYTES ||
	    ++t->head_lines > HTTP_HEAD_LINES) {
		t->cut = HTTP_CUT_HEAD;
		return 0;
	}
	buf_put(&t->head, data, len);
	return buf_failed(&t->head) ? 0 : len;
}

static size_t
max_bytes(const struct transfer *t)
{
	size_t limit = t->client->settings.result_bytes;
	int64_t own = t->request.max_bytes;

	return own > 0 && (size_t)own < limit ? (size_t)own : limit;
}

static size_t
skip(struct transfer *t, size_t len)
{
	t->skipped += len;
	if (t->skipped <= SKIP_BYTES)
		return len;
	t->cut = HTTP_CUT_STATUS;
	return 0;
}

static size_t
on_body(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	struct http_client *c = t->client;
	size_t len = size * count;

	if (!http_request_accepts(&t->request, status_of(t)))
		return skip(t, len);
	if (t->body.len + len > max_bytes(t))
		t->cut = HTTP_CUT_BYTES;
	else if (atomic_load(&c->held) + len > c->settings.memory)
		t->cut = HTTP_CUT_MEMORY;
	if (t->cut != HTTP_CUT_NONE)
		return 0;
	buf_put(&t->body, data, len);
	if (buf_failed(&t->body)) {
		t->cut = HTTP_CUT_MEMORY;
		return 0;
	}
	atomic_fetch_add(&c->held, len);
	return len;
}

/* The system's file and folder (or SSL_CERT_FILE, SSL_CERT_DIR), the folder
 * searched by hash when asked. Not X509_STORE_set_default_paths, which would
 * read all of the folder again and again. */
static X509_STORE *
store_new(const char *ca_file)
{
	X509_STORE *store = X509_STORE_new();
	X509_LOOKUP *file, *folder;

	if (store == NULL)
		return NULL;
	file = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	folder = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
	if (file != NULL)
		X509_LOOKUP_load_file(file, NULL, X509_FILETYPE_DEFAULT);
	if (folder != NULL)
		X509_LOOKUP_add_dir(folder, NULL, X509_FILETYPE_DEFAULT);
	if (ca_file != NULL)
		X509_STORE_load_file(store, ca_file);
	ERR_clear_error(); /* there need not be a file */
	return store;
}

/* One store for all transfers. */
static CURLcode
on_ssl(CURL *easy, void *ssl, void *arg)
{
	struct http_client *c = arg;

	(void)easy;
	if (c->store == NULL)
		c->store = store_new(c->settings.ca_file);
	if (c->store == NULL)
		return CURLE_OUT_OF_MEMORY;
	SSL_CTX_set1_cert_store(ssl, c->store);
	return CURLE_OK;
}

/* --- options -------------------------------------------------------------- */

static int
out_of_memory(struct transfer *t)
{
	op_call_fail(t->call, true, "out_of_memory", "Out of memory.");
	return -1;
}

static bool
add_line(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer != NULL)
		*list = longer;
	return longer != NULL;
}

static void
lists_free(struct transfer *t)
{
	curl_slist_free_all(t->headers);
	curl_slist_free_all(t->resolve);
	t->headers = t->resolve = NULL;
}

static bool
lists_make(struct transfer *t, const char *addresses)
{
	const struct http_request *r = &t->request;
	const char *line;

	lists_free(t);
	if (!add_line(&t->headers, "Expect:"))
		return false;
	for (size_t i = 0; i < r->header_count; i++)
		if (!add_line(&t->headers, r->headers[i].line))
			return false;
	if (addresses == NULL)
		return true;
	line =
	    mem_printf(&t->call->mem, "+%s:%s:%s", r->host, r->port, addresses);
	return line != NULL && add_line(&t->resolve, line);
}

/* Where it may go, and that nothing else has a say in it. */
static void
set_route(struct transfer *t)
{
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_URL, t->request.url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(e, CURLOPT_RESOLVE, t->resolve);
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

static void
set_tls(struct transfer *t)
{
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_ssl);
	curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, t->client);
}

static void
set_request(struct transfer *t)
{
	const struct http_request *r = &t->request;
	bool head = strcmp(r->method, "HEAD") == 0;
	bool sends = r->body != NULL || r->method[0] == 'P';
	CURL *e = t->easy;

	if (sends) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(
		    e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
		curl_easy_setopt(
		    e, CURLOPT_POSTFIELDS, r->body != NULL ? r->body : "");
		if (r->body == NULL) /* curl would name one */
			add_line(&t->headers, "Content-Type:");
	}
	curl_easy_setopt(e, CURLOPT_NOBODY, head ? 1L : 0L);
	if (!head)
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
	if (r->user != NULL) {
		curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(e, CURLOPT_USERNAME, r->user);
	}
	if (r->password != NULL)
		curl_easy_setopt(e, CURLOPT_PASSWORD, r->password);
	curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING, "");
	if (!head)
		curl_easy_setopt(
		    e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)max_bytes(t));
}

static void
set_answer(struct transfer *t)
{
	CURL *e = t->easy;

	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
}

int
transfer_setup(struct transfer *t, const char *addresses)
{
	if (t->easy == NULL)
		t->easy = curl_easy_init();
	else
		curl_easy_reset(t->easy);
	if (t->easy == NULL || !lists_make(t, addresses))
		return out_of_memory(t);
	buf_reset(&t->head);
	t->cut = HTTP_CUT_NONE;
	t->skipped = 0;
	t->refused = t->opened = false;
	set_route(t);
	set_tls(t);
	set_request(t);
	set_answer(t);
	return 0;
}

void
transfer_clear(struct transfer *t)
{
	if (t->easy != NULL)
		curl_easy_cleanup(t->easy);
	t->easy = NULL;
	lists_free(t);
	release_body(t);
	buf_free(&t->head);
}

/* --- success -------------------------------------------------------------- */

/* Long ones are parsed on a compute thread. */
static void
succeed(struct transfer *t, long status)
{
	struct op_call *call = t->call;
	struct http_answer *a = mem_alloc(&call->mem, sizeof(*a));
	char *head = mem_strndup(
	    &call->mem, t->head.data != NULL ? t->head.data : "", t->head.len);

	if (a == NULL || head == NULL) {
		out_of_memory(t);
		return;
	}
	*a = (struct http_answer){.status = status,
	    .head = head,
	    .head_len = t->head.len,
	    .limit = t->client->settings.result_bytes,
	    .held = &t->client->held};
	if (t->body.len > 0)
		a->body = buf_take(&t->body, &a->body_len);
	call->rest = a;
	if (a->body_len <= INLINE_BYTES)
		http_answer_result(call);
}

/* --- failures ------------------------------------------------------------- */

static void
fail_tls(struct transfer *t)
{
	long verified = X509_V_OK;
	bool known;

	curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &verified);
	known = verified != X509_V_OK && verified != X509_V_ERR_UNSPECIFIED;
	op_call_fail(t->call, false, "certificate_refused",
	    "The certificate of %s was refused: %s.", t->request.host,
	    known ? X509_verify_cert_error_string(verified)
		  : "it is for another name");
}

static void
fail_transport(struct transfer *t, CURLcode rc)
{
	struct op_call *call = t->call;
	const char *host = t->request.host;

	if (rc == CURLE_PEER_FAILED_VERIFICATION)
		fail_tls(t);
	else if (rc == CURLE_OUT_OF_MEMORY)
		out_of_memory(t);
	else if (t->refused && !t->opened)
		op_call_fail(call, false, "address_refused",
		    "%s is at a private address; the organization's setting "
		    "allow_private_addresses is not true.",
		    host);
	else if (rc == CURLE_OPERATION_TIMEDOUT)
		op_call_fail(call, true, "connect_timeout",
		    "There was no connection to %s within %ld s.", host,
		    CONNECT_MS / 1000);
	else if (rc == CURLE_COULDNT_CONNECT)
		op_call_fail(call, true, "connect_failed",
		    "There is no connection to %s port %s.", host,
		    t->request.port);
	else
		op_call_fail(call, true, "http_failed",
		    "The request to %s failed: %s.", host,
		    curl_easy_strerror(rc));
}

static void
fail_cut(struct transfer *t)
{
	if (t->cut == HTTP_CUT_MEMORY)
		op_call_fail(t->call, true, "out_of_memory",
		    "All answers under way need more memory than there is.");
	else if (t->cut == HTTP_CUT_HEAD)
		op_call_fail(t->call, false, "response_too_large",
		    "The head of the answer of %s has more than %d lines or "
		    "%d bytes.",
		    t->request.host, HTTP_HEAD_LINES, HEAD_BYTES);
	else
		op_call_fail(t->call, false, "response_too_large",
		    "The answer of %s has more than %zu bytes.",
		    t->request.host, max_bytes(t));
}

static void
fail_status(struct transfer *t, long status)
{
	op_call_fail(t->call, status >= 500 || status == 429, "http_status",
	    "%s answered with status %ld.", t->request.host, status);
}

static enum http_step
follow(struct transfer *t, long status)
{
	struct err e = {0};
	char *url = NULL;

	curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &url);
	if (t->hops >= t->request.redirects)
		op_call_fail(t->call, false, "too_many_redirects",
		    "There were more than %u redirects, the last one by %s.",
		    t->request.redirects, t->request.host);
	else if (url == NULL || http_request_redirect(&t->request,
				    &t->call->mem, status, url, &e) != 0)
		op_call_fail(t->call, false, "bad_redirect",
		    "%s redirects to what is no URL of http or https.",
		    t->request.host);
	else {
		t->hops++;
		release_body(t);
		return HTTP_STEP_FOLLOW;
	}
	return HTTP_STEP_ENDED;
}

enum http_step
transfer_conclude(struct transfer *t, CURLcode rc)
{
	long status = status_of(t);
	bool whole = rc == CURLE_OK;

	/* Where we ended it ourselves there is a status to speak of. */
	if (!whole && t->cut == HTTP_CUT_NONE && rc == CURLE_FILESIZE_EXCEEDED)
		t->cut = HTTP_CUT_BYTES;
	if (!whole && t->cut == HTTP_CUT_NONE) {
		fail_transport(t, rc);
	} else if (t->cut == HTTP_CUT_HEAD) {
		fail_cut(t);
	} else if (http_request_accepts(&t->request, status)) {
		if (whole)
			succeed(t, status);
		else
			fail_cut(t);
	} else if (is_redirect(status) && t->request.redirects > 0) {
		return follow(t, status);
	} else {
		fail_status(t, status);
	}
	return HTTP_STEP_ENDED;
}
