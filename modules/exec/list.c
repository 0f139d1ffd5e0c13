/* list.c - finds the commas between a list's elements. */
#include "exec/list.h"

#include <stdbool.h>

/* The last quote of the string whose first is at i; len: it has none. */
static size_t
string_end(const char *text, size_t len, size_t i)
{
	for (i++; i < len && text[i] != '"'; i++)
		i += text[i] == '\\';
	return i < len ? i : len;
}

/* Where the value at i ends: the comma or bracket behind it. */
static size_t
value_end(const char *text, size_t len, size_t i)
{
	for (uint32_t depth = 0; i < len; i++) {
		char c = text[i];

		if (c == '"')
			i = string_end(text, len, i);
		else if (c == '[' || c == '{')
			depth++;
		else if (depth == 0 && (c == ',' || c == ']'))
			return i;
		else if (c == ']' || c == '}')
			depth -= depth > 0;
	}
	return len;
}

uint32_t
list_split(const char *text, size_t len, uint32_t *starts, uint32_t max)
{
	uint32_t count = 0;
	size_t at = 1, end;

	if (len < 2 || len >= UINT32_MAX || text[0] != '[' ||
	    text[len - 1] != ']')
		return LIST_BAD;
	for (; len > 2 && at < len; at = end + 1) {
		end = value_end(text, len, at);
		if (count == max || end >= len || end == at ||
		    (text[end] == ']' && end + 1 < len))
			return LIST_BAD;
		if (starts != NULL)
			starts[count] = (uint32_t)at;
		count++;
	}
	if (starts != NULL)
		starts[count] = len > 2 ? (uint32_t)len : 1;
	return len > 2 && at != len ? LIST_BAD : count;
}
