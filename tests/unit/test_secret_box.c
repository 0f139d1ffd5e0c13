/* test_secret_box.c - secrets at rest: keys, sealing, rotation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "web/secret_box.c"

#define VALUE "the value"
#define SIZE  (sizeof(VALUE) - 1)

static char folder[] = "/tmp/open-test-XXXXXX";
static char path[64];
static struct config config;
static const struct uuid ours = {{1, 2, 3}}, theirs = {{1, 2, 4}};

static void
file_put(const char *text, mode_t mode)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static struct secret_ring
ring_of(const char *text)
{
	struct secret_ring ring;
	struct err e = {0};

	file_put(text, 0600);
	if (secret_ring_load(&config, &ring, &e) != 0)
		fail_msg("%s", e.message);
	return ring;
}

#define KEY_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_A_HEX                                                              \
	"000102030405060708090A0B0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA="

static void
seal(const struct secret_ring *ring, uint8_t sealed[SIZE + SECRET_OVERHEAD])
{
	assert_int_equal(
	    secret_seal(ring, &ours, "NAME", VALUE, SIZE, sealed, NULL), 0);
}

static int
unseal(const struct secret_ring *ring, const struct uuid *organization,
    const char *name, const char *id, const uint8_t *sealed, size_t len,
    struct err *e)
{
	char value[64] = "";
	size_t value_len = 0;
	int rc = secret_open(
	    ring, organization, name, id, sealed, len, value, &value_len, e);

	if (rc == 0) {
		assert_int_equal(value_len, SIZE);
		assert_memory_equal(value, VALUE, SIZE);
	} else {
		assert_null(memmem(value, sizeof(value), VALUE, SIZE));
	}
	return rc;
}

static void
a_value_comes_back_and_never_looks_the_same(void **state)
{
	struct secret_ring ring = ring_of(KEY_A "\n");
	uint8_t one[SIZE + SECRET_OVERHEAD], two[SIZE + SECRET_OVERHEAD];
	struct err e = {0};

	(void)state;
	seal(&ring, one);
	seal(&ring, two);
	assert_memory_not_equal(one, two, sizeof(one));
	assert_null(memmem(one, sizeof(one), VALUE, 4));
	assert_int_equal(
	    unseal(&ring, &ours, "NAME", ring.keys[0].id, one, sizeof(one), &e),
	    0);
}

static void
every_changed_byte_is_noticed(void **state)
{
	struct secret_ring ring = ring_of(KEY_A "\n");
	uint8_t sealed[SIZE + SECRET_OVERHEAD];
	struct err e = {0};

	(void)state;
	seal(&ring, sealed);
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 0x10;
		assert_int_equal(unseal(&ring, &ours, "NAME", ring.keys[0].id,
				     sealed, sizeof(sealed), &e),
		    -1);
		assert_string_equal(e.code, "secret_corrupted");
		sealed[i] ^= 0x10;
	}
	for (size_t len = 0; len < sizeof(sealed); len++)
		assert_int_equal(unseal(&ring, &ours, "NAME", ring.keys[0].id,
				     sealed, len, &e),
		    -1);
}

static void
a_value_belongs_to_its_organization_and_name(void **state)
{
	struct secret_ring ring = ring_of(KEY_A "\n");
	uint8_t sealed[SIZE + SECRET_OVERHEAD];
	const char *id = ring.keys[0].id;
	struct err e = {0};

	(void)state;
	seal(&ring, sealed);
	assert_int_equal(
	    unseal(&ring, &theirs, "NAME", id, sealed, sizeof(sealed), &e), -1);
	assert_string_equal(e.code, "secret_corrupted");
	assert_int_equal(
	    unseal(&ring, &ours, "NAM", id, sealed, sizeof(sealed), &e), -1);
	assert_int_equal(
	    unseal(&ring, &ours, "OTHER", id, sealed, sizeof(sealed), &e), -1);
	assert_int_equal(
	    unseal(&ring, &ours, "NAME", id, sealed, sizeof(sealed), &e), 0);
}

static void
old_keys_open_and_the_newest_seals(void **state)
{
	struct secret_ring old = ring_of("# one\n\n" KEY_A "\n");
	struct secret_ring both = ring_of(KEY_B " # new\n  " KEY_A "\r\n");
	struct secret_ring fresh = ring_of(KEY_B);
	uint8_t sealed[SIZE + SECRET_OVERHEAD];
	struct err e = {0};

	(void)state;
	assert_int_equal(both.count, 2);
	assert_string_equal(both.keys[1].id, old.keys[0].id);
	seal(&old, sealed);
	assert_int_equal(unseal(&both, &ours, "NAME", old.keys[0].id, sealed,
			     sizeof(sealed), &e),
	    0);
	assert_int_equal(unseal(&fresh, &ours, "NAME", old.keys[0].id, sealed,
			     sizeof(sealed), &e),
	    -1);
	assert_string_equal(e.code, "secret_key_missing");
	seal(&both, sealed);
	assert_int_equal(unseal(&fresh, &ours, "NAME", both.keys[0].id, sealed,
			     sizeof(sealed), &e),
	    0);
	assert_int_equal(unseal(&fresh, &ours, "NAME", old.keys[0].id, sealed,
			     sizeof(sealed), &e),
	    -1);
}

static void
a_key_has_one_id_however_it_is_written(void **state)
{
	struct secret_ring a = ring_of(KEY_A), b = ring_of(KEY_A_HEX "\n");
	struct secret_ring twice = ring_of(KEY_A "\n" KEY_A_HEX "\n");

	(void)state;
	assert_string_equal(a.keys[0].id, b.keys[0].id);
	assert_int_equal(strlen(a.keys[0].id), SECRET_KEY_ID);
	assert_int_equal(twice.count, 1);
}

static void
the_setting_comes_before_the_file(void **state)
{
	struct secret_ring ring;
	struct err e = {0};
	char key[] = KEY_B, bad[] = "secret";

	(void)state;
	config.secret_key = key;
	file_put(KEY_A "\n", 0600);
	assert_int_equal(secret_ring_load(&config, &ring, &e), 0);
	assert_int_equal(ring.count, 2);
	assert_int_equal(ring.keys[0].bytes[0], 0xff);
	assert_int_equal(secret_ring_add(&config, &e), -1);
	unlink(path);
	assert_int_equal(secret_ring_create(&config, 0, 0, &e), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(secret_ring_load(&config, &ring, &e), 0);
	assert_int_equal(ring.count, 1);
	config.secret_key = bad;
	assert_int_equal(secret_ring_load(&config, &ring, &e), -1);
	assert_string_equal(e.code, "secret_key_invalid");
	config.secret_key = bad + 6;
}

static void
bad_files_are_refused_by_their_line(void **state)
{
	static const char *const bad[] = {KEY_A "\nnonsense\n",
	    "\n" KEY_A "x\n", KEY_A "\nAAAA=\n",
	    KEY_A "\n"
		  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh==\n"};
	struct secret_ring ring;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		file_put(bad[i], 0600);
		assert_int_equal(secret_ring_load(&config, &ring, &e), -1);
		assert_string_equal(e.code, "secret_key_invalid");
		assert_non_null(strstr(e.message, "Line 2"));
	}
	file_put("# nothing\n", 0600);
	assert_int_equal(secret_ring_load(&config, &ring, &e), -1);
	assert_string_equal(e.code, "secret_key_missing");
	unlink(path);
	assert_int_equal(secret_ring_load(&config, &ring, &e), -1);
	assert_string_equal(e.code, "secret_key_missing");
}

static void
a_file_that_others_may_read_is_refused(void **state)
{
	struct secret_ring ring;
	struct err e = {0};

	(void)state;
	for (mode_t bit = 1; bit < 0100; bit <<= 1) {
		file_put(KEY_A "\n", 0600 | bit);
		assert_int_equal(secret_ring_load(&config, &ring, &e), -1);
		assert_string_equal(e.code, "secret_key_invalid");
	}
}

static void
the_file_is_made_once_and_grows_at_its_front(void **state)
{
	struct secret_ring first, again, grown;
	struct err e = {0};
	struct stat st;

	(void)state;
	unlink(path);
	assert_int_equal(
	    secret_ring_create(&config, (uid_t)-1, (gid_t)-1, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(secret_ring_load(&config, &first, &e), 0);
	assert_int_equal(
	    secret_ring_create(&config, (uid_t)-1, (gid_t)-1, &e), 0);
	assert_int_equal(secret_ring_load(&config, &again, &e), 0);
	assert_memory_equal(&first, &again, sizeof(first));
	assert_int_equal(secret_ring_add(&config, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(secret_ring_load(&config, &grown, &e), 0);
	assert_int_equal(grown.count, 2);
	assert_memory_equal(
	    &grown.keys[1], &first.keys[0], sizeof(first.keys[0]));
	assert_string_not_equal(grown.keys[0].id, first.keys[0].id);
}

static int
begin(void **state)
{
	static char none[1];

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/keys", folder);
	config.secret_key_file = path;
	config.secret_key = none;
	config.data = folder;
	return 0;
}

static int
end(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_comes_back_and_never_looks_the_same),
	    cmocka_unit_test(every_changed_byte_is_noticed),
	    cmocka_unit_test(a_value_belongs_to_its_organization_and_name),
	    cmocka_unit_test(old_keys_open_and_the_newest_seals),
	    cmocka_unit_test(a_key_has_one_id_however_it_is_written),
	    cmocka_unit_test(the_setting_comes_before_the_file),
	    cmocka_unit_test(bad_files_are_refused_by_their_line),
	    cmocka_unit_test(a_file_that_others_may_read_is_refused),
	    cmocka_unit_test(the_file_is_made_once_and_grows_at_its_front),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
