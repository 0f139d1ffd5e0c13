/* io.c - the drivers of an arena: made when first needed, polled together. */
#include "exec/io.h"

void *
io_driver(struct io_set *s, const struct io_class *class,
    const struct exec_settings *settings, io_done done, void *ctx,
    struct err *e)
{
	void *driver;

	for (unsigned i = 0; i < s->count; i++)
		if (s->list[i].class == class)
			return s->list[i].driver;
	if (s->count == IO_MAX) {
		err_set(e, "too_many_ops", "There are too many kinds of ops.");
		return NULL;
	}
	driver = class->create(settings, done, ctx, e);
	if (driver == NULL)
		return NULL;
	s->list[s->count].class = class;
	s->list[s->count++].driver = driver;
	return driver;
}

int64_t
io_due_ns(const struct io_set *s)
{
	int64_t due = INT64_MAX;

	for (unsigned i = 0; i < s->count; i++) {
		int64_t other = s->list[i].class->due_ns(s->list[i].driver);

		if (other < due)
			due = other;
	}
	return due;
}

nfds_t
io_poll(const struct io_set *s, struct pollfd *fds)
{
	for (unsigned i = 0; i < s->count; i++)
		fds[i] = (struct pollfd){
		    .fd = s->list[i].class->fd(s->list[i].driver),
		    .events = POLLIN};
	return s->count;
}

void
io_ready(
    struct io_set *s, const struct pollfd *fds, nfds_t count, int64_t now_ns)
{
	for (unsigned i = 0; i < count; i++) {
		const struct io_class *class = s->list[i].class;
		void *driver = s->list[i].driver;

		if (fds[i].revents != 0 || class->due_ns(driver) <= now_ns)
			class->ready(driver);
	}
}

void
io_destroy(struct io_set *s)
{
	while (s->count > 0) {
		s->count--;
		s->list[s->count].class->destroy(s->list[s->count].driver);
	}
}
