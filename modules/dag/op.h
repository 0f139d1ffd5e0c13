/* op.h - what a document may say about an op: its name and its parameters.
 *
 * The one declaration of an op's parameters, used by validation, documentation
 * and the API. exec/ops holds the code that runs them; its registry hands a
 * struct op_set to document_read and plan_compile.
 *
 * Owner:    whoever declares it, as constants; nothing here is ever freed.
 * Process:  read-only, any thread.
 */
#ifndef OPEN_DAG_OP_H
#define OPEN_DAG_OP_H

#include <stddef.h>
#include <stdint.h>

#include "dag/json.h"

enum param_type {
	PARAM_STRING = 1 << 0,
	PARAM_INTEGER = 1 << 1,
	PARAM_NUMBER = 1 << 2, /* integers too */
	PARAM_BOOLEAN = 1 << 3,
	PARAM_DURATION = 1 << 4, /* a string that duration_parse takes */
	PARAM_ARRAY = 1 << 5,
	PARAM_OBJECT = 1 << 6,
	PARAM_ANY = 1 << 7,
	PARAM_LUA = 1 << 8 /* a string that is a Lua chunk: taken as it stands
			      (no ${{ }} in it), its syntax checked */
};

struct op_param {
	const char *name;
	unsigned types; /* enum param_type, or-ed */
	bool required;
	int64_t min, max; /* integers: range; durations: range in ns; strings,
			     arrays: length; 0, 0: unbounded */
	const char *description; /* a sentence */
	const char *fallback; /* a text that stands where a document has none;
				 may hold ${{ }}; NULL: none */
};

struct op_schema {
	const char *name; /* "delay" */
	const char *description;
	const struct op_param *params; /* ended by name NULL */
	/* Rules that a table can't say (e.g. exactly one of two parameters);
	 * NULL: none. params may hold templates. -1 and e with pointer relative
	 * to params. */
	int (*check)(const struct json *params, struct err *e);
	/* A setting of the organization that must be true ("allow_commands"),
	 * or NULL. Checked when a version is saved, activated and started. */
	const char *permission;
	/* Its parameters are kept where others read them (another execution's
	 * context): no secrets in them. */
	bool keeps_params;
};

struct op_set {
	size_t count;
	const struct op_schema *const
	    *ops; /* the index is the op's id in this process, see plan.h */
};

/* The index in the set, or -1. */
int op_find(const struct op_set *set, const char *name);
/* The parameter's declaration, or NULL. */
const struct op_param *op_find_param(
    const struct op_schema *op, const char *name);

#endif
