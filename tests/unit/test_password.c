/* test_password - passwords as they are stored. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../modules/web/password.c"

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
	assert_null(why_refused("jk3456789012", 12));
	assert_null(why_refused("éàüöäñçèêîôû", 24));
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
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)('a' + i % 26);
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

static void
what_everybody_tries_first_is_no_password(void **state)
{
	static const char *const common[] = {"password1234", "Password123!",
	    "P@ssw0rd2024", "p455w0rd!!!!", "passwordpassword", "qwertyuiop123",
	    "1q2w3e4r5t6y", "1qaz2wsx3edc", "iloveyou2024", "WelcomeAdmin1",
	    "admin@123456", "letmein letmein", "aaaaaaaaaaaa", "abababababab",
	    "123456789012", "987654321098", "abcdefghijkl", "123123123123",
	    "!@#$!@#$!@#$", "2024-Summer-01", "dragonmonkey7",
	    "Passw0rd!Passw0rd!"};

	(void)state;
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		assert_string_equal(why_refused(common[i], strlen(common[i])),
		    "password_too_common");
}

static void
words_that_are_not_on_the_list_may_hold_some_that_are(void **state)
{
	static const char *const fine[] = {"correct horse battery staple",
	    "my password is a riddle", "Vj8#kq2!Lm0z", "fünfzehn Wölfe",
	    "tr0ub4dor&3xyz"};

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		assert_null(why_refused(fine[i], strlen(fine[i])));
}

static void
nobody_has_a_password_that_takes_as_much_to_refuse(void **state)
{
	struct cost c;

	(void)state;
	assert_false(password_verify(good, strlen(good), NULL));
	assert_false(password_verify("", 0, NULL));
	assert_non_null(read_cost(NOBODY, &c));
	assert_memory_equal(&c, &today, sizeof(c));
	assert_int_equal(strlen(NOBODY), 22 + 22 + 1 + 43);
}

static void
one_stored_at_a_lower_cost_is_known(void **state)
{
	(void)state;
	assert_false(password_is_weak(NOBODY));
	assert_true(password_is_weak("$scrypt$ln=14,r=8,p=3$A$A"));
	assert_true(password_is_weak("$scrypt$ln=15,r=8,p=2$A$A"));
	assert_false(password_is_weak("$scrypt$ln=16,r=8,p=3$A$A"));
	assert_true(password_is_weak("x"));
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
	    cmocka_unit_test(what_everybody_tries_first_is_no_password),
	    cmocka_unit_test(
		words_that_are_not_on_the_list_may_hold_some_that_are),
	    cmocka_unit_test(
		nobody_has_a_password_that_takes_as_much_to_refuse),
	    cmocka_unit_test(one_stored_at_a_lower_cost_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
