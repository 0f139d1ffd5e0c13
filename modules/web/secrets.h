/* secrets.h - the server's side of secrets: values for the executor, sealed
 * values for who writes them.
 *
 * Values:   asked by an arena (exec/secrets.h), read as open_system, opened
 *           here and handed over at once; nothing is kept. While the database
 *           is away the nodes that need them wait.
 * Process:  a worker's event loop.
 */
#ifndef OPEN_WEB_SECRETS_H
#define OPEN_WEB_SECRETS_H

#include "web/flow.h"
#include "web/secret_box.h"

/* Once, before exec_create: what goes into its settings. */
struct secret_source secrets_source(void);
/* In a worker, before the arena starts; -1: no eventfd. */
int secrets_init(void);
/* In a worker, before database_start. */
void secrets_start(void);

/* A value, sealed for the flow's organization, in its memory; and the body
 * that it came in is wiped. False: it has answered. */
struct sealed_secret {
	const uint8_t *bytes;
	size_t len;
	char key_id[SECRET_KEY_ID + 1];
};
bool secrets_seal(struct flow *, const char *name, const char *value,
    size_t len, struct sealed_secret *out);

#endif
