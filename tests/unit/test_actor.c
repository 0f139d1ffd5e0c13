/* test_actor - who acts, as the database is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../modules/web/actor.c"

static struct actor
somebody(void)
{
	struct actor a;

	memset(&a, 0, sizeof(a));
	memset(&a.organization, 0x11, sizeof(a.organization));
	memset(&a.user, 0x22, sizeof(a.user));
	memset(&a.token, 0x33, sizeof(a.token));
	return a;
}

static void
actor_is_organization_user_role_credential_address(void **state)
{
	struct actor a = somebody();
	char text[ACTOR_TEXT];

	(void)state;
	assert_string_equal(actor_text(&a, "192.0.2.1", text),
	    "11111111-1111-1111-1111-111111111111 "
	    "22222222-2222-2222-2222-222222222222 user "
	    "33333333-3333-3333-3333-333333333333 192.0.2.1");
	a.admin = true;
	assert_non_null(strstr(actor_text(&a, "::1", text), " admin "));
}

static void
nobody_has_an_address_only(void **state)
{
	char text[ACTOR_TEXT];

	(void)state;
	assert_string_equal(actor_text(NULL, "::1", text), "    ::1");
	assert_string_equal(actor_text(NULL, "", text), "    ");
}

static void
too_long_an_address_is_cut(void **state)
{
	struct actor a = somebody();
	char text[ACTOR_TEXT], address[512];

	(void)state;
	a.admin = true;
	memset(address, 'f', sizeof(address) - 1);
	address[sizeof(address) - 1] = '\0';
	actor_text(&a, address, text);
	assert_true(strlen(text) < ACTOR_TEXT);
	assert_int_equal(strlen(strrchr(text, ' ') + 1), 63);
}

static void
organization_alone_is_its_id(void **state)
{
	struct actor a = somebody();
	char text[ACTOR_TEXT];

	(void)state;
	assert_string_equal(actor_organization_text(&a.organization, text),
	    "11111111-1111-1111-1111-111111111111");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		actor_is_organization_user_role_credential_address),
	    cmocka_unit_test(nobody_has_an_address_only),
	    cmocka_unit_test(too_long_an_address_is_cut),
	    cmocka_unit_test(organization_alone_is_its_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
