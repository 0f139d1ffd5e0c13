/* secret_value.c - values, their encoded forms, sets of them. */
#include "exec/secret_value.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/guard.h"

/* --- forms --- */

struct forms { /* where a form's bytes and borders go */
	struct secret_value *v;
	char *text;
	uint32_t *fail;
};

static void
borders(struct needle *n, uint32_t *fail)
{
	uint32_t k = 0;

	fail[0] = 0;
	for (uint32_t i = 1; i < n->len; i++) {
		while (k > 0 && n->text[i] != n->text[k])
			k = fail[k - 1];
		k += n->text[i] == n->text[k];
		fail[i] = k;
	}
	n->fail = fail;
}

/* The len bytes at f->text become a needle. */
static void
needle_add(struct forms *f, uint32_t len, struct needle kind)
{
	struct needle *n = &f->v->needles[f->v->needle_count];

	if (len < SECRET_REDACT_MIN)
		return;
	*n = kind;
	n->text = f->text;
	n->len = len;
	borders(n, f->fail);
	f->v->needle_count++;
	f->text += len;
	f->fail += len;
}

/* What base64 makes of the value behind `before` other bytes (mod 3), without
 * the characters that other bytes have a part in. */
static void
base64_add(struct forms *f, uint32_t before)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *s = (const unsigned char *)f->v->text;
	uint64_t bits = (uint64_t)f->v->len * 8;
	uint64_t at = (6 - before * 8 % 6) % 6;
	struct needle kind = {.base64 = true, .before = at != 0};
	uint32_t len = 0;

	for (; at + 6 <= bits; at += 6) {
		unsigned word = (unsigned)s[at / 8] << 8;

		if (at / 8 + 1 < f->v->len)
			word |= s[at / 8 + 1];
		f->text[len++] = digits[word >> (10 - at % 8) & 63];
	}
	kind.after = at < bits;
	needle_add(f, len, kind);
}

/* A value that is an object or array may come out as JSON writes it. */
static void
json_add(struct forms *f)
{
	const struct json *json;
	struct mem m;
	struct buf b;

	if (f->v->text[0] != '{' && f->v->text[0] != '[')
		return;
	mem_create(&m, 0);
	mem_guard(&m);
	buf_create(&b, f->v->len);
	b.wipe = true;
	if (json_parse(&m, f->v->text, f->v->len, NULL, &json, NULL) == 0) {
		json_write(&b, json);
		if (!buf_failed(&b) &&
		    (b.len != f->v->len ||
			memcmp(b.data, f->v->text, b.len) != 0)) {
			memcpy(f->text, b.data, b.len);
			needle_add(f, (uint32_t)b.len, (struct needle){0});
		}
	}
	buf_free(&b);
	mem_destroy(&m);
}

/* --- values --- */

/* Bytes of all forms together, at most. */
static size_t
forms_size(size_t len)
{
	return 2 * len + 3 * (len * 4 / 3 + 4);
}

struct secret_value *
secret_value_new(const struct uuid *organization, const char *name,
    enum secret_state state, const char *text, size_t len)
{
	size_t bytes = state == SECRET_KNOWN ? forms_size(len) : 0;
	size_t size =
	    sizeof(struct secret_value) + bytes * (sizeof(uint32_t) + 1);
	struct secret_value *v = guard_alloc(size);
	struct forms f;

	if (v == NULL)
		return NULL;
	v->refs = 1;
	v->state = state;
	v->mapped = size;
	v->organization = *organization;
	strncpy(v->name, name, SECRET_NAME_MAX);
	if (state != SECRET_KNOWN)
		return v;
	f = (struct forms){.v = v, .fail = (uint32_t *)(void *)(v + 1)};
	f.text = (char *)(f.fail + bytes);
	v->text = memcpy(f.text, text, len);
	v->len = (uint32_t)len;
	if (len < SECRET_REDACT_MIN)
		return v;
	needle_add(&f, v->len, (struct needle){0});
	json_add(&f);
	for (uint32_t before = 0; before < 3; before++)
		base64_add(&f, before);
	return v;
}

struct secret_value *
secret_value_ref(struct secret_value *v)
{
	v->refs++;
	return v;
}

void
secret_value_unref(struct secret_value *v)
{
	if (v != NULL && --v->refs == 0)
		guard_free(v, v->mapped);
}

bool
secret_value_equal(const struct secret_value *a, const struct secret_value *b)
{
	return a == b || (a->state == b->state && a->len == b->len &&
			     strcmp(a->name, b->name) == 0 &&
			     (a->len == 0 ||
				 CRYPTO_memcmp(a->text, b->text, a->len) == 0));
}

/* --- sets --- */

struct secret_set *
secret_set_ref(struct secret_set *s)
{
	if (s != NULL)
		s->refs++;
	return s;
}

void
secret_set_unref(struct secret_set *s)
{
	while (s != NULL && --s->refs == 0) {
		struct secret_set *older = s->older;

		for (uint32_t i = 0; i < s->count; i++)
			secret_value_unref(s->values[i]);
		free(s);
		s = older;
	}
}

const struct secret_value *
secret_set_find(const struct secret_set *s, const char *name, size_t len)
{
	for (uint32_t i = 0; s != NULL && i < s->count; i++)
		if (strlen(s->values[i]->name) == len &&
		    memcmp(s->values[i]->name, name, len) == 0)
			return s->values[i];
	return NULL;
}
