/* document_file.c - reads a DAG document from a file and tells its faults. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "document_file.h"

struct document_limits
document_limits_of(const struct config *config)
{
	struct document_limits limits = {
	    .bytes = (size_t)config->document_limit,
	    .nodes = (uint32_t)config->node_limit,
	    .dependencies = (uint32_t)config->dependency_limit,
	};

	return limits;
}

static bool
has_suffix(const char *path, const char *suffix)
{
	size_t len = strlen(path), n = strlen(suffix);

	return len >= n && strcmp(path + len - n, suffix) == 0;
}

/* One byte more than the limit, so that document_parse sees what is too long. */
static char *
bytes_read(struct document_file *f, size_t limit, size_t *len)
{
	bool standard = strcmp(f->path, "-") == 0;
	char *bytes = NULL;
	int error;
	FILE *fp;

	errno = 0;
	fp = standard ? stdin : fopen(f->path, "re");
	if (fp != NULL && (bytes = mem_alloc(&f->mem, limit + 2)) != NULL)
		*len = fread(bytes, 1, limit + 1, fp);
	error = errno;
	if (fp == NULL || bytes == NULL || ferror(fp)) {
		faults_add(&f->faults, NULL, "", "unreadable", "%s",
		    error != 0 ? strerror(error) : "it can't be read");
		bytes = NULL;
	}
	if (fp != NULL && !standard)
		fclose(fp);
	return bytes;
}

/* What name_required asks for is a key of the whole, whose pointer is "". */
static bool
lacks_name(const struct faults *faults)
{
	size_t i;

	for (i = 0; i < faults->kept; i++)
		if (strcmp(faults->list[i].code, "missing_key") == 0 &&
		    faults->list[i].pointer[0] == 0 &&
		    strstr(faults->list[i].message, "\"name\"") != NULL)
			return true;
	return false;
}

int
document_file_read(struct document_file *f, const char *path,
    const struct document_options *options, bool alone_too)
{
	enum document_format format =
	    has_suffix(path, ".json") ? DOCUMENT_JSON : DOCUMENT_YAML;
	struct document_options alone = *options;
	char *bytes;
	size_t len;
	int rc;

	f->path = path;
	f->document = NULL;
	mem_create(&f->mem, 0);
	faults_create(&f->faults, &f->mem, FAULTS_KEPT);
	bytes = bytes_read(f, options->limits->bytes, &len);
	if (bytes == NULL)
		return -1;
	rc = document_parse(
	    &f->mem, format, bytes, len, options, &f->faults, &f->document);
	if (rc == 0 || !alone_too || !lacks_name(&f->faults))
		return rc;
	alone.name_required = false;
	faults_create(&f->faults, &f->mem, FAULTS_KEPT);
	return document_parse(
	    &f->mem, format, bytes, len, &alone, &f->faults, &f->document);
}

void
document_file_tell(const struct document_file *f)
{
	const char *path = strcmp(f->path, "-") == 0 ? "<stdin>" : f->path;
	const struct err *e;
	size_t i;

	for (i = 0; i < f->faults.kept; i++) {
		e = &f->faults.list[i];
		fprintf(stderr, "%s:%u:%u: %s\n", path,
		    e->line == 0 ? 1 : e->line, e->column == 0 ? 1 : e->column,
		    e->message);
	}
	if (f->faults.count > f->faults.kept)
		fprintf(stderr, "%s:1:1: and %zu more faults\n", path,
		    f->faults.count - f->faults.kept);
}

static void
fault_json(const struct err *e, struct buf *out)
{
	buf_puts(out, "{\"code\": ");
	json_write_string(out, e->code, strlen(e->code));
	buf_printf(out,
	    ", \"line\": %u, \"column\": %u, \"pointer\": ", e->line,
	    e->column);
	json_write_string(out, e->pointer, strlen(e->pointer));
	buf_puts(out, ", \"message\": ");
	json_write_string(out, e->message, strlen(e->message));
	buf_putc(out, '}');
}

void
document_file_json(const struct document_file *f, struct buf *out)
{
	size_t i;

	buf_puts(out, "{\"file\": ");
	json_write_string(out, f->path, strlen(f->path));
	buf_printf(out, ", \"valid\": %s, \"nodes\": %u, \"faults\": [",
	    f->document == NULL ? "false" : "true",
	    f->document == NULL ? 0 : f->document->node_count);
	for (i = 0; i < f->faults.kept; i++) {
		buf_puts(out, i == 0 ? "\n  " : ",\n  ");
		fault_json(&f->faults.list[i], out);
	}
	buf_puts(out, "]}");
}

void
document_file_free(struct document_file *f)
{
	mem_destroy(&f->mem);
}
