/* mem_fixture.h - a struct mem for each test: cmocka_unit_test_setup_teardown
 * with setup and teardown. */
#ifndef TESTS_MEM_FIXTURE_H
#define TESTS_MEM_FIXTURE_H

#include "base/mem.h"

static struct mem m;

static int
setup(void **state)
{
	(void)state;
	mem_create(&m, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mem_destroy(&m);
	return 0;
}

#endif
