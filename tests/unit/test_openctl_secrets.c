/* test_openctl_secrets - passwords as they are stored. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../tools/openctl/password.c"

static const char good[] = "correct horse battery";

static const char *
why_refused(const char *password, size_t len)
{
	static struct err err;

	err_clear(&err);
	return password_check(password, len, &err) == 0 ? NULL : err.code;
}

static void
a_password_has_twelve_characters_not_bytes(void **state)
{
	(void)state;
	assert_null(why_refused("123456789012", 12));
	assert_null(why_refused("éééééééééééé", 24));
	assert_string_equal(
	    why_refused("12345678901", 11), "password_too_short");
	assert_string_equal(why_refused("éééééé", 12), "password_too_short");
	assert_string_equal(why_refused("", 0), "password_too_short");
}

static void
a_password_is_text_of_limited_length(void **state)
{
	static char big[PASSWORD_MAX + 1];

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_null(why_refused(big, PASSWORD_MAX));
	assert_string_equal(
	    why_refused(big, PASSWORD_MAX + 1), "password_too_long");
	assert_string_equal(why_refused("12345678901\xff", 12), "invalid_utf8");
	assert_string_equal(
	    why_refused("123456\000789012", 13), "invalid_utf8");
}

static void
a_hashed_password_verifies_and_another_does_not(void **state)
{
	char stored[PASSWORD_HASH], again[PASSWORD_HASH];
	size_t len = strlen(good);
	struct err err;

	(void)state;
	assert_int_equal(password_hash(good, len, stored, &err), 0);
	assert_int_equal(password_hash(good, len, again, &err), 0);
	assert_string_not_equal(stored, again);
	assert_int_equal(strncmp(stored, "$scrypt$ln=15,r=8,p=3$", 22), 0);
	assert_true(password_verify(good, len, stored));
	assert_true(password_verify(good, len, again));
	assert_false(password_verify(good, len - 1, stored));
	assert_false(password_verify("", 0, stored));
}

/* RFC 7914's last but one vector has another salt length; this one was made
 * with another implementation (node's) and cheaper parameters. */
static void
a_stored_form_with_other_parameters_verifies(void **state)
{
	(void)state;
	assert_true(password_verify("pleaseletmein", 13,
	    "$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"
	    "aQWrBdLJrbGXrDwoGLimz8LtQU7l+XRn++Sx19Z/80Y"));
}

static void
a_damaged_stored_form_never_verifies(void **state)
{
	static const char *const bad[] = {"", "x", "$scrypt$",
	    "$scrypt$ln=15,r=8,p=3$", "$scrypt$ln=15,r=8,p=3$AAAA$BBBB",
	    "$scrypt$ln=99,r=8,p=3$MDEyMzQ1Njc4OWFiY2RlZg$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "$scrypt$ln=0,r=8,p=3$MDEyMzQ1Njc4OWFiY2RlZg$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "$scrypt$ln=4,r=8,p=1$MDEyMzQ1Njc4OWFiY2R!Zg$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "$argon2id$v=19$m=1,t=1,p=1$AAAA$BBBB"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(password_verify(good, strlen(good), bad[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_password_has_twelve_characters_not_bytes),
	    cmocka_unit_test(a_password_is_text_of_limited_length),
	    cmocka_unit_test(a_hashed_password_verifies_and_another_does_not),
	    cmocka_unit_test(a_stored_form_with_other_parameters_verifies),
	    cmocka_unit_test(a_damaged_stored_form_never_verifies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
