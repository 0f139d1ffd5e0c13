/* host_request.h - what host.c and host_request.c share: making requests, and the
 * inbox that their answers come to.
 *
 * Owner:    an inbox is its driver's and its requests': it outlives the driver,
 *           closed, until the host has let go of the last request.
 * Threads:  the driver's; answers come in on any.
 */
#ifndef OPEN_EXEC_HOST_REQUEST_H
#define OPEN_EXEC_HOST_REQUEST_H

#include "exec/host_params.h"
#include "exec/op_call.h"

/* NULL: out of memory or descriptors. */
struct host_inbox *host_inbox_new(void);
void host_inbox_release(struct host_inbox *);
/* Readable: there are answers. */
int host_inbox_fd(const struct host_inbox *);
/* The answers since, the oldest first; each is the caller's to release. close:
 * later ones are thrown away. */
struct host_request *host_inbox_take(struct host_inbox *, bool close);

/* One, the caller's; NULL: out of memory. */
struct host_request *host_request_new(
    const struct op_call *, const struct host_params *, struct host_inbox *);

#endif
