/* http_client.h - inside exec: what the files of the http driver share:
 *
 *   http_driver.c     transfers in turns, events
 *   http_pool.c       an organization's curl
 *   http_hosts.c      addresses of hosts
 *   http_transfer.c   one request with curl, and its outcome
 */
#ifndef OPEN_EXEC_HTTP_CLIENT_H
#define OPEN_EXEC_HTTP_CLIENT_H

#include <curl/curl.h>
#include <openssl/x509.h>

#include "exec/http.h"
#include "exec/http_request.h"
#include "exec/names.h"
#include "exec/timer.h"

#define HTTP_HOSTS 1024 /* lists, by hash */

enum http_timer {
	HTTP_TIMER_TRANSFER, /* its time is over */
	HTTP_TIMER_POOL	     /* curl wants to be called */
};

enum http_stage {
	HTTP_WAITING, /* for its turn */
	HTTP_NAMING,  /* for its host's addresses */
	HTTP_RUNNING  /* in curl */
};

enum http_cut { /* why we ended an answer in its midst */
	HTTP_CUT_NONE,
	HTTP_CUT_BYTES,	 /* too large */
	HTTP_CUT_MEMORY, /* all answers together are */
	HTTP_CUT_HEAD,	 /* too many headers */
	HTTP_CUT_STATUS	 /* not wanted anyway */
};

struct pool;
struct name;

struct transfer {
	struct timer timer;
	enum http_stage stage;
	struct http_client *client;
	struct pool *pool;
	struct op_call *call;
	struct http_request request;
	struct transfer *next, *prev; /* in the pool's queue, or the name's */
	struct name *name;
	unsigned hops; /* redirects followed */

	CURL *easy;
	struct curl_slist *headers, *resolve;
	struct buf head, body;
	unsigned head_lines;
	size_t skipped; /* bytes of an answer that nobody wants */
	enum http_cut cut;
	bool refused, opened; /* addresses */
};

struct pool {
	struct timer timer;
	uint32_t index;
	struct uuid organization;
	unsigned allowed;
	struct http_client *client;
	CURLM *multi;
	unsigned active; /* transfers that have their turn */
	struct transfer *queue, *queue_last;
	struct pool *waiting_next; /* pools with a queue, in turns */
	bool waiting;
	bool idle;
	struct pool *idle_prev, *idle_next;
	int64_t idle_until;
};

struct http_client {
	struct http_settings settings;
	io_done done;
	void *ctx;
	int fd; /* epoll */
	struct timers timers;
	struct pool **pools; /* by index; NULL: free */
	uint32_t pool_cap, idle_count;
	struct pool *waiting, **waiting_end;
	struct pool *idle, *idle_last; /* the longest idle first */
	struct names *names;
	/* What is looked up, or was a while ago. */
	struct name *hosts[HTTP_HOSTS];
	unsigned host_count;
	unsigned active;
	_Atomic size_t held; /* bytes of answers under way or being parsed */
	X509_STORE *store;
};

enum http_step {
	HTTP_STEP_ENDED, /* the outcome is filled */
	HTTP_STEP_FOLLOW /* the request is that of a redirect now */
};

/* http_driver.c */
/* Into curl. addresses: of the host, NULL where it is an address itself. */
void transfer_run(struct transfer *, const char *addresses);
/* Out of everything, and back to the arena; its outcome is filled. */
void transfer_finish(struct transfer *);

/* http_pool.c */
/* The pool of a run's organization; NULL: out of memory. */
struct pool *pool_get(struct http_client *, const struct scope *);
/* A transfer left it: it may be idle now, and the longest idle one go. */
void pool_rest(struct pool *);
void pool_free(struct pool *); /* it has no transfers */

/* http_hosts.c */
enum host_answer {
	HOST_KNOWN,
	HOST_ASKED, /* transfer_run or transfer_finish follows */
	HOST_REFUSED
};
enum host_answer host_find(struct transfer *, const char **addresses);
void host_leave(struct transfer *); /* it waits no more */
void hosts_take(struct http_client *);
void hosts_free(struct http_client *);

static inline void
transfer_list_add(struct transfer **list, struct transfer *t)
{
	t->prev = NULL;
	t->next = *list;
	if (*list != NULL)
		(*list)->prev = t;
	*list = t;
}
static inline void
transfer_list_remove(struct transfer **list, struct transfer *t)
{
	if (t->next != NULL)
		t->next->prev = t->prev;
	if (t->prev != NULL)
		t->prev->next = t->next;
	else
		*list = t->next;
	t->next = t->prev = NULL;
}

/* http_transfer.c */
/* The easy handle for the request's next hop; -1: outcome filled. addresses:
 * of the host, NULL where it is an address itself. */
int transfer_setup(struct transfer *, const char *addresses);
/* curl is done with it. */
enum http_step transfer_conclude(struct transfer *, CURLcode);
/* Frees what curl and answers hold. */
void transfer_clear(struct transfer *);

#endif
