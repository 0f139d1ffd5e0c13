/* guard.c - one mapping per block; the kernel zeroes what is unmapped, the wipe
 * is for copies that the mapping may have in swap or in a snapshot. */
#include "base/guard.h"

#include <string.h>
#include <sys/mman.h>

void *
guard_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* Best effort: old kernels, and RLIMIT_MEMLOCK. */
	(void)madvise(p, size, MADV_DONTDUMP);
	(void)madvise(p, size, MADV_DONTFORK);
	(void)mlock(p, size);
	return p;
}

void
guard_wipe(void *p, size_t size)
{
	if (size > 0)
		explicit_bzero(p, size);
}

void
guard_free(void *p, size_t size)
{
	if (p == NULL)
		return;
	guard_wipe(p, size);
	munmap(p, size);
}
