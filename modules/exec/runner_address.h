/* runner_address.h - a Unix socket's address, also for paths that are too long
 * for one (its folder is then reached through /proc/self/fd). */
#ifndef OPEN_EXEC_RUNNER_ADDRESS_H
#define OPEN_EXEC_RUNNER_ADDRESS_H

#include <sys/un.h>

struct runner_address {
	struct sockaddr_un sun;
	int folder; /* -1: not needed */
};

/* 0, or -1 and errno. */
int runner_address(struct runner_address *, const char *path);
void runner_address_close(struct runner_address *);

#endif
