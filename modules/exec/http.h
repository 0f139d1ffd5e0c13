/* http.h - HTTP requests of an arena's nodes, thousands at once on its thread.
 *
 * Driver:    of class http_io, see io.h; made at the first request.
 * Tenants:   an organization's connections, names and TLS sessions are its own
 *            (a curl multi handle each), and it has at most 3/4 of the arena's
 *            transfers; what is beyond waits, in turns with the others'.
 * Addresses: refused by http_address.h unless the run may (ALLOW_PRIVATE_
 *            ADDRESSES), looked at when the socket is made: after name
 *            resolution, for each redirect, and there is never a proxy.
 * Blocking:  nothing does: names are looked up on threads (names.h).
 * Calls:     of the system, besides io.h's: epoll_create1, epoll_ctl, socket of
 *            AF_INET and AF_INET6, connect, sendto, recvfrom, getsockopt,
 *            setsockopt, getsockname, getpeername, fcntl, openat, newfstatat
 *            (certificates, resolv.conf), poll, sendmmsg, recvmsg, getrandom;
 *            socketpair may be refused.
 */
#ifndef OPEN_EXEC_HTTP_H
#define OPEN_EXEC_HTTP_H

#include "exec/io.h"

struct http_settings {
	unsigned concurrency; /* transfers at once per arena; 4,096 */
	size_t result_bytes;  /* largest result, and answer; 1 MiB */
	size_t memory;	     /* of all answers under way in an arena; 256 MiB */
	const char *ca_file; /* trusted besides the system's; NULL: none */
};

extern const struct io_class http_io;

#endif
