/* yaml_resolve.c - the type of a plain scalar, YAML 1.2.2 section 10.3.2:
 *
 *	null  | Null | NULL | ~ | (empty)
 *	true  | True | TRUE | false | False | FALSE
 *	[-+]? [0-9]+    0o [0-7]+    0x [0-9a-fA-F]+
 *	[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
 *	[-+]? ( \.inf | \.Inf | \.INF )    \.nan | \.NaN | \.NAN
 */
#include "base/hex.h"
#include "dag/yaml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct word {
	const char *text;
	enum json_type type;
	bool finite;
} words[] = {
    {"", JSON_NULL, true},
    {"~", JSON_NULL, true},
    {"null", JSON_NULL, true},
    {"Null", JSON_NULL, true},
    {"NULL", JSON_NULL, true},
    {"true", JSON_TRUE, true},
    {"True", JSON_TRUE, true},
    {"TRUE", JSON_TRUE, true},
    {"false", JSON_FALSE, true},
    {"False", JSON_FALSE, true},
    {"FALSE", JSON_FALSE, true},
    {".nan", JSON_NUMBER, false},
    {".NaN", JSON_NUMBER, false},
    {".NAN", JSON_NUMBER, false},
};

static bool
is_word(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(s, word, len) == 0;
}

static size_t
span_digits(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] >= '0' && s[n] <= '9')
		n++;
	return n;
}

/* All of s is digits of the base. Too large for int64: it becomes a double. */
static bool
resolve_integer(
    const char *s, size_t len, int base, bool negative, struct json *v)
{
	bool fits = true;
	int64_t n = 0;
	double d = 0;

	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		int digit = hex_digit(s[i]);

		if (digit < 0 || digit >= base)
			return false;
		d = d * base + digit;
		fits = fits && !__builtin_mul_overflow(n, base, &n) &&
		       !(negative ? __builtin_sub_overflow(n, digit, &n)
				  : __builtin_add_overflow(n, digit, &n));
	}
	v->type = fits ? JSON_INTEGER : JSON_NUMBER;
	if (fits)
		v->integer = n;
	else
		v->number = negative ? -d : d;
	return true;
}

/* Has s a float's form? The value is strtod's then. */
static bool
is_float(const char *s, size_t len)
{
	size_t whole = span_digits(s, len), i = whole, n;

	if (i < len && s[i] == '.') {
		n = span_digits(s + i + 1, len - i - 1);
		if (whole == 0 && n == 0)
			return false;
		i += 1 + n;
	} else if (whole == 0) {
		return false;
	}
	if (i < len && (s[i] == 'e' || s[i] == 'E')) {
		i++;
		if (i < len && (s[i] == '-' || s[i] == '+'))
			i++;
		n = span_digits(s + i, len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return i == len;
}

static void
resolve_number(const char *s, size_t len, struct json *v, bool *finite)
{
	bool sign = len > 0 && (s[0] == '-' || s[0] == '+');
	const char *digits = s + sign;
	size_t n = len - sign;

	if (!sign && n > 2 && s[0] == '0' && s[1] == 'o')
		resolve_integer(s + 2, n - 2, 8, false, v);
	else if (!sign && n > 2 && s[0] == '0' && s[1] == 'x')
		resolve_integer(s + 2, n - 2, 16, false, v);
	else if (is_word(digits, n, ".inf") || is_word(digits, n, ".Inf") ||
		 is_word(digits, n, ".INF"))
		v->type = JSON_NUMBER, v->number = HUGE_VAL;
	else if (!resolve_integer(digits, n, 10, s[0] == '-', v) &&
		 is_float(digits, n))
		v->type = JSON_NUMBER, v->number = strtod(s, NULL);
	else if (v->type == JSON_NUMBER) /* the exact nearest double */
		v->number = strtod(s, NULL);
	*finite = v->type != JSON_NUMBER || isfinite(v->number);
}

void
yaml_resolve(const char *s, size_t len, struct json *v, bool *finite)
{
	v->type = JSON_STRING;
	*finite = true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(s, len, words[i].text)) {
			v->type = words[i].type;
			v->number = 0;
			*finite = words[i].finite;
			return;
		}
	if (strchr("+-.0123456789", s[0]) != NULL)
		resolve_number(s, len, v, finite);
}
