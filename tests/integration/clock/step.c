/* step.c - a wall clock that a test moves: preloaded, it adds the nanoseconds
 * that the file $STEP_FILE holds (an int64, mapped) to CLOCK_REALTIME. Other
 * clocks go on as they are, as when somebody sets a machine's time. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int (*real_gettime)(clockid_t, struct timespec *);
static const volatile int64_t *step;

static void __attribute__((constructor)) start(void)
{
	const char *path = getenv("STEP_FILE");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	void *p;

	real_gettime = (int (*)(clockid_t, struct timespec *))dlsym(
	    RTLD_NEXT, "clock_gettime");
	if (fd == -1)
		return;
	p = mmap(NULL, sizeof(*step), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		step = p;
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	int64_t ns;
	int rc;

	if (real_gettime == NULL)
		start();
	rc = real_gettime(clock, out);
	if (rc != 0 || step == NULL ||
	    (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
		return rc;
	ns = (int64_t)out->tv_sec * 1000000000 + out->tv_nsec + *step;
	out->tv_sec = ns / 1000000000;
	out->tv_nsec = ns % 1000000000;
	return 0;
}

int
gettimeofday(struct timeval *out, void *zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return -1;
	out->tv_sec = now.tv_sec;
	out->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}
