/* io.h - ops that wait for sockets: what their drivers look like to an arena,
 * and the drivers that an arena has.
 *
 * Driver:   one instance per class and arena, made when the first call of its
 *           class starts. It owns its sockets (an epoll descriptor stands for
 *           all of them) and its timers; a waiting call holds no thread.
 * Threads:  everything here on the arena's thread.
 * Calls:    start takes a prepared call; done follows once, maybe before start
 *           or stop return, and must only take note of it. What would take
 *           long on this thread is left in call->rest.
 */
#ifndef OPEN_EXEC_IO_H
#define OPEN_EXEC_IO_H

#include <poll.h>

#include "exec/op_call.h"

struct exec_settings;
typedef void (*io_done)(void *ctx, struct op_call *);

struct io_class {
	/* NULL and e: it can't be had. settings live as long as the driver. */
	void *(*create)(const struct exec_settings *settings, io_done done,
	    void *ctx, struct err *e);
	int (*fd)(const void *driver); /* readable: call ready */
	/* CLOCK_MONOTONIC; then too; INT64_MAX: never */
	int64_t (*due_ns)(const void *driver);
	void (*ready)(void *driver); /* bounded work, never blocks */
	void (*start)(void *driver, struct op_call *);
	/* Sets call->stop and ends it; done with OUTCOME_CANCELLED. */
	void (*stop)(void *driver, struct op_call *);
	void (*destroy)(void *driver); /* stops what still runs */
};

#define IO_MAX 8 /* classes of ops */

struct io_set {
	unsigned count;
	struct {
		const struct io_class *class;
		void *driver;
	} list[IO_MAX];
};

/* The set's driver of the class, made where there is none. NULL and e. */
void *io_driver(struct io_set *, const struct io_class *class,
    const struct exec_settings *, io_done done, void *ctx, struct err *e);
int64_t io_due_ns(const struct io_set *);
/* Fills at most IO_MAX entries; how many. */
nfds_t io_poll(const struct io_set *, struct pollfd *fds);
/* fds: as io_poll filled them and poll answered. */
void io_ready(
    struct io_set *, const struct pollfd *fds, nfds_t count, int64_t now_ns);
void io_destroy(struct io_set *);

#endif
