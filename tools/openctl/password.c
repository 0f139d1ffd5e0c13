/* password.c - scrypt through OpenSSL, and the form in which it is stored. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/utf8.h"
#include "password.h"

#define LOG_N	   15
#define BLOCK	   8
#define PARALLEL   3
#define SALT_SIZE  16
#define HASH_SIZE  32
#define MEMORY_MAX (256u << 20)

struct cost {
	unsigned log_n, r, p;
};

/* Base64 of OpenSSL without its padding; out holds 4 bytes for every 3. */
static void
base64(const unsigned char *bytes, int len, char *out)
{
	EVP_EncodeBlock((unsigned char *)out, bytes, len);
	out[strcspn(out, "=")] = '\0';
}

/* Exactly size bytes; false otherwise. */
static bool
unbase64(const char *text, size_t len, unsigned char *bytes, size_t size)
{
	unsigned char padded[64], decoded[64];

	if (len != (size * 4 + 2) / 3 || len > 48)
		return false;
	memset(padded, '=', sizeof(padded));
	memcpy(padded, text, len);
	if (EVP_DecodeBlock(decoded, padded, (int)((len + 3) / 4 * 4)) < 0)
		return false;
	memcpy(bytes, decoded, size);
	return true;
}

static bool
derive(const char *password, size_t len, const struct cost *c,
    const unsigned char *salt, unsigned char *hash)
{
	return EVP_PBE_scrypt(password, len, salt, SALT_SIZE,
		   UINT64_C(1) << c->log_n, c->r, c->p, MEMORY_MAX, hash,
		   HASH_SIZE) == 1;
}

int
password_check(const char *password, size_t len, struct err *e)
{
	size_t characters = 0, i;

	if (len > PASSWORD_MAX)
		return err_set(e, "password_too_long",
		    "a password has at most %d bytes", PASSWORD_MAX);
	if (memchr(password, '\0', len) != NULL ||
	    utf8_valid(password, len) != len)
		return err_set(
		    e, "invalid_utf8", "the password is not valid UTF-8");
	for (i = 0; i < len; i++)
		characters += ((unsigned char)password[i] & 0xc0) != 0x80;
	if (characters < PASSWORD_MIN)
		return err_set(e, "password_too_short",
		    "a password has at least %d characters", PASSWORD_MIN);
	return 0;
}

int
password_hash(
    const char *password, size_t len, char out[PASSWORD_HASH], struct err *e)
{
	static const struct cost cost = {LOG_N, BLOCK, PARALLEL};
	unsigned char salt[SALT_SIZE], hash[HASH_SIZE];
	char salt_text[64], hash_text[64];

	if (RAND_bytes(salt, sizeof(salt)) != 1 ||
	    !derive(password, len, &cost, salt, hash))
		return err_set(e, "internal", "the password can't be hashed");
	base64(salt, sizeof(salt), salt_text);
	base64(hash, sizeof(hash), hash_text);
	OPENSSL_cleanse(hash, sizeof(hash));
	snprintf(out, PASSWORD_HASH, "$scrypt$ln=%u,r=%u,p=%u$%s$%s",
	    cost.log_n, cost.r, cost.p, salt_text, hash_text);
	return 0;
}

bool
password_verify(const char *password, size_t len, const char *stored)
{
	unsigned char salt[SALT_SIZE], hash[HASH_SIZE], wanted[HASH_SIZE];
	const char *salt_text, *hash_text;
	struct cost c;
	int read = 0;
	bool same;

	if (sscanf(stored, "$scrypt$ln=%2u,r=%2u,p=%2u$%n", &c.log_n, &c.r,
		&c.p, &read) != 3 ||
	    read == 0 || c.log_n < 1 || c.log_n > 24)
		return false;
	salt_text = stored + read;
	hash_text = strchr(salt_text, '$');
	if (hash_text == NULL ||
	    !unbase64(salt_text, (size_t)(hash_text - salt_text), salt,
		sizeof(salt)) ||
	    !unbase64(
		hash_text + 1, strlen(hash_text + 1), wanted, sizeof(wanted)) ||
	    !derive(password, len, &c, salt, hash))
		return false;
	same = CRYPTO_memcmp(hash, wanted, sizeof(hash)) == 0;
	OPENSSL_cleanse(hash, sizeof(hash));
	return same;
}
