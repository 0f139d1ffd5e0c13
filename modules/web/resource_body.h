/* resource_body.h - the JSON:API document of a request that writes a resource,
 * checked against its table.
 *
 * Faults:   all at once, with pointers into the body; status says how to
 *           answer: 400 no such document, 403 an id was given, 409 another
 *           type or id, 422 an attribute is wrong.
 * Owner:    the JSON tree's mem.
 * Process:  pure, any thread.
 */
#ifndef OPEN_WEB_RESOURCE_BODY_H
#define OPEN_WEB_RESOURCE_BODY_H

#include "base/uuid.h"
#include "dag/document.h"
#include "web/resource.h"

struct resource_body {
	const struct json *attributes;	  /* an object or NULL */
	const struct json *relationships; /* an object or NULL */
	int status;			  /* of the answer, with faults */
};

/* id: that of the resource to update; NULL: one is created. 0 or -1 (at least
 * one fault was added). */
int resource_body_read(const struct json *root, const struct resource *,
    const struct uuid *id, struct faults *faults, struct resource_body *out);

/* The optional attributes of an action's body, {"data": {"attributes": {…}}}.
 */
int resource_action_read(const struct json *root, const struct action *,
    struct faults *faults, struct resource_body *out);

/* The id in relationships.NAME.data; false: absent, or a fault was added. */
bool resource_body_relation(const struct resource_body *,
    const struct relation *, struct faults *faults, struct uuid *id);

/* An attribute, or NULL. */
const struct json *resource_body_get(
    const struct resource_body *, const char *name);

#endif
