/* address.c - one form for an address of e-mail, or why it is none. */

#include "web/address.h"

#include <stdbool.h>
#include <string.h>

#define LOCAL_MAX 64
#define LABEL_MAX 63

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* atext of RFC 5322, in small letters. */
static bool
is_atom(char c)
{
	return is_alphanumeric(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_host(char c)
{
	return is_alphanumeric(c) || c == '-';
}

/* Parts between dots, none of them empty or longer than most. */
static bool
dotted(const char *s, size_t len, size_t most, bool (*fits)(char))
{
	size_t part = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '.' ? part == 0 : !fits(s[i]) || part == most)
			return false;
		part = s[i] == '.' ? 0 : part + 1;
	}
	return part > 0;
}

/* No label begins or ends with a hyphen. */
static bool
domain_is_valid(const char *s, size_t len)
{
	if (!dotted(s, len, LABEL_MAX, is_host))
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] == '-' && (i == 0 || i + 1 == len || s[i - 1] == '.' ||
				       s[i + 1] == '.'))
			return false;
	return true;
}

int
address_read(
    const char *text, size_t len, char out[ADDRESS_MAX + 1], struct err *e)
{
	const char *at;
	size_t i, local;

	if (len > ADDRESS_MAX)
		return err_set(e, "invalid_email",
		    "an address has at most %d characters", ADDRESS_MAX);
	for (i = 0; i < len; i++) {
		if ((unsigned char)text[i] & 0x80)
			return err_set(e, "invalid_email",
			    "an address has only letters of ASCII; a domain in "
			    "another script is written as xn--…");
		out[i] = lower(text[i]);
	}
	out[len] = '\0';
	at = memchr(out, '@', len);
	local = at == NULL ? 0 : (size_t)(at - out);
	if (local == 0 || local > LOCAL_MAX ||
	    !dotted(out, local, LOCAL_MAX, is_atom) ||
	    !domain_is_valid(at + 1, len - local - 1))
		return err_set(
		    e, "invalid_email", "an address is like name@example.org");
	return 0;
}
