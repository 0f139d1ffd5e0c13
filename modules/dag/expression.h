/* expression.h - the text around and inside ${{ }}: its parts, its references
 * to nodes, and the paths that need no Lua.
 *
 * Process:  pure functions, any thread; results point into the text or live in
 *           the struct mem passed in.
 */
#ifndef OPEN_DAG_EXPRESSION_H
#define OPEN_DAG_EXPRESSION_H

#include "base/mem.h"
#include "dag/template.h"

/* A string in parts: literal text and expressions. "$${{" comes out as the
 * literal "${{". An expression ends at the first }} that is neither in a Lua
 * string or comment nor closes a table. */
enum part_kind {
	PART_END,
	PART_LITERAL,
	PART_EXPRESSION, /* what stands between ${{ and }}, blanks trimmed */
	PART_UNFINISHED	 /* ${{ without }} */
};
struct part {
	enum part_kind kind;
	const char *text;
	size_t len;
};
struct parts {
	const char *at, *end;
};
struct part part_next(struct parts *p);

/* What a string is: plain text, one expression and nothing else, or both
 * mixed. TEXT_STATIC may still hold "$${{". */
enum text_kind {
	TEXT_STATIC,
	TEXT_EXPRESSION,
	TEXT_MIXED
};
enum text_kind text_kind(const char *text, size_t len);

/* Calls found for each nodes.NAME and nodes["NAME"] in Lua code; the name is
 * only valid during the call; field is what follows it (nodes.NAME.field), ""
 * if it is computed or nothing. nodes[expression] is no reference: it is
 * looked at when it runs. -1: out of memory, or found returned -1. */
typedef int (*reference_found)(
    void *ctx, const char *name, size_t len, const char *field);
int expression_references(const char *code, size_t len, struct mem *m,
    reference_found found, void *ctx);

struct path_step {
	enum template_step_kind kind;
	const char *name; /* STEP_ROOT, STEP_MEMBER; NUL-terminated */
	uint32_t name_len;
	uint32_t index; /* STEP_INDEX, from 1 */
};
#define PATH_STEPS_MAX 64

/* The steps of a plain path (STEP_ROOT: any name) in mem; 0 if the code is
 * anything else or m failed. */
uint32_t expression_path(const char *code, size_t len, struct mem *m,
    struct path_step steps[PATH_STEPS_MAX]);

#endif
