/* secret.c - names and places of secrets in documents. */
#include "dag/secret.h"

#include <string.h>

#include "base/utf8.h"
#include "dag/expression.h"
#include "dag/lua_lex.h"

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool
secret_name_valid(const char *name, size_t len)
{
	if (len == 0 || len > SECRET_NAME_MAX || !is_letter(name[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_letter(name[i]) && (name[i] < '0' || name[i] > '9'))
			return false;
	return true;
}

const char *
secret_value_fault(const char *value, size_t len)
{
	if (len == 0)
		return "A secret's value must not be empty.";
	if (len > SECRET_VALUE_MAX)
		return "A secret's value has at most 65536 bytes.";
	if (memchr(value, '\0', len) != NULL || utf8_valid(value, len) != len)
		return "A secret's value must be UTF-8 without NUL; encode "
		       "other bytes, for instance as base64.";
	return NULL;
}

/* A name behind . or : is a field, one before = is assigned to or the key of a
 * table. */
bool
secret_is_read(const char *code, size_t len)
{
	struct lexer l = {code, code + len};
	bool field = false;

	if (memmem(code, len, "secrets", 7) == NULL)
		return false;
	for (;;) {
		struct lex_token t = lex_next(&l);

		if (t.kind == LEX_END || t.kind == LEX_BAD)
			return false;
		if (!field && t.kind == LEX_NAME && lex_is(&t, "secrets")) {
			struct lexer ahead = l;
			struct lex_token next = lex_next(&ahead);

			if (!lex_is(&next, "="))
				return true;
		}
		field = lex_is(&t, ".") || lex_is(&t, ":");
	}
}

const char *
secret_reference(
    const char *code, size_t len, struct mem *m, uint32_t *name_len)
{
	struct path_step steps[PATH_STEPS_MAX];

	if (expression_path(code, len, m, steps) != 2 ||
	    strcmp(steps[0].name, "secrets") != 0 ||
	    steps[1].kind != STEP_MEMBER ||
	    !secret_name_valid(steps[1].name, steps[1].name_len))
		return NULL;
	*name_len = steps[1].name_len;
	return steps[1].name;
}
