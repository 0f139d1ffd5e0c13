/* own_database.c - the addresses of the configured database's hosts. */
#include "web/own_database.h"

#include <libpq-fe.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#define ADDRESSES_MAX 32
#define ADDRESS_TEXT  80

static char texts[ADDRESSES_MAX][ADDRESS_TEXT];
static const char *list[ADDRESSES_MAX + 1];
static unsigned count;

static int
host_add(const char *host, const char *port, struct err *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found, *a;
	char address[64];
	int rc;

	if (host[0] == '/' || host[0] == '@')
		return 0;
	if ((rc = getaddrinfo(host, NULL, &hints, &found)) != 0) {
		err_set(e, "not_found",
		    "The database's host %s has no address: %s.", host,
		    gai_strerror(rc));
		return -1;
	}
	rc = 0;
	for (a = found; a != NULL && rc == 0; a = a->ai_next) {
		if (getnameinfo(a->ai_addr, a->ai_addrlen, address,
			sizeof(address), NULL, 0, NI_NUMERICHOST) != 0)
			continue;
		if (count == ADDRESSES_MAX) {
			err_set(e, "too_many_hosts",
			    "The database has more than %d addresses.",
			    ADDRESSES_MAX);
			rc = -1;
			break;
		}
		snprintf(texts[count], ADDRESS_TEXT, "%s %.8s", address, port);
		list[count] = texts[count];
		count++;
	}
	freeaddrinfo(found);
	return rc;
}

/* The i-th of texts separated by commas, or the last one; libpq lets one port
 * stand for all hosts. */
static const char *
item(const char *items, unsigned i, char *out, size_t size)
{
	for (; i > 0 && strchr(items, ',') != NULL; i--)
		items = strchr(items, ',') + 1;
	snprintf(out, size, "%.*s", (int)strcspn(items, ","), items);
	return i > 0 && out[0] == '\0' ? NULL : out;
}

static int
hosts_add(const char *hosts, const char *ports, struct err *e)
{
	char host[300], port[16];
	unsigned i, n = 1;

	for (const char *c = hosts; *c != '\0'; c++)
		n += *c == ',';
	for (i = 0; i < n; i++) {
		item(hosts, i, host, sizeof(host));
		item(ports, i, port, sizeof(port));
		if (host[0] != '\0' &&
		    host_add(host, port[0] != '\0' ? port : "5432", e) != 0)
			return -1;
	}
	return 0;
}

const char *const *
own_database(const struct config *c, struct err *e)
{
	const char *hosts = "", *addresses = "", *ports = "5432";
	PQconninfoOption *options;
	struct buf text;
	int rc;

	buf_create(&text, 0);
	config_database(c, false, &text);
	options = buf_failed(&text) ? NULL : PQconninfoParse(text.data, NULL);
	buf_free(&text);
	if (options == NULL) {
		err_set(e, "invalid_value", "database_url can't be read.");
		return NULL;
	}
	for (PQconninfoOption *o = options; o->keyword != NULL; o++) {
		if (o->val == NULL)
			continue;
		if (strcmp(o->keyword, "host") == 0)
			hosts = o->val;
		else if (strcmp(o->keyword, "hostaddr") == 0)
			addresses = o->val;
		else if (strcmp(o->keyword, "port") == 0)
			ports = o->val;
	}
	rc = hosts_add(addresses[0] != '\0' ? addresses : hosts, ports, e);
	PQconninfoFree(options);
	return rc == 0 ? list : NULL;
}
