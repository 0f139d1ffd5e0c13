/* sql_target.c - what a connection text may say, and which addresses it leads
 * to. Files, services, sockets and the environment of the server are not for
 * tenants: every option that would look there is given a value here. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "exec/http_address.h"
#include "exec/sql_client.h"

#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"
#define NOWHERE "/dev/null/none" /* a file that is not there */

static const char *const accepted[] = {"host", "port", "dbname", "user",
    "password", "sslmode", "application_name", "options", "connect_timeout"};

/* The keyword as a constant; NULL: it is not for tenants. */
static const char *
accepted_find(const char *keyword)
{
	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++)
		if (strcmp(keyword, accepted[i]) == 0)
			return accepted[i];
	return NULL;
}

static void
put(struct sql_target *t, const char *keyword, const char *value)
{
	if (t->count == SQL_OPTIONS)
		return;
	t->keywords[t->count] = keyword;
	t->values[t->count++] = value;
}

static int
fault(struct err *e, const char *text)
{
	err_set(e, "invalid_connection", "%s", text);
	return -1;
}

static bool
is_port(const char *s)
{
	size_t len = strlen(s);

	return len > 0 && len <= 5 && strspn(s, "0123456789") == len &&
	       atoi(s) > 0 && atoi(s) < 65536;
}

static int
option_take(struct sql_target *t, struct mem *m, const PQconninfoOption *o,
    struct err *e)
{
	const char *keyword = accepted_find(o->keyword);
	const char *value;

	if (keyword == NULL) {
		err_set(e, "invalid_connection",
		    "The connection must not say \"%s\".", o->keyword);
		return -1;
	}
	if ((value = mem_strdup(m, o->val)) == NULL)
		return fault(e, "Out of memory.");
	if (strcmp(keyword, "host") == 0)
		t->host = value;
	else if (strcmp(keyword, "port") == 0)
		t->port = value;
	if (strcmp(keyword, "sslmode") == 0)
		t->tls = value;
	if (strcmp(keyword, "connect_timeout") != 0) /* the node's timeout */
		put(t, keyword, value);
	return 0;
}

static int
check(const struct sql_target *t, struct err *e)
{
	if (t->host == NULL || t->host[0] == '\0')
		return fault(e, "The connection names no host.");
	if (t->host[0] == '/' || t->host[0] == '@')
		return fault(
		    e, "The connection names a socket; only hosts are for it.");
	if (strchr(t->host, ',') != NULL || strlen(t->host) >= NAMES_HOST)
		return fault(e, "The connection must name one host.");
	if (!is_port(t->port))
		return fault(e, "The port of the connection is not one.");
	return 0;
}

int
sql_target_read(
    struct sql_target *t, struct mem *m, const char *text, struct err *e)
{
	PQconninfoOption *options;
	int rc = 0;

	*t = (struct sql_target){.port = "5432"};
	/* Without "=" or "://" libpq would take the text as a name. */
	if (strchr(text, '=') == NULL && strstr(text, "://") == NULL)
		return fault(e, "The connection is neither a URL such as "
				"postgresql://user:password@host/database nor "
				"a list of keyword=value.");
	options = PQconninfoParse(text, NULL);
	if (options == NULL)
		return fault(e, "The connection can't be read.");
	for (PQconninfoOption *o = options; o->keyword != NULL && rc == 0; o++)
		if (o->val != NULL)
			rc = option_take(t, m, o, e);
	PQconninfoFree(options);
	return rc != 0 ? rc : check(t, e);
}

/* --- addresses ------------------------------------------------------------ */

static bool
parse(const char *text, struct sockaddr_storage *out, socklen_t *len)
{
	struct sockaddr_in *in4 = (void *)out;
	struct sockaddr_in6 *in6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		*len = sizeof(*in4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		*len = sizeof(*in6);
		return true;
	}
	return false;
}

static bool
is_loopback(const struct sockaddr_storage *a)
{
	const struct sockaddr_in *in4 = (const void *)a;
	const struct sockaddr_in6 *in6 = (const void *)a;

	if (a->ss_family == AF_INET)
		return ntohl(in4->sin_addr.s_addr) >> 24 == 127 ||
		       in4->sin_addr.s_addr == 0;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
	       IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) ||
	       IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
}

bool
sql_target_is_address(const char *host)
{
	struct sockaddr_storage a;
	socklen_t len;

	return parse(host, &a, &len);
}

/* Every loopback address leads to the same server. */
static bool
is_own(const struct sql_settings *s, const char *address,
    const struct sockaddr_storage *a, const char *port)
{
	for (const char *const *own = s->own; own != NULL && *own != NULL;
	     own++) {
		size_t len = strcspn(*own, " ");
		struct sockaddr_storage other;
		char text[NAMES_HOST];
		socklen_t other_len;

		if (len >= sizeof(text) || (*own)[len] == '\0' ||
		    atoi(*own + len + 1) != atoi(port))
			continue;
		memcpy(text, *own, len);
		text[len] = '\0';
		if (strcmp(text, address) == 0 ||
		    (parse(text, &other, &other_len) && is_loopback(&other) &&
			is_loopback(a)))
			return true;
	}
	return false;
}

const char *
sql_target_address(const struct sql_settings *s, unsigned allowed,
    struct mem *m, const char *list, const char *port, bool *public)
{
	while (*list != '\0') {
		bool bracket = *list == '[';
		const char *from = list + bracket;
		size_t len = strcspn(from, bracket ? "]" : ",");
		const char *address = mem_strndup(m, from, len);
		struct sockaddr_storage a;
		socklen_t a_len;

		list = from + len;
		list += strspn(list, "],");
		if (address == NULL)
			return NULL;
		if (!parse(address, &a, &a_len) || is_own(s, address, &a, port))
			continue;
		*public = http_address_public((const void *)&a, a_len);
		if (*public || (allowed & ALLOW_PRIVATE_ADDRESSES) != 0)
			return address;
	}
	return NULL;
}

void
sql_target_finish(struct sql_target *t, const struct sql_settings *s,
    const char *address, bool public)
{
	put(t, "hostaddr", address);
	if (t->tls == NULL)
		put(t, "sslmode", t->tls = public ? "verify-full" : "prefer");
	/* Where there are authorities, libpq checks certificates in every mode.
	 */
	if (strncmp(t->tls, "verify-", 7) != 0)
		put(t, "sslrootcert", NOWHERE);
	else
		put(t, "sslrootcert",
		    s->ca_file != NULL ? s->ca_file : CA_FILE);
	put(t, "gssencmode", "disable");
	put(t, "client_encoding", "UTF8");
	put(t, "passfile", "/dev/null");
	put(t, "sslcert", NOWHERE);
	put(t, "sslkey", NOWHERE);
	t->keywords[t->count] = t->values[t->count] = NULL;
}
