/* secret_box.c - the ring of keys, and what it seals and opens. */

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include "web/secret_box.h"

#define FORMAT	   1
#define NONCE_SIZE 12
#define TAG_SIZE   16
#define FILE_MAX   16384
#define BASE64_LEN 44
#define HEX_LEN	   64

_Static_assert(SECRET_OVERHEAD == 1 + NONCE_SIZE + TAG_SIZE, "sealed");

/* --- keys ----------------------------------------------------------------- */

static void
key_name(struct secret_key *k)
{
	static const char label[] = "open secret key";
	uint8_t text[sizeof(label) + SECRET_KEY_SIZE], hash[32];
	int i;

	memcpy(text, label, sizeof(label));
	memcpy(text + sizeof(label), k->bytes, SECRET_KEY_SIZE);
	SHA256(text, sizeof(text), hash);
	for (i = 0; i < SECRET_KEY_ID / 2; i++)
		snprintf(k->id + i * 2, 3, "%02x", hash[i]);
	OPENSSL_cleanse(text, sizeof(text));
}

static bool
key_hex(const char *text, uint8_t *bytes)
{
	int i, high, low;

	for (i = 0; i < SECRET_KEY_SIZE; i++) {
		high = OPENSSL_hexchar2int((unsigned char)text[i * 2]);
		low = OPENSSL_hexchar2int((unsigned char)text[i * 2 + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool
key_base64(const char *text, uint8_t *bytes)
{
	unsigned char raw[BASE64_LEN / 4 * 3];
	bool good =
	    text[BASE64_LEN - 1] == '=' && text[BASE64_LEN - 2] != '=' &&
	    EVP_DecodeBlock(raw, (const unsigned char *)text, BASE64_LEN) ==
		(int)sizeof(raw);

	if (good)
		memcpy(bytes, raw, SECRET_KEY_SIZE);
	OPENSSL_cleanse(raw, sizeof(raw));
	return good;
}

/* False: the text is no key, or there are too many. */
static bool
ring_put(struct secret_ring *ring, const char *text, size_t len)
{
	struct secret_key *k = &ring->keys[ring->count];
	unsigned i;

	if (ring->count == SECRET_KEYS_MAX ||
	    !((len == HEX_LEN && key_hex(text, k->bytes)) ||
		(len == BASE64_LEN && key_base64(text, k->bytes))))
		return false;
	key_name(k);
	for (i = 0; i < ring->count; i++)
		if (strcmp(ring->keys[i].id, k->id) == 0)
			return true; /* twice */
	ring->count++;
	return true;
}

void
secret_ring_wipe(struct secret_ring *ring)
{
	OPENSSL_cleanse(ring, sizeof(*ring));
}

/* --- the file ------------------------------------------------------------- */

static void
file_path(const struct config *c, char path[PATH_MAX])
{
	if (c->secret_key_file[0] != '\0')
		snprintf(path, PATH_MAX, "%s", c->secret_key_file);
	else
		snprintf(path, PATH_MAX, "%.4000s/secret-key", c->data);
}

/* Its text; false: e tells, or there is none (errno ENOENT). */
static bool
file_read(const char *path, char text[FILE_MAX], struct err *e)
{
	struct stat st;
	size_t len = 0;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1 || fstat(fd, &st) == -1) {
		int why = errno;

		err_set(e, "secret_key_missing",
		    "The file of secret keys can't be read: %s.",
		    strerror(why));
		if (fd != -1)
			close(fd);
		errno = why;
		return false;
	}
	while (len < FILE_MAX - 1 &&
	       (n = read(fd, text + len, FILE_MAX - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	errno = 0;
	if ((st.st_mode & 077) != 0) {
		err_set(e, "secret_key_invalid",
		    "The file of secret keys may be read by others; its mode "
		    "must be 0600.");
		return false;
	}
	if (n == 0 && len < FILE_MAX - 1)
		return true;
	err_set(e, "secret_key_invalid",
	    "The file of secret keys is too large or can't be read.");
	return false;
}

/* One key a line. */
static int
ring_parse(struct secret_ring *ring, const char *text, struct err *e)
{
	unsigned line = 1;
	size_t len;

	for (; *text != '\0'; line++) {
		text += strspn(text, " \t\r");
		len = strcspn(text, " \t\r\n#");
		if (len > 0 && !ring_put(ring, text, len))
			return err_set(e, "secret_key_invalid",
			    "Line %u of the file of secret keys is no key: "
			    "base64 or hexadecimal of %d bytes (at most %d "
			    "keys).",
			    line, SECRET_KEY_SIZE, SECRET_KEYS_MAX);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return 0;
}

int
secret_ring_load(
    const struct config *c, struct secret_ring *ring, struct err *e)
{
	char path[PATH_MAX], text[FILE_MAX];
	int rc = 0;

	memset(ring, 0, sizeof(*ring));
	if (c->secret_key[0] != '\0' &&
	    !ring_put(ring, c->secret_key, strlen(c->secret_key)))
		return err_set(e, "secret_key_invalid",
		    "secret_key is no key: base64 or hexadecimal of %d bytes.",
		    SECRET_KEY_SIZE);
	file_path(c, path);
	if (file_read(path, text, e))
		rc = ring_parse(ring, text, e);
	else if (ring->count == 0 || errno != ENOENT)
		rc = -1;
	OPENSSL_cleanse(text, sizeof(text));
	if (rc == 0 && ring->count == 0)
		rc = err_set(e, "secret_key_missing",
		    "The file of secret keys holds none.");
	if (rc != 0)
		secret_ring_wipe(ring);
	return rc;
}

/* Writes a new file beside path, with a new key before `rest`. */
static int
file_write(
    const char *path, const char *rest, uid_t owner, gid_t group, struct err *e)
{
	unsigned char key[SECRET_KEY_SIZE], text[BASE64_LEN + 1];
	int fd = -1;
	bool good = RAND_bytes(key, sizeof(key)) == 1;

	if (good) {
		EVP_EncodeBlock(text, key, sizeof(key));
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		good = fd != -1 && fchmod(fd, 0600) == 0 &&
		       (geteuid() != 0 || fchown(fd, owner, group) == 0) &&
		       dprintf(fd, "%s\n%s", text, rest) >= 0 && fsync(fd) == 0;
	}
	if (!good)
		err_set(e, "secret_key_missing",
		    "The file of secret keys can't be written: %s.",
		    strerror(errno));
	if (fd != -1)
		close(fd);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(text, sizeof(text));
	return good ? 0 : -1;
}

/* Made under another name and linked: nobody ever reads half a file, and of
 * two that make it at once one wins. */
int
secret_ring_create(
    const struct config *c, uid_t owner, gid_t group, struct err *e)
{
	char path[PATH_MAX], made[PATH_MAX + 32];
	struct stat st;
	int rc = 0;

	file_path(c, path);
	if (c->secret_key[0] != '\0')
		return 0;
	if (stat(path, &st) == 0) {
		/* made by root before there was a server */
		if (geteuid() == 0 && st.st_uid == 0 &&
		    chown(path, owner, group) != 0)
			rc = err_set(e, "secret_key_missing",
			    "The file of secret keys can't be given to the "
			    "server's user: %s.",
			    strerror(errno));
		return rc;
	}
	snprintf(made, sizeof(made), "%s.%ld", path, (long)getpid());
	unlink(made);
	if (file_write(made, "", owner, group, e) != 0)
		rc = -1;
	else if (link(made, path) == -1 && errno != EEXIST)
		rc = err_set(e, "secret_key_missing",
		    "The file of secret keys can't be made: %s.",
		    strerror(errno));
	unlink(made);
	return rc;
}

int
secret_ring_add(const struct config *c, struct err *e)
{
	char path[PATH_MAX], made[PATH_MAX + 32], text[FILE_MAX];
	struct stat st;
	int rc = -1;

	if (c->secret_key[0] != '\0')
		return err_set(e, "secret_key_invalid",
		    "The newest key is given by secret_key: change it there, "
		    "and put the old one into the file of secret keys.");
	file_path(c, path);
	if (!file_read(path, text, e))
		return -1;
	snprintf(made, sizeof(made), "%s.%ld", path, (long)getpid());
	unlink(made);
	if (stat(path, &st) == 0 &&
	    file_write(made, text, st.st_uid, st.st_gid, e) == 0) {
		rc = rename(made, path);
		if (rc != 0)
			err_set(e, "secret_key_missing",
			    "The file of secret keys can't be replaced: %s.",
			    strerror(errno));
	}
	OPENSSL_cleanse(text, sizeof(text));
	unlink(made);
	return rc;
}

/* --- sealing -------------------------------------------------------------- */

/* The organization's 16 bytes and the name: no two pairs are alike. */
static bool
bind_to(EVP_CIPHER_CTX *x,
    int (*update)(
	EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int),
    const struct uuid *organization, const char *name)
{
	static const unsigned char format = FORMAT;
	int n;

	return update(x, NULL, &n, &format, 1) == 1 &&
	       update(x, NULL, &n, organization->bytes,
		   sizeof(organization->bytes)) == 1 &&
	       update(x, NULL, &n, (const unsigned char *)name,
		   (int)strlen(name)) == 1;
}

int
secret_seal(const struct secret_ring *ring, const struct uuid *organization,
    const char *name, const char *value, size_t len, uint8_t *sealed,
    struct err *e)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	uint8_t *nonce = sealed + 1, *text = nonce + NONCE_SIZE;
	int n = 0, last = 0;
	bool good;

	sealed[0] = FORMAT;
	good = x != NULL && len <= INT_MAX && ring->count > 0 &&
	       RAND_bytes(nonce, NONCE_SIZE) == 1 &&
	       EVP_EncryptInit_ex(x, EVP_aes_256_gcm(), NULL,
		   ring->keys[0].bytes, nonce) == 1 &&
	       bind_to(x, EVP_EncryptUpdate, organization, name) &&
	       EVP_EncryptUpdate(
		   x, text, &n, (const unsigned char *)value, (int)len) == 1 &&
	       EVP_EncryptFinal_ex(x, text + n, &last) == 1 &&
	       EVP_CIPHER_CTX_ctrl(
		   x, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, text + len) == 1;
	EVP_CIPHER_CTX_free(x);
	if (good)
		return 0;
	return err_set(e, "internal", "The secret could not be encrypted.");
}

static const struct secret_key *
ring_find(const struct secret_ring *ring, const char *id)
{
	unsigned i;

	for (i = 0; i < ring->count; i++)
		if (strcmp(ring->keys[i].id, id) == 0)
			return &ring->keys[i];
	return NULL;
}

static bool
open_with(const struct secret_key *k, const struct uuid *organization,
    const char *name, const uint8_t *sealed, size_t len, char *value)
{
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	const uint8_t *nonce = sealed + 1, *text = nonce + NONCE_SIZE;
	unsigned char *out = (unsigned char *)value;
	uint8_t tag[TAG_SIZE];
	int n = 0, last = 0;
	bool good;

	memcpy(tag, text + len, TAG_SIZE);
	good =
	    x != NULL &&
	    EVP_DecryptInit_ex(x, EVP_aes_256_gcm(), NULL, k->bytes, nonce) ==
		1 &&
	    bind_to(x, EVP_DecryptUpdate, organization, name) &&
	    EVP_DecryptUpdate(x, out, &n, text, (int)len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 &&
	    EVP_DecryptFinal_ex(x, out + n, &last) == 1;
	EVP_CIPHER_CTX_free(x);
	if (!good)
		OPENSSL_cleanse(value, len);
	return good;
}

int
secret_open(const struct secret_ring *ring, const struct uuid *organization,
    const char *name, const char *key_id, const uint8_t *sealed, size_t len,
    char *value, size_t *value_len, struct err *e)
{
	const struct secret_key *k = ring_find(ring, key_id);

	if (k == NULL)
		return err_set(e, "secret_key_missing",
		    "The key %.16s of a secret is not there: all servers of a "
		    "database need the same secret keys.",
		    key_id);
	if (len < SECRET_OVERHEAD || len > INT_MAX || sealed[0] != FORMAT)
		return err_set(
		    e, "secret_corrupted", "A stored secret is corrupted.");
	*value_len = len - SECRET_OVERHEAD;
	if (open_with(k, organization, name, sealed, *value_len, value))
		return 0;
	return err_set(e, "secret_corrupted", "A stored secret is corrupted.");
}
