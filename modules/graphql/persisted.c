/* persisted.c - a list of texts, the one that was used last first. */
#include "graphql/persisted.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/sha.h>

#include "base/hex.h"

#define KEPT_BYTES (8u * 1024 * 1024)
#define TEXT_MAX   (256u * 1024)
#define BUCKETS	   1024

struct kept {
	uint8_t hash[SHA256_DIGEST_LENGTH];
	struct kept *next;	    /* of the bucket */
	struct kept *newer, *older; /* by use */
	size_t len;
	char text[];
};

static struct kept *buckets[BUCKETS], *newest, *oldest;
static size_t bytes;

static struct kept **
bucket(const uint8_t *hash)
{
	return &buckets[(hash[0] | hash[1] << 8) % BUCKETS];
}

static void
use_remove(struct kept *k)
{
	if (k->newer != NULL)
		k->newer->older = k->older;
	else
		newest = k->older;
	if (k->older != NULL)
		k->older->newer = k->newer;
	else
		oldest = k->newer;
}

static void
use_add(struct kept *k)
{
	k->newer = NULL;
	k->older = newest;
	if (newest != NULL)
		newest->newer = k;
	else
		oldest = k;
	newest = k;
}

static struct kept *
find(const uint8_t *hash)
{
	struct kept *k = *bucket(hash);

	while (k != NULL && memcmp(k->hash, hash, sizeof(k->hash)) != 0)
		k = k->next;
	if (k != NULL) {
		use_remove(k);
		use_add(k);
	}
	return k;
}

static void
forget_oldest(void)
{
	struct kept *k = oldest, **at = bucket(k->hash);

	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	if ((oldest = k->newer) != NULL)
		oldest->older = NULL;
	else
		newest = NULL;
	bytes -= sizeof(*k) + k->len;
	free(k);
}

static void
keep(const uint8_t *hash, const char *text, size_t len)
{
	struct kept *k;

	if (len > TEXT_MAX || find(hash) != NULL ||
	    (k = malloc(sizeof(*k) + len)) == NULL)
		return;
	while (oldest != NULL && bytes + sizeof(*k) + len > KEPT_BYTES)
		forget_oldest();
	memcpy(k->hash, hash, sizeof(k->hash));
	memcpy(k->text, text, len);
	k->len = len;
	k->next = *bucket(hash);
	*bucket(hash) = k;
	use_add(k);
	bytes += sizeof(*k) + len;
}

void
persisted_free(void)
{
	while (oldest != NULL)
		forget_oldest();
}

/* 64 digits; false: it is none. */
static bool
read_hash(const struct json *v, uint8_t *hash)
{
	if (v == NULL || v->type != JSON_STRING ||
	    v->count != 2 * SHA256_DIGEST_LENGTH)
		return false;
	for (unsigned i = 0; i < SHA256_DIGEST_LENGTH; i++) {
		int high = hex_digit(v->string[2 * i]);
		int low = hex_digit(v->string[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		hash[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

enum flow_next
persisted_find(struct flow *f, struct execution *x)
{
	const struct json *p = x->extensions == NULL
				   ? NULL
				   : json_get(x->extensions, "persistedQuery");
	const struct json *version = p == NULL ? NULL : json_get(p, "version");
	uint8_t hash[SHA256_DIGEST_LENGTH], own[SHA256_DIGEST_LENGTH];
	const struct kept *k;

	if (p == NULL || p->type == JSON_NULL)
		return FLOW_NEXT;
	if (version == NULL || version->type != JSON_INTEGER ||
	    version->integer != 1 ||
	    !read_hash(json_get(p, "sha256Hash"), hash))
		return flow_fail(f, 400, "invalid_request",
		    "`persistedQuery` has a `version`, which is 1, and a "
		    "`sha256Hash` of 64 hexadecimal digits.");
	if (x->text == NULL) {
		if ((k = find(hash)) == NULL) {
			x->hash_given = true;
			memcpy(x->sha256, hash, sizeof(hash));
			return FLOW_NEXT;
		}
		x->len = k->len;
		x->text = mem_strndup(flow_mem(f), k->text, k->len);
		return FLOW_NEXT;
	}
	SHA256((const unsigned char *)x->text, x->len, own);
	if (memcmp(own, hash, sizeof(own)) != 0)
		return flow_fail(f, 400, "invalid_request",
		    "`sha256Hash` is not that of the query.");
	keep(hash, x->text, x->len);
	return FLOW_NEXT;
}
