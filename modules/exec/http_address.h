/* http_address.h - which addresses a server's DAGs may reach by themselves. */
#ifndef OPEN_EXEC_HTTP_ADDRESS_H
#define OPEN_EXEC_HTTP_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* True for unicast addresses of the public internet; false for loopback,
 * private, shared, link-local, unique-local, multicast, unspecified, reserved
 * and documentation ranges, for IPv4-mapped and 6to4 addresses, for NAT64 of
 * such IPv4 addresses, and for any other family. */
bool http_address_public(const struct sockaddr *address, socklen_t len);

#endif
