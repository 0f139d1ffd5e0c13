/* mail_message.c - headers and quoted-printable. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/utf8.h"
#include "web/mail_message.h"

#define LINE_MAX_QP 75 /* and the soft break's = */
#define WORD_BYTES  39 /* 52 characters of base64 in an encoded word */

/* --- addresses ------------------------------------------------------------ */

bool
mail_address_valid(const char *address)
{
	const char *at = strrchr(address, '@'), *s;

	if (at == NULL || at == address || at[1] == '\0' ||
	    strlen(address) > MAIL_ADDRESS_MAX || address[0] == '-')
		return false;
	for (s = address; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~' ||
		    strchr("\"(),:;<>[\\]", *s) != NULL)
			return false;
	return strchr(address, '@') == at;
}

bool
mail_from_parse(const char *from, char *out)
{
	const char *open = strchr(from, '<'), *s;
	size_t len;

	if (open == NULL) {
		if (!mail_address_valid(from))
			return false;
		strcpy(out, from);
		return true;
	}
	for (s = from; s < open; s++)
		if (*s < ' ' || *s > '~' ||
		    strchr("\"(),:;<>@[\\]", *s) != NULL)
			return false;
	len = strlen(open);
	if (len < 3 || open[len - 1] != '>' || len - 2 > MAIL_ADDRESS_MAX)
		return false;
	memcpy(out, open + 1, len - 2);
	out[len - 2] = '\0';
	return mail_address_valid(out);
}

/* --- headers -------------------------------------------------------------- */

static bool
is_plain(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* RFC 2047: words of whole characters, each on a line of its own. Also what is
 * ASCII but holds "=?", which a reader might decode. */
static void
put_subject(struct buf *out, const char *s)
{
	unsigned char text[64];
	const char *separator = "Subject: ";
	size_t n, width;

	if (is_plain(s) && strstr(s, "=?") == NULL) {
		buf_printf(out, "Subject: %s\r\n", s);
		return;
	}
	while (*s != '\0') {
		for (n = 0; s[n] != '\0' && n < WORD_BYTES; n += width) {
			if ((width = utf8_width(s + n, strlen(s + n))) == 0)
				width = 1;
			if (n + width > WORD_BYTES)
				break;
		}
		EVP_EncodeBlock(text, (const unsigned char *)s, (int)n);
		buf_printf(out, "%s=?UTF-8?B?%s?=\r\n", separator, text);
		separator = " ";
		s += n;
	}
}

static void
put_date(struct buf *out, int64_t at_us)
{
	static const char days[] = "SunMonTueWedThuFriSat",
			  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t at = at_us / 1000000;
	struct tm tm;

	gmtime_r(&at, &tm);
	buf_printf(out, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n",
	    days + tm.tm_wday * 3, tm.tm_mday, months + tm.tm_mon * 3,
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* --- the body ------------------------------------------------------------- */

/* RFC 2045, 6.7. No bare CR is in a body; every LF is a line's end. */
static void
put_quoted(struct buf *out, const char *s)
{
	size_t column = 0, width;
	unsigned char c;
	bool plain;

	for (; (c = (unsigned char)*s) != '\0'; s++) {
		if (c == '\n') {
			buf_puts(out, "\r\n");
			column = 0;
			continue;
		}
		plain = c >= ' ' && c <= '~' && c != '=' &&
			!(c == ' ' && (s[1] == '\n' || s[1] == '\0'));
		width = plain ? 1 : 3;
		if (column + width > LINE_MAX_QP) {
			buf_puts(out, "=\r\n");
			column = 0;
		}
		if (plain)
			buf_putc(out, (char)c);
		else
			buf_printf(out, "=%02X", c);
		column += width;
	}
	if (column > 0)
		buf_puts(out, "\r\n");
}

void
mail_message_write(const struct mail_message *m, struct buf *out)
{
	char address[MAIL_ADDRESS_MAX + 1];

	if (!mail_from_parse(m->from, address)) {
		out->failed = true;
		return;
	}
	buf_printf(out, "From: %s\r\nTo: <%s>\r\n", m->from, m->recipient);
	put_subject(out, m->subject);
	put_date(out, m->at_us);
	buf_printf(
	    out, "Message-ID: <%s@%s>\r\n", m->id, strrchr(address, '@') + 1);
	buf_puts(out, "MIME-Version: 1.0\r\n"
		      "Content-Type: text/plain; charset=utf-8\r\n"
		      "Content-Transfer-Encoding: quoted-printable\r\n"
		      "Auto-Submitted: auto-generated\r\n\r\n");
	put_quoted(out, m->body);
}
