/* host_request.c - requests to the host, and the inbox for its answers. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "exec/exec.h"
#include "exec/host_request.h"

/* Where answers come in, from any thread; outlives its driver. */
struct host_inbox {
	pthread_mutex_t lock;
	int fd;
	bool closed;
	unsigned owners;
	struct host_request *head;
};

/* --- the inbox ------------------------------------------------------------ */

struct host_inbox *
host_inbox_new(void)
{
	struct host_inbox *b = mem_heap(sizeof(*b));

	if (b == NULL)
		return NULL;
	*b = (struct host_inbox){.owners = 1};
	pthread_mutex_init(&b->lock, NULL);
	b->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (b->fd >= 0)
		return b;
	free(b);
	return NULL;
}

void
host_inbox_release(struct host_inbox *b)
{
	bool last;

	pthread_mutex_lock(&b->lock);
	last = --b->owners == 0;
	pthread_mutex_unlock(&b->lock);
	if (!last)
		return;
	close(b->fd);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

int
host_inbox_fd(const struct host_inbox *b)
{
	return b->fd;
}

struct host_request *
host_inbox_take(struct host_inbox *b, bool close)
{
	struct host_request *r, *first = NULL;

	pthread_mutex_lock(&b->lock);
	r = b->head;
	b->head = NULL;
	b->closed = b->closed || close;
	pthread_mutex_unlock(&b->lock);
	while (r != NULL) { /* the newest is on top */
		struct host_request *next = r->next;

		r->next = first;
		first = r;
		r = next;
	}
	return first;
}

/* --- requests ------------------------------------------------------------- */

void
host_hold(struct host_request *r)
{
	atomic_fetch_add(&r->owners, 1);
}

void
host_release(struct host_request *r)
{
	if (atomic_fetch_sub(&r->owners, 1) != 1)
		return;
	host_inbox_release(r->inbox);
	free(r->text);
	free(r);
}

static char *
copy(const char *text, size_t len)
{
	char *c = mem_heap(len + 1);

	if (c == NULL)
		return NULL;
	memcpy(c, text, len);
	c[len] = '\0';
	return c;
}

/* The first answer counts, while anybody looks for it. text becomes the
 * request's. */
static void
say(struct host_request *r, enum host_outcome outcome, char *text, size_t len)
{
	struct host_inbox *b = r->inbox;
	uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&b->lock);
	if (b->closed || r->answered) {
		pthread_mutex_unlock(&b->lock);
		free(text);
		return;
	}
	r->answered = true;
	r->outcome = outcome;
	r->text = text;
	r->text_len = len;
	host_hold(r);
	first = b->head == NULL;
	r->next = b->head;
	b->head = r;
	while (first && write(b->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_mutex_unlock(&b->lock);
}

void
host_answer(struct host_request *r, const char *result, size_t len)
{
	if (result == NULL)
		say(r, HOST_RESULT, copy("", 0), 0);
	else
		say(r, HOST_RESULT, copy(result, len), len);
}

void
host_fail(
    struct host_request *r, bool retryable, const char *code, const char *why)
{
	size_t len = strlen(why);

	if (!r->answered) {
		r->retryable = retryable;
		r->code = code;
	}
	say(r, HOST_FAILED, copy(why, len), len);
}

void
host_overdue(struct host_request *r)
{
	say(r, HOST_OVERDUE, NULL, 0);
}

/* One block: the request and its texts, all ended by NUL. */
struct host_request *
host_request_new(const struct op_call *call, const struct host_params *p,
    struct host_inbox *inbox)
{
	const char *node = plan_node_name(call->scope.plan, call->node);
	size_t name_len = strlen(p->name) + 1, node_len = strlen(node) + 1;
	struct host_request *r;
	struct buf context;
	char *texts;

	buf_create(&context, 0);
	if (p->context != NULL)
		json_write_canonical(&context, p->context);
	else
		buf_puts(&context, "{}");
	r = buf_failed(&context)
		? NULL
		: mem_heap(sizeof(*r) + name_len + node_len + context.len + 1);
	if (r == NULL) {
		buf_free(&context);
		return NULL;
	}
	texts = (char *)(r + 1);
	memcpy(texts, p->name, name_len);
	memcpy(texts + name_len, node, node_len);
	memcpy(texts + name_len + node_len, context.data, context.len + 1);
	*r = (struct host_request){.kind = p->kind,
	    .execution = call->scope.execution,
	    .organization = call->scope.organization,
	    .node = call->node,
	    .element =
		call->part == CALL_ELEMENT ? call->element : ELEMENT_NONE,
	    .priority = call->priority,
	    .attempt = call->attempt,
	    .allowed = call->scope.allowed,
	    .name = texts,
	    .node_name = texts + name_len,
	    .context = texts + name_len + node_len,
	    .context_len = context.len,
	    .until_us = INT64_MAX,
	    .inbox = inbox};
	buf_free(&context);
	atomic_store(&r->owners, 1);
	pthread_mutex_lock(&inbox->lock);
	inbox->owners++;
	pthread_mutex_unlock(&inbox->lock);
	return r;
}
