/* time_parse.c - times as people and PostgreSQL write them, checked as strictly
 * as PostgreSQL would.
 */
#include "base/clock.h"

/* Days from 1970-01-01 of a proleptic Gregorian date. */
static int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = y / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int
days_in_month(int y, int m)
{
	static const int days[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return days[m - 1] + (m == 2 && leap);
}

/* Exactly n digits; -1: something else. */
static int
digits(const char **s, const char *end, int n)
{
	int value = 0;

	for (; n > 0; n--) {
		if (*s == end || **s < '0' || **s > '9')
			return -1;
		value = value * 10 + (*(*s)++ - '0');
	}
	return value;
}

static bool
literal(const char **s, const char *end, char c)
{
	if (*s == end || **s != c)
		return false;
	++*s;
	return true;
}

/* "Z", "+02", "+0200" or "+02:00", in minutes. */
static bool
parse_offset(const char **s, const char *end, int *minutes)
{
	int sign, h, m = 0;

	if (literal(s, end, 'Z') || literal(s, end, 'z')) {
		*minutes = 0;
		return true;
	}
	if (literal(s, end, '+') || literal(s, end, ' '))
		sign = 1; /* an unescaped + in a URL is a space */
	else if (literal(s, end, '-'))
		sign = -1;
	else
		return false;
	h = digits(s, end, 2);
	if (*s != end) {
		literal(s, end, ':');
		m = digits(s, end, 2);
	}
	*minutes = sign * (h * 60 + m);
	return h >= 0 && h <= 15 && m >= 0 && m <= 59;
}

bool
time_parse(const char *text, size_t len, int64_t *real_us)
{
	const char *s = text, *end = text + len;
	int y, mon, d, h, min, sec, us = 0, scale = 100000, offset;

	if ((y = digits(&s, end, 4)) < 1 || !literal(&s, end, '-') ||
	    (mon = digits(&s, end, 2)) < 1 || mon > 12 ||
	    !literal(&s, end, '-') || (d = digits(&s, end, 2)) < 1 ||
	    d > days_in_month(y, mon))
		return false;
	if (!literal(&s, end, 'T') && !literal(&s, end, 't') &&
	    !literal(&s, end, ' '))
		return false;
	if ((h = digits(&s, end, 2)) < 0 || h > 23 || !literal(&s, end, ':') ||
	    (min = digits(&s, end, 2)) < 0 || min > 59 ||
	    !literal(&s, end, ':') || (sec = digits(&s, end, 2)) < 0 ||
	    sec > 59)
		return false;
	if (literal(&s, end, '.')) {
		if (s == end || *s < '0' || *s > '9')
			return false;
		for (; s < end && *s >= '0' && *s <= '9'; s++, scale /= 10)
			us += (*s - '0') * scale;
	}
	if (!parse_offset(&s, end, &offset) || s != end)
		return false;
	*real_us = ((days_from_civil(y, mon, d) * 24 + h) * 60 + min - offset) *
		       60 * INT64_C(1000000) +
		   sec * INT64_C(1000000) + us;
	return true;
}
