/* document_file.h - a DAG document from a file: read, validated, its faults
 * told.
 *
 * Owner:    whoever called document_file_read; document_file_free ends it, and
 *           with it everything that came from the file.
 */
#ifndef OPEN_OPENCTL_DOCUMENT_FILE_H
#define OPEN_OPENCTL_DOCUMENT_FILE_H

#include "dag/document.h"
#include "web/config.h"

#define FAULTS_KEPT 1000

struct document_file {
	const char *path;
	struct mem mem;
	struct faults faults;
	struct document *document; /* NULL: it has faults */
};

/* The limits that the configuration sets. */
struct document_limits document_limits_of(const struct config *);

/* path: "-" is standard input; JSON by its suffix .json, else YAML. alone_too: a
 * definition without a name will do. 0, or -1 and at least one fault. */
int document_file_read(struct document_file *, const char *path,
    const struct document_options *, bool alone_too);
/* FILE:LINE:COLUMN: message, one line each, on standard error. */
void document_file_tell(const struct document_file *);
/* The same as a JSON object with file, valid, nodes, faults. */
void document_file_json(const struct document_file *, struct buf *out);
void document_file_free(struct document_file *);

#endif
