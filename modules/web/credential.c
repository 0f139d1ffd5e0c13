/* credential.c - tokens: random base62 with a sum at the end, and scopes. */

#include "web/credential.h"

#include <ctype.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "base/hash.h"

#define HEAD	   7 /* open_t_ */
#define RANDOM	   43
#define SUM	   6
#define RANDOM_MAX 248 /* bytes from here on would favour the first digits */

static const char digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const char *const scope_names[] = {"read", "execute", "write", "admin", NULL};

static void
sum_write(const char *text, char sum[SUM])
{
	uint32_t crc = hash_crc32c(0, text, HEAD + RANDOM);
	int i;

	for (i = SUM - 1; i >= 0; i--, crc /= 62)
		sum[i] = digits[crc % 62];
}

static int
random_write(char *out, size_t len)
{
	unsigned char random[64];
	size_t n = 0, i;

	while (n < len) {
		if (RAND_bytes(random, sizeof(random)) != 1)
			return -1;
		for (i = 0; i < sizeof(random) && n < len; i++)
			if (random[i] < RANDOM_MAX)
				out[n++] = digits[random[i] % 62];
	}
	OPENSSL_cleanse(random, sizeof(random));
	return 0;
}

int
credential_new(
    enum credential_kind kind, char text[CREDENTIAL_TEXT], struct err *e)
{
	memcpy(text, "open_?_", HEAD);
	text[HEAD - 2] = (char)kind;
	if (random_write(text + HEAD, RANDOM) != 0)
		return err_set(e, "internal", "no random bytes can be had");
	sum_write(text, text + HEAD + RANDOM);
	text[CREDENTIAL_LEN] = '\0';
	return 0;
}

static bool
is_old(const char *text, size_t len)
{
	size_t i;

	if (len != CREDENTIAL_OLD_LEN || memcmp(text, "open_", 5) != 0)
		return false;
	for (i = 5; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-' &&
		    text[i] != '_')
			return false;
	return true;
}

bool
credential_is_formed(const char *text, size_t len, const char *kinds)
{
	char sum[SUM];
	size_t i;

	if (strchr(kinds, CREDENTIAL_TOKEN) != NULL && is_old(text, len))
		return true;
	if (len != CREDENTIAL_LEN || memcmp(text, "open_", 5) != 0 ||
	    text[5] == '\0' || strchr(kinds, text[5]) == NULL || text[6] != '_')
		return false;
	for (i = HEAD; i < len; i++)
		if (!isalnum((unsigned char)text[i]))
			return false;
	sum_write(text, sum);
	return memcmp(sum, text + HEAD + RANDOM, SUM) == 0;
}

void
credential_hash(const char *text, size_t len, uint8_t hash[CREDENTIAL_HASH])
{
	SHA256((const unsigned char *)text, len, hash);
}

unsigned
scope_named(const char *name, size_t len)
{
	unsigned i;

	for (i = 0; scope_names[i] != NULL; i++)
		if (strlen(scope_names[i]) == len &&
		    memcmp(scope_names[i], name, len) == 0)
			return 1u << i;
	return 0;
}

size_t
scopes_list(unsigned scopes, const char *out[4])
{
	size_t n = 0;
	unsigned i;

	for (i = 0; scope_names[i] != NULL; i++)
		if (scopes & 1u << i)
			out[n++] = scope_names[i];
	return n;
}
