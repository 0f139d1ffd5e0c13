/* forms.h - requests of people about their own accounts: what each takes, from
 * which its reading and OpenAPI come. A body is a JSON:API document without an
 * id whose type is a noun: {"data": {"type": "sessions", "attributes": {…}}}.
 *
 * Lifetime: constant.
 */
#ifndef OPEN_WEB_FORMS_H
#define OPEN_WEB_FORMS_H

#include "web/flow.h"
#include "web/resource.h"
#include "web/resource_body.h"

struct form {
	const char *path, *name; /* operationId */
	const char *description;
	const char *type;	    /* of its body */
	const struct field *fields; /* NULL: it takes no body */
	const char *status;	    /* of its answer */
	bool open;		    /* without credentials */
};

extern const struct form form_sign_in, form_sign_out, form_sign_out_everywhere,
    form_switch, form_register, form_confirm, form_password, form_accept;
extern const struct form *const form_table[]; /* NULL-ended */

/* The attributes of the request's body; false: it has answered. */
bool form_read(struct flow *, const struct form *, struct resource_body *);
/* An attribute as text, or NULL; *len may be NULL. */
const char *form_text(
    const struct resource_body *, const char *name, size_t *len);

#endif
