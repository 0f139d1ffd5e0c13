/* resource_links.c - links of a list: to itself and to the page after it. */
#include <string.h>

#include "web/resource_flow.h"

static void
put_encoded(struct buf *b, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-._~,", c) != NULL) {
			buf_putc(b, (char)c);
			continue;
		}
		buf_putc(b, '%');
		buf_putc(b, hex[c >> 4]);
		buf_putc(b, hex[c & 15]);
	}
}

void
resource_link(struct buf *b, const struct resource_state *s, const char *after)
{
	char before = '?';

	buf_puts(b, s->path);
	for (unsigned i = 0; i < s->query.given_count; i++) {
		const char *name = s->query.given[i][0];

		if (after != NULL && strcmp(name, "page[after]") == 0)
			continue;
		buf_putc(b, before);
		before = '&';
		put_encoded(b, name);
		buf_putc(b, '=');
		put_encoded(b, s->query.given[i][1]);
	}
	if (after == NULL)
		return;
	buf_putc(b, before);
	put_encoded(b, "page[after]");
	buf_putc(b, '=');
	buf_puts(b, after);
}

void
resource_links(struct buf *b, const struct resource_state *s)
{
	buf_puts(b, ",\"links\":{\"self\":\"");
	resource_link(b, s, NULL);
	buf_puts(b, "\",\"next\":");
	if (s->next == NULL) {
		buf_puts(b, "null}");
		return;
	}
	buf_putc(b, '"');
	resource_link(b, s, s->next);
	buf_puts(b, "\"}");
}
