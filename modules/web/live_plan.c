/* live_plan.c - a plan in one piece of memory. */
#include <stdlib.h>
#include <string.h>

#include "web/live_topic.h"

static const char *
copy_text(char **to, const char *text)
{
	const char *at = *to;
	size_t n;

	if (text == NULL)
		return NULL;
	n = strlen(text) + 1;
	memcpy(*to, text, n);
	*to += n;
	return at;
}

struct live_plan *
live_plan_copy(const struct live_plan *p)
{
	size_t size = sizeof(*p) + p->field_count * sizeof(*p->fields);
	struct live_field_plan *fields;
	struct live_plan *copy;
	unsigned i;
	char *text;

	size += strlen(p->key) + 1;
	for (i = 0; i < p->field_count; i++)
		size +=
		    strlen(p->fields[i].key) + 1 +
		    (p->fields[i].name == NULL ? 0
					       : strlen(p->fields[i].name) + 1);
	if ((copy = malloc(size)) == NULL)
		return NULL;
	*copy = *p;
	copy->fields = fields = (void *)(copy + 1);
	text = (char *)(fields + p->field_count);
	copy->key = copy_text(&text, p->key);
	for (i = 0; i < p->field_count; i++) {
		fields[i].key = copy_text(&text, p->fields[i].key);
		fields[i].name = copy_text(&text, p->fields[i].name);
	}
	return copy;
}
