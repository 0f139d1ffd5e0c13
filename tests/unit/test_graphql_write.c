/* Answers of GraphQL: whose fault a refusal is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graphql/write.h"
#include "web/resource_cursor.c"

/* No statement is asked here: what params.c would want of web/sql.c. */
void
sql_text(struct sql_params *p, const char *s)
{
	(void)p;
	(void)s;
	abort();
}

void
sql_uuid(struct sql_params *p, const struct uuid *id)
{
	(void)p;
	(void)id;
	abort();
}

void
sql_int(struct sql_params *p, int64_t n)
{
	(void)p;
	(void)n;
	abort();
}

void
sql_null(struct sql_params *p)
{
	(void)p;
	abort();
}

void
sql_text_array(struct sql_params *p, const char *const *items, size_t count)
{
	(void)p;
	(void)items;
	(void)count;
	abort();
}

static void
whose_fault_a_refusal_is_decides_its_status(void **state)
{
	static const struct {
		const char *code;
		int fault;
		bool syntax;
	} cases[] = {{"graphql_syntax", 0, true},
	    {"graphql_validation", 0, false}, {"invalid_variable", 0, false},
	    {"internal", 500, false}, {"out_of_memory", 500, false},
	    {"try_again", 503, false}};
	struct gql_place at = {1, 1};
	struct writer w;
	struct mem m;

	(void)state;
	mem_create(&m, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_begin(&w, &m, NULL);
		assert_int_equal(w.fault, 0);
		write_error(&w, at, NULL, cases[i].code, "No.");
		write_refusal(&w);
		assert_int_equal(w.fault, cases[i].fault);
		assert_int_equal(w.syntax, cases[i].syntax);
		buf_free(&w.out);
		buf_free(&w.errors);
	}
	mem_destroy(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whose_fault_a_refusal_is_decides_its_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
