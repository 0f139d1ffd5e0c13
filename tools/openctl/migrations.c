/* migrations.c - reads the numbered files, compares them with what a database
 * has applied. */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "migrations.h"

#define FILES_MAX  10000
#define BYTES_MAX  (16u << 20)
#define DIGITS	   4
#define SUFFIX	   ".sql"
#define SUFFIX_LEN 4

bool
migration_name_parse(const char *file, uint32_t *number)
{
	size_t len = strlen(file), i;

	*number = 0;
	if (len <= DIGITS + 1 + SUFFIX_LEN || file[DIGITS] != '_' ||
	    strcmp(file + len - SUFFIX_LEN, SUFFIX) != 0)
		return false;
	for (i = 0; i < DIGITS; i++) {
		if (!isdigit((unsigned char)file[i]))
			return false;
		*number = *number * 10 + (uint32_t)(file[i] - '0');
	}
	for (i = DIGITS + 1; i < len - SUFFIX_LEN; i++)
		if (!isalnum((unsigned char)file[i]) && file[i] != '_' &&
		    file[i] != '-')
			return false;
	return *number > 0;
}

static void
checksum_set(struct migration *migration, size_t len)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	size_t i;

	SHA256((const unsigned char *)migration->text, len, hash);
	for (i = 0; i < sizeof(hash); i++)
		snprintf(migration->checksum + 2 * i, 3, "%02x", hash[i]);
}

static int
file_read(const char *path, struct mem *m, struct migration *out, struct err *e)
{
	FILE *fp = fopen(path, "re");
	char *text;
	size_t len;
	long size;

	if (fp == NULL)
		return err_set(e, "migrations_unreadable", "%s: %s", path,
		    strerror(errno));
	if (fseek(fp, 0, SEEK_END) != 0 || (size = ftell(fp)) < 0 ||
	    size > (long)BYTES_MAX) {
		fclose(fp);
		return err_set(
		    e, "migrations_unreadable", "%s can't be read", path);
	}
	rewind(fp);
	text = mem_alloc(m, (size_t)size + 1);
	len = text == NULL ? 0 : fread(text, 1, (size_t)size, fp);
	fclose(fp);
	if (text == NULL)
		return err_memory(e);
	if (len != (size_t)size || memchr(text, '\0', len) != NULL)
		return err_set(
		    e, "migrations_unreadable", "%s is not a text", path);
	out->text = text;
	checksum_set(out, len);
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	const struct migration *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int
entry_add(const char *folder, const char *file, struct mem *m,
    struct migrations *out, struct err *e)
{
	struct migration *migration = &out->list[out->count];
	const char *path;

	if (file[0] == '.' || strlen(file) < SUFFIX_LEN ||
	    strcmp(file + strlen(file) - SUFFIX_LEN, SUFFIX) != 0)
		return 0;
	if (!migration_name_parse(file, &migration->number))
		return err_set(e, "migration_name",
		    "%s/%s is not called NNNN_words.sql", folder, file);
	if (out->count + 1 == FILES_MAX)
		return err_set(e, "migrations_unreadable",
		    "%s has too many files", folder);
	migration->name = mem_strndup(m, file, strlen(file) - SUFFIX_LEN);
	path = mem_printf(m, "%s/%s", folder, file);
	if (migration->name == NULL || path == NULL)
		return err_memory(e);
	out->count++;
	return file_read(path, m, migration, e);
}

int
migrations_read(
    const char *folder, struct mem *m, struct migrations *out, struct err *e)
{
	struct dirent *entry;
	DIR *dir;
	size_t i;
	int rc = 0;

	out->count = 0;
	out->list = mem_array(m, FILES_MAX, sizeof(*out->list));
	if (out->list == NULL)
		return err_memory(e);
	dir = opendir(folder);
	if (dir == NULL)
		return err_set(e, "migrations_unreadable", "%s: %s", folder,
		    strerror(errno));
	while (rc == 0 && (entry = readdir(dir)) != NULL)
		rc = entry_add(folder, entry->d_name, m, out, e);
	closedir(dir);
	if (rc != 0)
		return -1;
	qsort(out->list, out->count, sizeof(*out->list), by_number);
	for (i = 1; i < out->count; i++)
		if (out->list[i].number == out->list[i - 1].number)
			return err_set(e, "migration_duplicate",
			    "%s and %s have the same number",
			    out->list[i - 1].name, out->list[i].name);
	return 0;
}

int
migrations_compare(const struct migrations *files,
    const struct migrations *applied, size_t *done, struct err *e)
{
	const struct migration *file, *was;
	size_t i;

	for (i = 0; i < applied->count; i++) {
		was = &applied->list[i];
		file = i < files->count ? &files->list[i] : NULL;
		if (file != NULL && file->number < was->number)
			return err_set(e, "migration_out_of_order",
			    "%s is new but comes before %s, which is applied",
			    file->name, was->name);
		if (file == NULL || file->number != was->number ||
		    strcmp(file->name, was->name) != 0)
			return err_set(e, "migration_missing",
			    "%s is applied but its file is missing", was->name);
		if (strcmp(file->checksum, was->checksum) != 0)
			return err_set(e, "migration_changed",
			    "%s was changed after it was applied", was->name);
	}
	*done = applied->count;
	return 0;
}
