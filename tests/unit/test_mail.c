/* test_mail.c - texts of mails: templates, values from strangers, and what goes
 * over the wire. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../modules/web/mail_message.c"
#include "../../modules/web/mail_template.c"
#include "mem_fixture.h"

static int
parse(const char *text, struct mail_template *t, struct err *e)
{
	err_clear(e);
	return mail_template_parse(&m, text, strlen(text), t, e);
}

static void
template_is_a_subject_an_empty_line_and_a_body(void **state)
{
	struct mail_template t;
	struct err e;

	(void)state;
	assert_int_equal(parse("Subject: A {{b}}\n\nC\nD\n", &t, &e), 0);
	assert_string_equal(t.subject, "A {{b}}");
	assert_string_equal(t.body, "C\nD\n");
}

static void
template_that_is_none_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		uint32_t line;
	} bad[] = {
	    {"", 1},
	    {"Hello\n\nbody", 1},
	    {"Subject: \n\nbody", 1},
	    {"Subject: a", 1},
	    {"Subject: a\nbody", 2},
	    {"Subject: a\n\n", 2},
	    {"Subject: a\n\nb\n{{c", 4},
	    {"Subject: a\n\n{{}}", 3},
	    {"Subject: a\n\n{{A}}", 3},
	    {"Subject: a\n\n{{a }}", 3},
	    {"Subject: a\n\n\xff", 1},
	};
	struct mail_template t;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i].text, &t, &e), -1);
		assert_string_equal(e.code, "invalid_template");
		assert_int_equal(e.line, bad[i].line);
	}
}

/* malloc'd */
static char *
render(const char *text, const char *value)
{
	struct mail_value values[] = {{"other", "x"}, {"v", value}};
	struct buf b;
	struct err e;

	err_clear(&e);
	buf_create(&b, 0);
	assert_int_equal(mail_template_render(text, values, 2, &b, &e), 0);
	return buf_take(&b, NULL);
}

static void
value_stays_in_its_line_and_is_never_a_placeholder(void **state)
{
	static const char *const cases[][2] = {
	    {"a", "[a]"},
	    {"", "[]"},
	    {"a\r\nBcc: b\x01\x7f", "[a  Bcc: b  ]"},
	    {"\xc2\x85\xe2\x80\xa8\xe2\x80\xa9z", "[   z]"},
	    {"\xff"
	     "a\xc3",
		"[?a?]"},
	    {"{{v}}{{other}}", "[{{v}}{{other}}]"},
	    {"\xc3\xbc\xf0\x9f\x99\x82", "[\xc3\xbc\xf0\x9f\x99\x82]"},
	};
	size_t i;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = render("[{{v}}]", cases[i][0]);
		assert_string_equal(text, cases[i][1]);
		free(text);
	}
}

static void
value_is_cut_at_its_limit(void **state)
{
	char long_value[MAIL_VALUE_MAX * 2];
	char *text;

	(void)state;
	memset(long_value, 'a', sizeof(long_value));
	long_value[sizeof(long_value) - 1] = '\0';
	text = render("{{v}}", long_value);
	assert_int_equal(strlen(text), MAIL_VALUE_MAX);
	free(text);
}

static void
placeholder_without_a_value_is_a_failure_that_names_it(void **state)
{
	struct buf b;
	struct err e;

	(void)state;
	err_clear(&e);
	buf_create(&b, 0);
	assert_int_equal(
	    mail_template_render("a {{missing}}", NULL, 0, &b, &e), -1);
	assert_string_equal(e.code, "missing_value");
	assert_non_null(strstr(e.message, "{{missing}}"));
	buf_free(&b);
}

static void
only_plain_addresses_are_addresses(void **state)
{
	static const char *const good[] = {"a@b", "a.b+c@example.test",
	    "o'neil@example.test", "a=b%c@example.test"};
	static const char *const bad[] = {"", "a", "@b", "a@", "a@b@c", "a b@c",
	    "<a@b>", "a@b>", "a,b@c", "a@b\r\n", "\"a\"@b", "-a@b",
	    "\xc3\xbc@b", "a@b;c", "a@[1.2.3.4]", "a\\@b"};
	char long_one[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(mail_address_valid(good[i]));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(mail_address_valid(bad[i]));
	memset(long_one, 'a', sizeof(long_one));
	memcpy(long_one + 250, "@bcde", 6);
	assert_false(mail_address_valid(long_one));
	memcpy(long_one + 250, "@bcd", 5);
	assert_true(mail_address_valid(long_one));
}

static void
sender_is_an_address_with_or_without_a_name(void **state)
{
	static const char *const bad[] = {"", "Open", "Open <a@b> x", "<>",
	    "Open <a@b", "Open <a b@c>", "a@b <a@b>", "O, P <a@b>",
	    "O\r\nBcc: x@y <a@b>"};
	char address[MAIL_ADDRESS_MAX + 1];
	size_t i;

	(void)state;
	assert_true(mail_from_parse("a@b", address));
	assert_string_equal(address, "a@b");
	assert_true(mail_from_parse("Open of X <c@d.test>", address));
	assert_string_equal(address, "c@d.test");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(mail_from_parse(bad[i], address));
}

/* malloc'd */
static char *
message(const char *subject, const char *body)
{
	const struct mail_message mail = {.from = "Open <open@example.test>",
	    .recipient = "a@b",
	    .subject = subject,
	    .body = body,
	    .id = "id",
	    .at_us = INT64_C(1764000000000000)};
	struct buf b;

	buf_create(&b, 0);
	mail_message_write(&mail, &b);
	return buf_take(&b, NULL);
}

static void
message_has_its_headers(void **state)
{
	char *text = message("Hello", "a\n");

	(void)state;
	assert_string_equal(text,
	    "From: Open <open@example.test>\r\nTo: <a@b>\r\n"
	    "Subject: Hello\r\nDate: Mon, 24 Nov 2025 16:00:00 +0000\r\n"
	    "Message-ID: <id@example.test>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n"
	    "Auto-Submitted: auto-generated\r\n\r\na\r\n");
	free(text);
}

static void
subject_beyond_ascii_becomes_short_words_of_whole_characters(void **state)
{
	char subject[181] = "", *text, *line, *end;
	size_t i;

	(void)state;
	for (i = 0; i < 90; i++)
		memcpy(subject + i * 2, "\xc3\xbc", 3);
	text = message(subject, "a");
	assert_non_null(strstr(text, "Subject: =?UTF-8?B?w7zDvM"));
	for (line = text; (end = strstr(line, "\r\n")) != NULL; line = end + 2)
		assert_true(end - line <= 76);
	free(text);
	text = message("=?UTF-8?Q?x?=", "a");
	assert_non_null(
	    strstr(text, "Subject: =?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?=\r\n"));
	free(text);
}

static void
body_is_quoted_printable_in_short_lines(void **state)
{
	char long_line[400], *text, *line, *end;

	(void)state;
	text = message("a", "x=\xc3\xbc \n.\n\nend");
	assert_non_null(
	    strstr(text, "\r\n\r\nx=3D=C3=BC=20\r\n.\r\n\r\nend\r\n"));
	free(text);
	memset(long_line, 'a', sizeof(long_line));
	long_line[sizeof(long_line) - 1] = '\0';
	text = message("a", long_line);
	for (line = text; (end = strstr(line, "\r\n")) != NULL; line = end + 2)
		assert_true(end - line <= 76);
	free(text);
}

static void
running_out_of_memory_fails_cleanly(void **state)
{
	static const struct mail_value values[] = {{"v", "value"}};
	struct mail_template t;
	struct buf b;
	struct err e;
	bool done = false;
	long n;

	(void)state;
	for (n = 0; !done; n++) {
		mem_destroy(&m);
		mem_create(&m, 0);
		buf_create(&b, 0);
		mem_fail_after(n);
		if (parse("Subject: a\n\n{{v}}", &t, &e) != 0 ||
		    mail_template_render(t.body, values, 1, &b, &e) != 0)
			assert_string_equal(e.code, "out_of_memory");
		else
			done = true;
		mem_fail_after(-1);
		buf_free(&b);
	}
	assert_true(n > 2);
}

int
main(void)
{
#define CLAIM(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CLAIM(template_is_a_subject_an_empty_line_and_a_body),
	    CLAIM(template_that_is_none_is_refused_with_its_line),
	    CLAIM(value_stays_in_its_line_and_is_never_a_placeholder),
	    CLAIM(value_is_cut_at_its_limit),
	    CLAIM(placeholder_without_a_value_is_a_failure_that_names_it),
	    CLAIM(only_plain_addresses_are_addresses),
	    CLAIM(sender_is_an_address_with_or_without_a_name),
	    CLAIM(message_has_its_headers),
	    CLAIM(subject_beyond_ascii_becomes_short_words_of_whole_characters),
	    CLAIM(body_is_quoted_printable_in_short_lines),
	    CLAIM(running_out_of_memory_fails_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
