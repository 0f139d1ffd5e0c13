/* mail_text.c - templates, and the message made of them. */
#include "web/mail_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "dag/json.h"
#include "web/mail_message.h"
#include "web/mail_template.h"

#define TEMPLATE_MAX (64u << 10)
#define MESSAGE_MAX  (256u << 10)
#define VALUES_MAX   24

/* --- templates: read in the parent ---------------------------------------- */

static const struct {
	const char *name;
	enum mail_token token;
} names[] = {
    {"confirmation", MAIL_TOKEN_CONFIRM},
    {"invitation", MAIL_TOKEN_INVITATION},
    {"password_changed", MAIL_TOKEN_NONE},
    {"already_registered", MAIL_TOKEN_NONE},
    {"password_reset", MAIL_TOKEN_RESET},
};
#define NAMES (sizeof(names) / sizeof(names[0]))

static struct mail_template templates[NAMES];
static struct mem templates_mem;
static const char *from;
static char *public_url;

static int
template_load(const char *assets, const char *name, struct mail_template *out,
    struct err *e)
{
	static char text[TEMPLATE_MAX];
	char path[4200], why[ERR_MESSAGE_MAX];
	size_t len;
	FILE *fp;

	snprintf(path, sizeof(path), "%s/mail/%s.txt", assets, name);
	if ((fp = fopen(path, "re")) == NULL)
		return err_set(e, "not_found", "%s: %s (setting assets)", path,
		    strerror(errno));
	len = fread(text, 1, sizeof(text), fp);
	fclose(fp);
	if (mail_template_parse(&templates_mem, text, len, out, e) == 0)
		return 0;
	snprintf(why, sizeof(why), "%s", e->message);
	return err_set(
	    e, "invalid_template", "%.300s:%u: %.150s", path, e->line, why);
}

static int
public_url_make(const struct config *c, struct err *e)
{
	const char *url = c->public_url;
	size_t len = strlen(url);

	public_url = malloc(len + strlen(c->listen) + 16);
	if (public_url == NULL)
		return err_memory(e);
	if (len == 0) {
		sprintf(public_url, "http://%s", c->listen);
		return 0;
	}
	if ((strncmp(url, "http://", 7) != 0 &&
		strncmp(url, "https://", 8) != 0) ||
	    strpbrk(url, " \"<>?#\\") != NULL)
		return err_set(e, "invalid_value",
		    "public_url must be http:// or https:// with a host");
	while (url[len - 1] == '/')
		len--;
	sprintf(public_url, "%.*s", (int)len, url);
	return 0;
}

int
mail_text_create(const struct config *c, struct err *e)
{
	char address[MAIL_ADDRESS_MAX + 1];
	size_t i;

	mem_create(&templates_mem, 0);
	for (i = 0; i < NAMES; i++)
		if (template_load(c->assets, names[i].name, &templates[i], e) !=
		    0)
			return -1;
	from = c->mail_from;
	if (!mail_from_parse(from, address))
		return err_set(e, "invalid_value",
		    "mail_from must be NAME <LOCAL@DOMAIN> or LOCAL@DOMAIN");
	return public_url_make(c, e);
}

/* --- rendering ------------------------------------------------------------ */

/* NAMES: there is none. */
static size_t
template_find(const char *name)
{
	size_t i;

	for (i = 0; i < NAMES; i++)
		if (strcmp(names[i].name, name) == 0)
			break;
	return i;
}

enum mail_token
mail_text_token(const char *template)
{
	size_t i = template_find(template);

	return i < NAMES ? names[i].token : MAIL_TOKEN_NONE;
}

static size_t
values_collect(const struct mail_text *t, struct mem *m,
    struct mail_value values[VALUES_MAX])
{
	const struct json *data = NULL;
	struct err e;
	size_t n = 0;
	uint32_t i;

	values[n++] = (struct mail_value){"recipient", t->recipient};
	values[n++] = (struct mail_value){"public_url", public_url};
	values[n++] = (struct mail_value){"time", t->time};
	if (t->token != NULL)
		values[n++] = (struct mail_value){"token", t->token};
	err_clear(&e);
	if (json_parse(m, t->data, t->data_len, NULL, &data, &e) != 0 ||
	    data->type != JSON_OBJECT)
		return n;
	for (i = 0; i < data->count && n < VALUES_MAX; i++)
		if (data->members[i].value->type == JSON_STRING)
			values[n++] = (struct mail_value){data->members[i].name,
			    data->members[i].value->string};
	return n;
}

static void
message_write(const struct mail_text *t, struct buf *subject,
    const struct buf *body, struct buf *out)
{
	char id[UUID_TEXT];
	struct mail_message message = {.from = from,
	    .recipient = t->recipient,
	    .subject = subject->data,
	    .body = body->data,
	    .id = id,
	    .at_us = clock_real_us()};

	uuid_format(&t->id, id);
	if (subject->len > MAIL_SUBJECT_MAX)
		utf8_cut(subject->data, MAIL_SUBJECT_MAX);
	mail_message_write(&message, out);
}

int
mail_text_render(
    const struct mail_text *t, struct mem *m, struct buf *out, struct err *e)
{
	size_t which = template_find(t->template);
	struct mail_value values[VALUES_MAX];
	struct buf subject, body;
	size_t count;
	int rc;

	if (which == NAMES)
		return err_set(e, "no_template", "there is no such template");
	if (!mail_address_valid(t->recipient))
		return err_set(
		    e, "invalid_address", "the recipient is no mail address");
	count = values_collect(t, m, values);
	buf_create(&subject, MESSAGE_MAX);
	buf_create(&body, MESSAGE_MAX);
	rc = mail_template_render(
	    templates[which].subject, values, count, &subject, e);
	if (rc == 0)
		rc = mail_template_render(
		    templates[which].body, values, count, &body, e);
	if (rc == 0)
		message_write(t, &subject, &body, out);
	buf_free(&subject);
	buf_free(&body);
	if (rc == 0 && (buf_failed(out) || mem_failed(m)))
		return err_memory(e);
	return rc;
}
