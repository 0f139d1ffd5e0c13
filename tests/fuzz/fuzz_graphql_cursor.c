/* fuzz_graphql_cursor.c - any text is a cursor whose values are of the order's
 * types, or none; what is made of values gives them back.
 *
 * Input: the number of keys, their types, whether the rest is the cursor itself
 * or what is in it.
 */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "graphql/cursor.h"

#define cursor_value rest_cursor_value
#include "web/resource_cursor.c"
#undef cursor_value

static bool
number(const char *s)
{
	char *end;

	strtod(s, &end);
	return *end == '\0' && strpbrk(s, "0123456789") != NULL &&
	       strpbrk(s, "eExXnN") == NULL;
}

static bool
of_type(enum field_type type, const char *s)
{
	struct uuid id;
	int64_t n;

	switch (type) {
	case FIELD_UUID:
		return uuid_parse(s, strlen(s), &id);
	case FIELD_INTEGER:
		errno = 0;
		strtoll(s, NULL, 10);
		return number(s) && strchr(s, '.') == NULL && errno == 0;
	case FIELD_NUMBER:
		return number(s);
	case FIELD_BOOLEAN:
		return strcmp(s, "t") == 0 || strcmp(s, "f") == 0;
	case FIELD_TIME:
		return time_parse(s, strlen(s), &n);
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_JSON:
	case FIELD_LIST:
	case FIELD_VALUE:
		break;
	}
	return utf8_valid(s, strlen(s)) == strlen(s);
}

static void
judge(struct mem *m, const struct plan_page *page, const char *text)
{
	const char *value;

	for (unsigned i = 0; i < page->key_count; i++) {
		bool good = cursor_value(m, page, text, i, &value);

		MUST(good || value == NULL);
		MUST(value == NULL || of_type(page->keys[i].type, value));
	}
}

/* A text and a null of a row. */
static void
there_and_back(struct mem *m, const uint8_t *data, size_t size)
{
	struct plan_page page = {.key_count = 2, .order = 7};
	struct wire cells[2] = {{data, (int32_t)size}, {NULL, -1}};
	const char *text, *value;
	bool sound = memchr(data, 0, size) == NULL &&
		     utf8_valid((const char *)data, size) == size;

	page.keys[0] = (struct plan_key){FIELD_TEXT, "text", 0};
	page.keys[1] = (struct plan_key){FIELD_TIME, "timestamptz", 1};
	text = cursor_make(m, &page, cells);
	MUST(text != NULL);
	MUST(cursor_value(m, &page, text, 0, &value) == sound);
	MUST(!sound ||
	     (strlen(value) == size && memcmp(value, data, size) == 0));
	MUST(cursor_value(m, &page, text, 1, &value) && value == NULL);
	page.order = 8;
	MUST(!cursor_value(m, &page, text, 0, &value));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum field_type types[] = {FIELD_UUID, FIELD_INTEGER,
	    FIELD_NUMBER, FIELD_BOOLEAN, FIELD_TIME, FIELD_TEXT, FIELD_ENUM};
	struct plan_page page = {.order = 0x01234567};
	struct mem m;
	char *text;

	if (size < 6 || size > CURSOR_TEXT_MAX / 2)
		return 0;
	mem_create(&m, 0);
	page.key_count = 1 + data[0] % 4;
	for (unsigned i = 0; i < 4; i++)
		page.keys[i].type = types[data[1 + i] % 7];
	if (data[5] & 1) {
		text = mem_strndup(&m, (const char *)data + 6, size - 6);
	} else {
		char *inner = mem_alloc(&m, size + 2);

		memcpy(inner, "01234567", 8);
		memcpy(inner + 8, data + 6, size - 6);
		text = base64_encode(&m, inner, size + 2);
	}
	judge(&m, &page, text);
	there_and_back(&m, data + 6, size - 6);
	mem_destroy(&m);
	return 0;
}
