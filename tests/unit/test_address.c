/* test_address - addresses of e-mail: one form for one person. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../modules/web/address.c"

static const char *
read(const char *text)
{
	static char out[ADDRESS_MAX + 1];
	struct err e;

	err_clear(&e);
	if (address_read(text, strlen(text), out, &e) == 0)
		return out;
	assert_string_equal(e.code, "invalid_email");
	return "refused";
}

static void
an_address_is_compared_in_small_letters(void **state)
{
	(void)state;
	assert_string_equal(
	    read("Ada.Lovelace@Example.ORG"), "ada.lovelace@example.org");
	assert_string_equal(
	    read("o'neil+tag@sub.example.org"), "o'neil+tag@sub.example.org");
	assert_string_equal(read("root@localhost"), "root@localhost");
	assert_string_equal(
	    read("a@xn--bcher-kva.example"), "a@xn--bcher-kva.example");
}

static void
letters_that_only_look_the_same_are_refused(void **state)
{
	static const char *const alike[] = {"аdmin@example.org",
	    "admin@exаmple.org", "ａdmin@example.org", "admın@example.org",
	    "admin@example。org", "admin\u200b@example.org",
	    "\u202eadmin@example.org", "ADMİN@example.org",
	    "ad\u0301min@example.org", "\u212aelvin@example.org"};

	(void)state;
	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++)
		assert_string_equal(read(alike[i]), "refused");
}

static void
what_is_no_address_is_refused(void **state)
{
	static const char *const wrong[] = {"", "@", "a", "a@", "@b", "a@b@c",
	    ".a@b", "a.@b", "a..b@c", "a@.b", "a@b.", "a@b..c", "a@-b", "a@b-",
	    "a@b-.c", "a@b.-c", "a b@c", " a@b", "a@b ", "a@b\n",
	    "a\r\nBcc: x@y@b", "\"a b\"@c", "a@[127.0.0.1]", "a(b)@c", "a@b_c",
	    "<a@b>", "a,b@c", "a@b,c@d", "a\t@b"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_string_equal(read(wrong[i]), "refused");
}

static void
its_parts_have_the_lengths_of_the_standards(void **state)
{
	char text[400], out[ADDRESS_MAX + 1];
	struct err e;
	size_t len;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + 64, "@b.c", 5);
	assert_string_equal(read(text), text);
	memset(text, 'a', sizeof(text));
	memcpy(text + 65, "@b.c", 5);
	assert_string_equal(read(text), "refused");
	memset(text, 'a', sizeof(text));
	memcpy(text, "a@", 2);
	text[65] = '.';
	text[67] = '\0';
	assert_string_equal(read(text), text);
	memset(text, 'a', sizeof(text));
	memcpy(text, "a@", 2);
	text[66] = '.';
	text[68] = '\0';
	assert_string_equal(read(text), "refused");
	memset(text, 'a', sizeof(text));
	memcpy(text, "a@", 2);
	for (len = 10; len < sizeof(text); len += 10)
		text[len] = '.';
	err_clear(&e);
	assert_int_equal(address_read(text, ADDRESS_MAX, out, &e), 0);
	assert_int_equal(address_read(text, ADDRESS_MAX + 1, out, &e), -1);
	assert_int_equal(address_read("a\0b@c", 5, out, &e), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_is_compared_in_small_letters),
	    cmocka_unit_test(letters_that_only_look_the_same_are_refused),
	    cmocka_unit_test(what_is_no_address_is_refused),
	    cmocka_unit_test(its_parts_have_the_lengths_of_the_standards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
