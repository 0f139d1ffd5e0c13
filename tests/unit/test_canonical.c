/* test_canonical.c - a document's one form, and YAML that reads back to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "document_support.h"

/* Canonical form ---------------------------------------------------------- */

static void
documents_that_mean_the_same_have_one_canonical_form(void **state)
{
	const char *expected =
	    "{\"nodes\":[{\"name\":\"b\"},{\"dependencies\":[\"b\",\"c\"],"
	    "\"name\":\"a\",\"op\":\"delay\",\"retry\":{\"limit\":2,"
	    "\"on\":[\"a_b\",\"timeout\"]},"
	    "\"timeout\":\"90s\",\"with\":{\"duration\":\"1500ms\"}},"
	    "{\"name\":\"c\",\"op\":\"mix\",\"with\":{\"any\":"
	    "{\"a\":1,\"b\":[1,null]},\"count\":3}}],\"timeout\":\"1h\"}";

	(void)state;
	assert_string_equal(
	    canonical(
		yaml("name: x\ndescription: not in it\ntimeout: 60m\nnodes:\n"
		     "  - {name: b, op: noop, trigger: all_success, with: {}}\n"
		     "  - name: a\n"
		     "    with: {duration: 1.5s}\n"
		     "    timeout: 1.5m\n"
		     "    retry: {limit: 2, factor: 2.0, backoff: 1000ms, "
		     "max: 300s, jitter: 0, on: [timeout, a_b]}\n"
		     "    op: delay\n"
		     "    dependencies: [c, b]\n"
		     "  - {op: mix, name: c, retry: {limit: 0, backoff: 5s}, "
		     "with: {count: 3.0, any: {b: [1.0, ~], a: 1}}}\n")),
	    expected);
	assert_string_equal(canonical(json(expected)), expected);
}

static void
retry_on_counts_also_where_nothing_is_retried(void **state)
{
	const char *expected = "{\"nodes\":[{\"name\":\"a\","
			       "\"retry\":{\"limit\":0,\"on\":[\"x\"]}}]}";

	(void)state;
	assert_string_equal(canonical(yaml("name: x\nnodes:\n  - name: a\n"
					   "    retry: {limit: 0, on: [x], "
					   "backoff: 5s, jitter: 1}\n")),
	    expected);
	assert_string_equal(canonical(json(expected)), expected);
}

static void
durability_is_part_of_the_form_unless_it_is_the_default(void **state)
{
	(void)state;
	assert_string_equal(
	    canonical(yaml("name: x\ndurability: batch\nnodes: [{name: a}]\n")),
	    "{\"nodes\":[{\"name\":\"a\"}]}");
	for (int i = 0; i < DURABILITY_COUNT; i++) {
		char text[100];
		struct document *d;

		snprintf(text, sizeof(text),
		    "{\"durability\":\"%s\",\"nodes\":[{\"name\":\"a\"}]}",
		    durability_names[i]);
		d = json(text);
		assert_int_equal(d->durability, i);
		if (i != DURABILITY_BATCH)
			assert_string_equal(canonical(d), text);
	}
}

static void
priority_is_part_of_the_form_unless_it_is_the_default(void **state)
{
	static const int given[] = {PRIORITY_MIN, -7, 0, 1, PRIORITY_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		char text[100];
		struct document *d;

		snprintf(text, sizeof(text),
		    "{\"nodes\":[{\"name\":\"a\"}],\"priority\":%d}", given[i]);
		d = json(text);
		assert_int_equal(d->priority, given[i]);
		assert_string_equal(canonical(d),
		    given[i] != 0 ? text : "{\"nodes\":[{\"name\":\"a\"}]}");
	}
}

static void
canonical_forms_have_the_known_hash(void **state)
{
	const char *text = "{\"nodes\":[{\"name\":\"a\"}]}";
	uint8_t hash[SHA256_SIZE], other[SHA256_SIZE];

	(void)state;
	assert_int_equal(document_hash("", 0, hash), 0);
	assert_memory_equal(hash, "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14", 8);
	assert_int_equal(document_hash(text, strlen(text), hash), 0);
	assert_int_equal(document_hash(text, strlen(text) - 1, other), 0);
	assert_memory_not_equal(hash, other, SHA256_SIZE);
}

/* Export ------------------------------------------------------------------ */

static const char *const odd_strings[] = {"", "yes", "No", "1.0", "0x1f",
    "null", "~", "true", "${{ x }}", "$${{ x }}", "a: b", "a #b", "# a", "- a",
    "-", "? a", "*a", "&a", "!a", "%a", "@a", "`a", "'a'", "\"a\"", "a\\b",
    "a\nb", "a\nb\n", "a\nb\n\n", "\na", " a", "a ", "\ta", "a\tb\nc\t\n",
    "a\n  b\n c\n", "a\n\n\nb", "a\n \n", "a\n  ", "a\r\nb", "a\x01z", "a\x7fz",
    "\xc2\x85", "a\xc2\x85z\n", "\xe2\x80\xa8", "\xef\xbb\xbfx", "\xef\xbf\xbf",
    "\xc3\xa9t\xc3\xa9", "\xf0\x9f\x98\x80\n\xf0\x9f\x98\x80", "[a]", "{a}",
    "a, b", "a]", "|", ">", "...", "---", "--- a\nb", "=", "<<", "2024-01-01",
    "12:30", "1_000", "+1", ".5", ".inf", "NaN", "word", "two words",
    "a.b/c-d (e)+f", "\n", "\n\n", "x\n\n", "#\n#\n"};
#define ODD_STRINGS (sizeof(odd_strings) / sizeof(odd_strings[0]))

static const char *
to_yaml(const char *name, const char *description, const char *definition)
{
	const struct json *v;
	struct buf b;
	struct err e;
	char *copy;

	assert_int_equal(
	    json_parse(&m, definition, strlen(definition), NULL, &v, &e), 0);
	buf_create(&b, 0);
	document_to_yaml(name, description, v, &b);
	assert_false(buf_failed(&b));
	copy = mem_strdup(&m, b.data);
	buf_free(&b);
	return copy;
}

static void
export_reads_well(void **state)
{
	const char *text = "name: nightly-etl\n"
			   "description: \"Load yesterday's orders\"\n"
			   "timeout: \"10m\"\n"
			   "durability: sync\n"
			   "priority: -5\n"
			   "nodes:\n"
			   "  - name: extract\n"
			   "    op: command\n"
			   "    with:\n"
			   "      argv: [ls, \"-l\", \"${{ context.dir }}\"]\n"
			   "    retry:\n"
			   "      backoff: \"500ms\"\n"
			   "      jitter: 0.2\n"
			   "      limit: 3\n"
			   "      \"on\": [http_status, timeout]\n"
			   "  - name: transform\n"
			   "    dependencies: [extract]\n"
			   "    when: \"nodes.extract.result > 0\"\n"
			   "    op: lua\n"
			   "    with:\n"
			   "      input:\n"
			   "        - - 1\n"
			   "          - []\n"
			   "        - \"1\": {}\n"
			   "          b: |-\n"
			   "            two\n"
			   "              lines\n"
			   "      script: |\n"
			   "        local sum = 0\n"
			   "\n"
			   "        return sum\n";
	const struct document *d = yaml(text);
	const char *definition = canonical(d);

	(void)state;
	assert_string_equal(to_yaml(d->name, d->description, definition), text);
}

/* A random value out of odd strings. */
static void
random_value(struct buf *b, int depth)
{
	int kind = rand() % (depth > 0 ? 9 : 7), n = rand() % 5;

	if (kind < 3) {
		const char *s = odd_strings[(size_t)rand() % ODD_STRINGS];

		json_write_string(b, s, strlen(s));
	} else if (kind == 3) {
		buf_printf(b, "%d", rand() - RAND_MAX / 2);
	} else if (kind == 4) {
		json_write_number(b, (rand() - RAND_MAX / 2) / 1e4);
	} else if (kind == 5) {
		buf_puts(b, rand() % 2 ? "true" : "null");
	} else if (kind == 6) {
		/* a long string with odd ones in it */
		struct buf s;

		buf_create(&s, 0);
		for (int i = 0; i < 30; i++)
			buf_puts(&s, odd_strings[(size_t)rand() % ODD_STRINGS]);
		json_write_string(b, s.data, s.len);
		buf_free(&s);
	} else if (kind == 7) {
		buf_putc(b, '[');
		for (int i = 0; i < n; i++) {
			buf_puts(b, i > 0 ? "," : "");
			random_value(b, depth - 1);
		}
		buf_putc(b, ']');
	} else {
		buf_putc(b, '{');
		for (int i = 0; i < n; i++) {
			const char *s =
			    odd_strings[(size_t)rand() % ODD_STRINGS];
			char key[1500];

			/* unique by its end, and sometimes very long */
			snprintf(key, sizeof(key), "%s%0*d", s,
			    rand() % 8 == 0 ? 1200 : 1, i);
			buf_puts(b, i > 0 ? "," : "");
			json_write_string(b, key, strlen(key));
			buf_putc(b, ':');
			random_value(b, depth - 1);
		}
		buf_putc(b, '}');
	}
}

/* "${{ x }}" in odd strings is an expression, "${{" of two joined ones may
 * not be: what validation refuses is not exported either. */
static struct document *
random_document(int depth)
{
	int n = 1 + rand() % 6;
	struct document *d;
	struct buf b;

	buf_create(&b, 0);
	buf_puts(&b, "{\"nodes\":[");
	for (int i = 0; i < n; i++) {
		buf_printf(&b, "%s{\"name\":\"n %d#\",\"dependencies\":[",
		    i > 0 ? "," : "", i);
		for (int k = 0, any = 0; k < i; k++)
			if (rand() % 2)
				buf_printf(
				    &b, "%s\"n %d#\"", any++ > 0 ? "," : "", k);
		buf_printf(&b,
		    "],\"op\":\"mix\",\"trigger\":\"%s\",\"timeout\":\"%dms\","
		    "\"retry\":{\"limit\":%d,\"backoff\":\"%d.5s\",\"on\":[%s]}"
		    ","
		    "\"when\":\"context.x == %d\",\"with\":{\"any\":",
		    rand() % 2 ? "all_done" : "any_failed", 1 + rand(),
		    rand() % 3, rand() % 400,
		    rand() % 2 ? "\"timeout\"" : "\"off\",\"interrupted\"",
		    rand());
		random_value(&b, depth);
		buf_puts(&b, "}}");
	}
	buf_puts(&b, "]}");
	d = json(b.data);
	buf_free(&b);
	return d;
}

static void
exported_documents_read_back_to_the_same_form(void **state)
{
	int done = 0;

	(void)state;
	srand(11);
	for (int i = 0; i < 3000; i++) {
		struct document *d =
		    random_document(i % 50 == 0 ? 14 : 1 + i % 5);
		const char *before, *text, *name, *description;
		struct document *again;

		if (d == NULL)
			continue;
		name = i % 2 ? "yes" : "1.0";
		description = odd_strings[(size_t)i % ODD_STRINGS];
		before = canonical(d);
		text = to_yaml(name, description, before);
		again = yaml(text);
		if (again == NULL)
			fail_msg("%u:%u %s in:\n%s", faults.list[0].line,
			    faults.list[0].column, faults.list[0].message,
			    text);
		assert_string_equal(canonical(again), before);
		assert_string_equal(again->name, name);
		assert_string_equal(again->description, description);
		done++;
		mem_reset(&m);
	}
	assert_true(done > 2000);
}

static void
each_odd_string_survives_export(void **state)
{
	(void)state;
	for (size_t i = 0; i < ODD_STRINGS; i++) {
		const char *before;
		struct document *d;
		struct buf b;

		buf_create(&b, 0);
		buf_puts(&b, "{\"nodes\":[{\"name\":\"a\",\"op\":\"mix\","
			     "\"with\":{\"any\":{");
		json_write_string(&b, odd_strings[i], strlen(odd_strings[i]));
		buf_puts(&b, ":[");
		json_write_string(&b, odd_strings[i], strlen(odd_strings[i]));
		buf_puts(&b, "],\"k k\":");
		json_write_string(&b, odd_strings[i], strlen(odd_strings[i]));
		buf_puts(&b, "}}}]}");
		before = canonical(json(b.data));
		d = yaml(to_yaml("x", "", before));
		assert_string_equal(canonical(d), before);
		buf_free(&b);
	}
}

static const char every_feature[] =
    "name: x\n"
    "timeout: 1h\n"
    "durability: memory\n"
    "nodes:\n"
    "  - name: a\n"
    "  - {name: b, dependencies: [a], when: nodes.a.status == 'success'}\n"
    "  - name: c\n"
    "    dependencies: [b]\n"
    "    op: command\n"
    "    when: nodes.a.result.x\n"
    "    with: {argv: [ls, '${{ nodes.a.result }}', 'x${{ 1 + 1 }}']}\n"
    "    retry: {limit: 1}\n"
    "  - name: d\n"
    "    dependencies: [c]\n"
    "    op: lua\n"
    "    with: {script: 'return nodes.b.result', input: {a: [1.5, ~]}}\n";

static void
export_fails_cleanly_without_memory(void **state)
{
	const char *definition = canonical(yaml(every_feature));
	const struct json *v;
	struct err e;

	(void)state;
	assert_int_equal(
	    json_parse(&m, definition, strlen(definition), NULL, &v, &e), 0);
	for (long n = 0;; n++) {
		struct buf b;
		bool failed;

		buf_create(&b, 0);
		mem_fail_after(n);
		document_to_yaml("x", "y", v, &b);
		mem_fail_after(-1);
		failed = buf_failed(&b);
		buf_free(&b);
		if (!failed)
			break;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		documents_that_mean_the_same_have_one_canonical_form),
	    cmocka_unit_test(retry_on_counts_also_where_nothing_is_retried),
	    cmocka_unit_test(
		durability_is_part_of_the_form_unless_it_is_the_default),
	    cmocka_unit_test(
		priority_is_part_of_the_form_unless_it_is_the_default),
	    cmocka_unit_test(canonical_forms_have_the_known_hash),
	    cmocka_unit_test(export_reads_well),
	    cmocka_unit_test(exported_documents_read_back_to_the_same_form),
	    cmocka_unit_test(each_odd_string_survives_export),
	    cmocka_unit_test(export_fails_cleanly_without_memory),
	};

	return cmocka_run_group_tests_name("canonical", tests, setup, teardown);
}
