/* template.h - op parameters and conditions, compiled: JSON in which strings
 * may hold ${{ expression }}.
 *
 * A template is a flat tree of struct template_value in the plan's blob;
 * offsets count from the plan's start. An expression is either a plain path
 * (context.a.b[3], nodes.NAME.result.x["y z"], nodes.NAME.status,
 * execution.id, secrets.NAME, item.a, index), resolved without Lua, or any Lua expression. A string that is
 * one ${{ }} keeps the value's type; inside other text the value becomes text
 * (strings as they are, numbers and booleans printed, null "", arrays and
 * objects as JSON). "$${{" is a literal "${{". Keys of objects are taken as
 * they stand.
 *
 * Owner:    part of a plan, see plan.h; plan_check has checked every offset.
 * Process:  read-only, may lie in shared memory.
 */
#ifndef OPEN_DAG_TEMPLATE_H
#define OPEN_DAG_TEMPLATE_H

#include <stdint.h>

enum template_type {
	TEMPLATE_NULL,
	TEMPLATE_FALSE,
	TEMPLATE_TRUE,
	TEMPLATE_INTEGER,
	TEMPLATE_NUMBER,
	TEMPLATE_STRING,
	TEMPLATE_ARRAY,	 /* count values at offset */
	TEMPLATE_OBJECT, /* count pairs at offset: value, value (the first a
			    TEMPLATE_STRING) */
	TEMPLATE_CONCAT, /* count parts at offset, joined as text */
	TEMPLATE_PATH,	 /* count steps at offset: struct template_step */
	TEMPLATE_LUA	 /* count bytes of a Lua expression at offset,
			    NUL-terminated */
};

struct template_value {
	uint32_t type;	/* enum template_type */
	uint32_t count; /* strings: bytes */
	union {
		int64_t integer;
		double number;
		uint64_t offset;
	};
};

enum template_root {
	ROOT_CONTEXT,
	ROOT_NODE_RESULT,
	ROOT_NODE_STATUS,
	ROOT_EXECUTION_ID,
	ROOT_SECRET, /* one STEP_MEMBER follows: its name; only in with */
	ROOT_ITEM, /* only in the with of a node that has for_each; so too … */
	ROOT_INDEX
};
enum template_step_kind {
	STEP_ROOT,
	STEP_MEMBER,
	STEP_INDEX
};

struct template_step {
	uint32_t kind;	/* the first is STEP_ROOT */
	uint32_t value; /* ROOT: enum template_root; MEMBER: byte length; INDEX:
			   1-based index, as in Lua */
	uint32_t at; /* ROOT_NODE_*: node index; MEMBER: offset of the name */
	uint32_t reserved;
};

#endif
