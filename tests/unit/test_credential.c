/* test_credential - tokens: their form, their sum, scopes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../modules/web/credential.c"

static void
a_token_has_its_kind_and_is_never_the_same(void **state)
{
	char text[CREDENTIAL_TEXT], other[CREDENTIAL_TEXT];
	struct err e;
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		assert_int_equal(
		    credential_new(CREDENTIAL_SESSION, text, &e), 0);
		assert_int_equal(strlen(text), CREDENTIAL_LEN);
		assert_memory_equal(text, "open_s_", HEAD);
		assert_true(credential_is_formed(text, CREDENTIAL_LEN, "st"));
		assert_false(credential_is_formed(text, CREDENTIAL_LEN, "t"));
		assert_int_equal(
		    credential_new(CREDENTIAL_TOKEN, other, &e), 0);
		assert_memory_not_equal(text + HEAD, other + HEAD, RANDOM);
	}
}

static void
every_digit_is_used_about_equally(void **state)
{
	unsigned count[128] = {0}, i, n;
	char text[CREDENTIAL_TEXT];
	struct err e;

	(void)state;
	for (n = 0; n < 2000; n++) {
		assert_int_equal(credential_new(CREDENTIAL_TOKEN, text, &e), 0);
		for (i = HEAD; i < HEAD + RANDOM; i++)
			count[(unsigned char)text[i]]++;
	}
	/* 1387 of each, standard deviation 37: 10 of them are never seen. */
	for (i = 0; i < 62; i++)
		assert_in_range(count[(unsigned char)digits[i]], 1017, 1757);
}

static void
one_wrong_or_missing_character_is_noticed(void **state)
{
	char text[CREDENTIAL_TEXT];
	struct err e;
	size_t i;

	(void)state;
	assert_int_equal(credential_new(CREDENTIAL_TOKEN, text, &e), 0);
	assert_false(credential_is_formed(text, CREDENTIAL_LEN - 1, "t"));
	assert_false(credential_is_formed(text, 0, "t"));
	for (i = 0; i < CREDENTIAL_LEN; i++) {
		char was = text[i];

		text[i] = was == 'x' ? 'y' : 'x';
		assert_false(credential_is_formed(text, CREDENTIAL_LEN, "t"));
		text[i] = '\0';
		assert_false(credential_is_formed(text, CREDENTIAL_LEN, "t"));
		text[i] = was;
	}
	assert_true(credential_is_formed(text, CREDENTIAL_LEN, "t"));
}

static void
an_api_token_of_the_old_form_is_still_one(void **state)
{
	static const char old[] =
	    "open_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE";

	(void)state;
	assert_int_equal(strlen(old), CREDENTIAL_OLD_LEN);
	assert_true(credential_is_formed(old, CREDENTIAL_OLD_LEN, "st"));
	assert_false(credential_is_formed(old, CREDENTIAL_OLD_LEN, "s"));
}

static void
a_token_is_stored_as_sha256_of_its_text(void **state)
{
	static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf};
	uint8_t hash[CREDENTIAL_HASH];

	(void)state;
	credential_hash("abc", 3, hash);
	assert_memory_equal(hash, abc, sizeof(abc));
}

static void
scopes_have_names(void **state)
{
	const char *names[4];

	(void)state;
	assert_int_equal(scope_named("read", 4), SCOPE_READ);
	assert_int_equal(scope_named("admin,", 5), SCOPE_ADMIN);
	assert_int_equal(scope_named("rea", 3), 0);
	assert_int_equal(scope_named("", 0), 0);
	assert_int_equal(scopes_list(SCOPE_EXECUTE | SCOPE_ADMIN, names), 2);
	assert_string_equal(names[0], "execute");
	assert_string_equal(names[1], "admin");
	assert_int_equal(scopes_list(SCOPE_ALL, names), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_token_has_its_kind_and_is_never_the_same),
	    cmocka_unit_test(every_digit_is_used_about_equally),
	    cmocka_unit_test(one_wrong_or_missing_character_is_noticed),
	    cmocka_unit_test(an_api_token_of_the_old_form_is_still_one),
	    cmocka_unit_test(a_token_is_stored_as_sha256_of_its_text),
	    cmocka_unit_test(scopes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
