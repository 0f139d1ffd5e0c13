/* journal_batch.h - entries of the journal as the parameters of journal.sql,
 * or of journal_history.sql where no status changed.
 *
 * Owner:    the journal writer; its buffers are used again for each batch.
 */
#ifndef OPEN_WEB_JOURNAL_BATCH_H
#define OPEN_WEB_JOURNAL_BATCH_H

#include "base/buf.h"
#include "exec/exec.h"
#include "web/sql.h"

#define JOURNAL_PARAMS 12

struct journal_batch {
	struct buf columns[JOURNAL_PARAMS];
	struct mem mem; /* of the params that the caller adds */
	struct sql_params params;
	uint64_t nodes;	   /* completions in it */
	uint32_t statuses; /* 0: params are those of journal_history.sql */
};

void journal_batch_create(struct journal_batch *);
void journal_batch_free(struct journal_batch *);

/* Encodes all parameters but the last two, server and epoch: up to n entries, fewer where max_bytes are reached (but at least
 * one); how many, 0: out of memory. bare: without results, errors and logs of
 * nodes and without the execution's result. */
size_t journal_batch_encode(struct journal_batch *, struct exec *,
    const struct journal_entry *, size_t n, unsigned entry_oid,
    size_t max_bytes, bool bare);

#endif
