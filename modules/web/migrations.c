/* migrations.c - numbers and checksums of the SQL files in a folder. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "base/buf.h"
#include "web/migrations.h"

#define FILE_MAX (16u << 20)

/* NNNN_words.sql */
static int
wanted(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return strspn(entry->d_name, "0123456789") == 4 &&
	       entry->d_name[4] == '_' && len > 9 &&
	       strcmp(entry->d_name + len - 4, ".sql") == 0;
}

static int
file_add(const char *folder, const char *name, struct buf *out, struct err *e)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	char path[4096], chunk[4096];
	struct buf text;
	size_t n, i;
	FILE *fp;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((fp = fopen(path, "re")) == NULL)
		return err_set(e, "migrations_unreadable", "%s: %s", path,
		    strerror(errno));
	buf_create(&text, FILE_MAX);
	while ((n = fread(chunk, 1, sizeof(chunk), fp)) > 0)
		buf_put(&text, chunk, n);
	fclose(fp);
	if (buf_failed(&text)) {
		buf_free(&text);
		return err_memory(e);
	}
	SHA256((unsigned char *)(text.len == 0 ? path : text.data), text.len,
	    hash);
	buf_free(&text);
	buf_printf(out, "%ld ", strtol(name, NULL, 10));
	for (i = 0; i < sizeof(hash); i++)
		buf_printf(out, "%02x", hash[i]);
	buf_putc(out, '\n');
	return 0;
}

char *
migrations_expected(const char *folder, struct err *e)
{
	struct dirent **entries;
	struct buf out;
	int count, i, rc = 0;

	count = scandir(folder, &entries, wanted, alphasort);
	if (count < 0) {
		err_set(e, "migrations_unreadable", "%s: %s", folder,
		    strerror(errno));
		return NULL;
	}
	buf_create(&out, 0);
	buf_puts(&out, "");
	for (i = 0; i < count; i++) {
		if (rc == 0)
			rc = file_add(folder, entries[i]->d_name, &out, e);
		free(entries[i]);
	}
	free(entries);
	if (rc == 0 && buf_failed(&out))
		rc = err_memory(e);
	if (rc != 0) {
		buf_free(&out);
		return NULL;
	}
	return buf_take(&out, NULL);
}
