/* secrets.h - the steps of each request for secrets, for their routes. */
#ifndef OPEN_CATALOG_SECRETS_H
#define OPEN_CATALOG_SECRETS_H

#include "web/resource_flow.h"

/* State of a request that writes a secret. */
struct secret_write {
	struct resource_state answer; /* first, see resource_flow.h */
	struct uuid id;
	char *name;
	char *value; /* wiped when it is sealed */
	size_t value_len;
};

#endif
