/* runner_address.c - see the header. */
#include "exec/runner_address.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
runner_address(struct runner_address *a, const char *path)
{
	const char *name = strrchr(path, '/');
	char folder[PATH_MAX];
	int n;

	memset(a, 0, sizeof(*a));
	a->folder = -1;
	a->sun.sun_family = AF_UNIX;
	if (strlen(path) < sizeof(a->sun.sun_path)) {
		memcpy(a->sun.sun_path, path, strlen(path));
		return 0;
	}
	if (name == NULL || (size_t)(name - path) >= sizeof(folder))
		return errno = ENAMETOOLONG, -1;
	memcpy(folder, path, (size_t)(name - path));
	folder[name - path] = '\0';
	a->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (a->folder < 0)
		return -1;
	n = snprintf(a->sun.sun_path, sizeof(a->sun.sun_path),
	    "/proc/self/fd/%d%s", a->folder, name);
	if (n > 0 && (size_t)n < sizeof(a->sun.sun_path))
		return 0;
	runner_address_close(a);
	return errno = ENAMETOOLONG, -1;
}

void
runner_address_close(struct runner_address *a)
{
	if (a->folder >= 0)
		close(a->folder);
	a->folder = -1;
}
