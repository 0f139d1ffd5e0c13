/* secret.c - API tokens. */

#include <ctype.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "secret.h"

#define RANDOM_SIZE 32
#define PREFIX_LEN  (sizeof(SECRET_PREFIX) - 1)

int
secret_new(char text[SECRET_TEXT], struct err *e)
{
	unsigned char random[RANDOM_SIZE], base64[64];
	size_t i;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return err_set(e, "internal", "no random bytes can be had");
	EVP_EncodeBlock(base64, random, sizeof(random));
	OPENSSL_cleanse(random, sizeof(random));
	memcpy(text, SECRET_PREFIX, PREFIX_LEN);
	for (i = PREFIX_LEN; i < SECRET_LEN; i++) {
		text[i] = (char)base64[i - PREFIX_LEN];
		if (text[i] == '+')
			text[i] = '-';
		else if (text[i] == '/')
			text[i] = '_';
	}
	text[SECRET_LEN] = '\0';
	OPENSSL_cleanse(base64, sizeof(base64));
	return 0;
}

bool
secret_is_well_formed(const char *text, size_t len)
{
	size_t i;

	if (len != SECRET_LEN || memcmp(text, SECRET_PREFIX, PREFIX_LEN) != 0)
		return false;
	for (i = PREFIX_LEN; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-' &&
		    text[i] != '_')
			return false;
	return true;
}

void
secret_hash(const char *text, size_t len, uint8_t hash[SECRET_HASH])
{
	SHA256((const unsigned char *)text, len, hash);
}
