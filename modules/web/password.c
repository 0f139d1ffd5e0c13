/* password.c - scrypt through OpenSSL, and the form in which it is stored. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/utf8.h"
#include "web/password.h"

#include "password_words.h"

#define LOG_N	   15
#define BLOCK	   8
#define PARALLEL   3
#define SALT_SIZE  16
#define HASH_SIZE  32
#define MEMORY_MAX (256u << 20)
#define COMMON_MAX 128 /* bytes: a longer one is not looked through */
#define WORDS	   (sizeof(password_words) / sizeof(password_words[0]))

struct cost {
	unsigned log_n, r, p;
};

static const struct cost today = {LOG_N, BLOCK, PARALLEL};

/* Nobody's: what a password is compared with where there is no user. */
#define NOBODY                                                                 \
	"$scrypt$ln=15,r=8,p=3$AAAAAAAAAAAAAAAAAAAAAA$"                        \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

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

/* --- which are known to everybody ------------------------------------------ */

/* What a sign is often written for; 0: nothing. */
static char
meant(char c)
{
	static const char signs[] = "@4831!057$+9", letters[] = "aabeiioststg";
	const char *at = c == '\0' ? NULL : strchr(signs, c);

	return at == NULL ? '\0' : letters[at - signs];
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
begins_with(const char *text, size_t len, const char *word, size_t word_len)
{
	if (len < word_len)
		return false;
	for (size_t i = 0; i < word_len; i++)
		if (lower(text[i]) != word[i] && meant(text[i]) != word[i] &&
		    !(text[i] == '1' && word[i] == 'l'))
			return false;
	return true;
}

static bool
is_letter(char c)
{
	return (lower(c) >= 'a' && lower(c) <= 'z') ||
	       ((unsigned char)c & 0x80) != 0;
}

/* Whether words of the list, digits and signs are all there is: reached[i] says
 * that the first i bytes are. */
static bool
is_common(const char *text, size_t len)
{
	bool reached[COMMON_MAX + 1] = {true};
	size_t i, w, word_len;

	if (len > COMMON_MAX)
		return false;
	for (i = 0; i < len; i++) {
		if (!reached[i])
			continue;
		if (!is_letter(text[i]))
			reached[i + 1] = true;
		for (w = 0; w < WORDS; w++) {
			word_len = strlen(password_words[w]);
			if (begins_with(
				text + i, len - i, password_words[w], word_len))
				reached[i + word_len] = true;
		}
	}
	return reached[len];
}

/* Fewer than 5 different bytes. */
static bool
is_uniform(const unsigned char *text, size_t len)
{
	bool seen[256] = {false};
	unsigned different = 0;

	for (size_t i = 0; i < len; i++) {
		different += !seen[text[i]];
		seen[text[i]] = true;
	}
	return different < 5;
}

/* abcdefghijkl, 987654321098. */
static bool
is_row(const unsigned char *text, size_t len)
{
	size_t up = 0, down = 0;

	for (size_t i = 1; i < len; i++) {
		up += text[i] == text[i - 1] + 1 ||
		      (text[i] == '0' && text[i - 1] == '9');
		down += text[i] + 1 == text[i - 1] ||
			(text[i] == '9' && text[i - 1] == '0');
	}
	return up + 1 == len || down + 1 == len;
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
	if (is_uniform((const unsigned char *)password, len) ||
	    is_row((const unsigned char *)password, len) ||
	    is_common(password, len))
		return err_set(e, "password_too_common",
		    "a password like this one is tried first by whoever "
		    "guesses; take words that don't belong together");
	return 0;
}

int
password_hash(
    const char *password, size_t len, char out[PASSWORD_HASH], struct err *e)
{
	unsigned char salt[SALT_SIZE], hash[HASH_SIZE];
	char salt_text[64], hash_text[64];

	if (RAND_bytes(salt, sizeof(salt)) != 1 ||
	    !derive(password, len, &today, salt, hash))
		return err_set(e, "internal", "the password can't be hashed");
	base64(salt, sizeof(salt), salt_text);
	base64(hash, sizeof(hash), hash_text);
	OPENSSL_cleanse(hash, sizeof(hash));
	snprintf(out, PASSWORD_HASH, "$scrypt$ln=%u,r=%u,p=%u$%s$%s",
	    today.log_n, today.r, today.p, salt_text, hash_text);
	return 0;
}

/* The parameters at the beginning of a stored form; NULL: not one. */
static const char *
read_cost(const char *stored, struct cost *c)
{
	int read = 0;

	if (sscanf(stored, "$scrypt$ln=%2u,r=%2u,p=%2u$%n", &c->log_n, &c->r,
		&c->p, &read) != 3 ||
	    read == 0 || c->log_n < 1 || c->log_n > 24)
		return NULL;
	return stored + read;
}

bool
password_is_weak(const char *stored)
{
	struct cost c;

	return read_cost(stored, &c) == NULL || c.log_n < today.log_n ||
	       c.r < today.r || c.p < today.p;
}

static bool
verify(const char *password, size_t len, const char *stored)
{
	unsigned char salt[SALT_SIZE], hash[HASH_SIZE], wanted[HASH_SIZE];
	const char *salt_text, *hash_text;
	struct cost c;
	bool same;

	if ((salt_text = read_cost(stored, &c)) == NULL)
		return false;
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

bool
password_verify(const char *password, size_t len, const char *stored)
{
	bool same = verify(password, len, stored != NULL ? stored : NOBODY);

	return same && stored != NULL;
}
