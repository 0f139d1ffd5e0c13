/* settings.c - a worker's trees of settings: one place per bucket of
 * organizations, replaced when another version or organization needs it. */

#include "web/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define PLACES 1024

struct settings {
	unsigned holders;
	uint64_t version;
	struct uuid organization;
	struct mem mem;
	const struct json *json;
};

static struct settings *places[PLACES];

void
settings_release(struct settings *s)
{
	if (s == NULL || --s->holders > 0)
		return;
	mem_destroy(&s->mem);
	free(s);
}

const struct json *
settings_json(const struct settings *s)
{
	return s->json;
}

static struct settings *
settings_new(void)
{
	struct settings *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		mem_create(&s->mem, 0);
		s->holders = 1;
	}
	return s;
}

static struct settings *
parse(struct settings *s, const char *text, size_t len)
{
	struct err e;

	err_clear(&e);
	if (json_parse(&s->mem, text, len, NULL, &s->json, &e) == 0)
		return s;
	settings_release(s);
	return NULL;
}

struct settings *
settings_read(const char *text, size_t len)
{
	struct settings *s = settings_new();
	char *copy = s == NULL ? NULL : mem_strndup(&s->mem, text, len);

	if (copy != NULL)
		return parse(s, copy, len);
	settings_release(s);
	return NULL;
}

static struct settings *
load(struct known *k, const struct known_settings *known)
{
	struct settings *s = settings_new();
	char *text = s == NULL ? NULL : mem_alloc(&s->mem, known->len + 1);

	if (text == NULL || !known_settings_text(k, known, text)) {
		settings_release(s);
		return NULL;
	}
	text[known->len] = '\0';
	s->version = known->version;
	s->organization = known->organization;
	return parse(s, text, known->len);
}

struct settings *
settings_get(struct known *k, const struct known_settings *known)
{
	struct settings **place, *s;

	place = &places[hash_sip(hash_process_key(), &known->organization,
			    sizeof(known->organization)) %
			PLACES];
	if (*place == NULL || (*place)->version != known->version ||
	    !uuid_equal(&(*place)->organization, &known->organization)) {
		if ((s = load(k, known)) == NULL)
			return NULL;
		settings_release(*place);
		*place = s;
	}
	(*place)->holders++;
	return *place;
}
