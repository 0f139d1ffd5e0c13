/* op_reference.h - what the declarations of ops say, as JSON and as Markdown:
 * the API and the reference for people come from the table that documents are
 * checked against.
 *
 * Process:  pure functions, any thread, after op_modules_load.
 */
#ifndef OPEN_EXEC_OP_REFERENCE_H
#define OPEN_EXEC_OP_REFERENCE_H

#include "base/buf.h"
#include "exec/op_call.h"

/* An object: description, permission (a setting of the organization, or null),
 * parameters (name, types, required, minimum, maximum, description; bounds of
 * durations in ns, of texts and lists their lengths; null: none). */
void op_reference_json(struct buf *, const struct op_schema *);
/* A section with a table of the parameters. */
void op_reference_markdown(struct buf *, const struct op_schema *);

#endif
