/* config.c - settings: a table of keys, read from a flat YAML file and from the
 * environment, checked and kept in struct config. */

#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <yaml.h>

#include "base/clock.h"
#include "web/config.h"
#include "web/config_value.h"

#define KEY(type, field, fallback, min, max)                                   \
	{                                                                      \
#field, type, offsetof(struct config, field), fallback, min,   \
		    max, NULL                                                  \
	}
#define CHOICE(field, fallback, choices)                                       \
	{                                                                      \
#field, KEY_CHOICE, offsetof(struct config, field), fallback,  \
		    0, 0, choices                                              \
	}

/* In the order of conf/open.yaml. */
static const struct key keys[] = {
    KEY(KEY_LISTEN, listen, "127.0.0.1:8080", 1, 300),
    KEY(KEY_STRING, tls_certificate, "", 0, 4000),
    KEY(KEY_STRING, tls_key, "", 0, 4000),
    KEY(KEY_STRING, data, ".data", 1, 4000),
    KEY(KEY_STRING, migrations, "migrations", 1, 4000),
    KEY(KEY_STRING, database_url, "", 0, 8000),
    KEY(KEY_STRING, database_owner_url, "", 0, 8000),
    KEY(KEY_COUNT, workers, "0", 0, 64),
    KEY(KEY_STRING, secret_key_file, "", 0, 4000),
    KEY(KEY_STRING, secret_key, "", 0, 100),
    KEY(KEY_STRING, admin_email, "admin@demo.test", 3, 254),
    KEY(KEY_STRING, admin_password, "", 0, 1000),
    CHOICE(log, "info", "error warning info debug"),
    KEY(KEY_DURATION, request_timeout, "10s", 100 * MS, 600 * S),
    KEY(KEY_BYTES, body_limit, "5MiB", KIB, GIB),
    KEY(KEY_COUNT, max_connections, "4096", 16, 65536),
    KEY(KEY_DURATION, token_cache, "2s", 0, 60 * S),
    KEY(KEY_DURATION, session_lifetime, "14d", 60 * S, 86400 * S * 3650),
    KEY(KEY_STRING, origins, "", 0, 4000),
    KEY(KEY_STRING, proxies, "", 0, 4000),
    KEY(KEY_RATE, rate_credential, "10000/1s", 0, INT64_MAX),
    KEY(KEY_RATE, rate_refused, "1000/1m", 0, INT64_MAX),
    KEY(KEY_RATE, rate_sign_in, "10/15m", 0, INT64_MAX),
    KEY(KEY_RATE, rate_sign_in_address, "60/1m", 0, INT64_MAX),
    KEY(KEY_RATE, rate_sign_in_account, "100/1h", 0, INT64_MAX),
    KEY(KEY_RATE, rate_reset_address, "10/1h", 0, INT64_MAX),
    KEY(KEY_RATE, rate_reset_account, "3/1h", 0, INT64_MAX),
    KEY(KEY_RATE, rate_register, "20/1h", 0, INT64_MAX),
    CHOICE(graphql_status_codes, "audits", "audits draft"),
    CHOICE(graphql_explain, "off", "off on"),
    CHOICE(registration, "invitation", "closed invitation open"),
    KEY(KEY_DURATION, lease, "10s", S, 600 * S),
    KEY(KEY_COUNT, database_connections, "8", 1, 100),
    KEY(KEY_COUNT, system_connections, "4", 3, 100),
    KEY(KEY_DURATION, database_connect_timeout, "3s", 100 * MS, 60 * S),
    KEY(KEY_BYTES, shared_memory, "256MiB", 8 * MIB, 32 * GIB),
    KEY(KEY_COUNT, max_runs, "16384", 16, 1000000),
    KEY(KEY_COUNT, max_plans, "1024", 1, 1000000),
    KEY(KEY_DURATION, flush_interval, "50ms", MS, 1000 * MS),
    CHOICE(pin, "on", "off on"),
    KEY(KEY_STRING, op_modules, "", 0, 8000),
    KEY(KEY_BYTES, document_limit, "4MiB", KIB, 256 * MIB),
    KEY(KEY_COUNT, node_limit, "100000", 1, 10000000),
    KEY(KEY_COUNT, dependency_limit, "1000000", 1, 100000000),
    KEY(KEY_COUNT, for_each_limit, "100000", 1, 10000000),
    KEY(KEY_BYTES, context_limit, "1MiB", 64, 256 * MIB),
    KEY(KEY_BYTES, result_limit, "1MiB", 64, 256 * MIB),
    KEY(KEY_COUNT, dag_depth_limit, "16", 0, 1000),
    KEY(KEY_DURATION, history_retention, "365d", 0, 86400 * S * 36500),
    KEY(KEY_DURATION, audit_retention, "400d", 86400 * S * 30,
	86400 * S * 36500),
    KEY(KEY_COUNT, compute_threads, "0", 0, 256),
    KEY(KEY_DURATION, lua_time, "1s", MS, 86400 * S),
    KEY(KEY_BYTES, lua_memory, "64MiB", 256 * KIB, 64 * GIB),
    KEY(KEY_COUNT, http_concurrency, "4096", 4, 65536),
    KEY(KEY_BYTES, http_memory, "256MiB", MIB, 64 * GIB),
    KEY(KEY_COUNT, sql_connections, "256", 1, 10000),
    KEY(KEY_COUNT, sql_pool_connections, "8", 1, 1000),
    KEY(KEY_COUNT, command_concurrency, "0", 0, 4096),
    KEY(KEY_DURATION, command_kill_after, "5s", 0, 600 * S),
    KEY(KEY_BYTES, command_log_limit, "64KiB", 0, 64 * MIB),
    KEY(KEY_STRING, assets, "assets", 1, 4000),
    KEY(KEY_STRING, public_url, "", 0, 1000),
    KEY(KEY_STRING, smtp_url, "", 0, 1000),
    KEY(KEY_STRING, smtp_password, "", 0, 1000),
    CHOICE(smtp_tls, "required", "off try required"),
    KEY(KEY_STRING, smtp_ca_file, "", 0, 4000),
    KEY(KEY_STRING, mail_from, "OPEN <open@localhost>", 3, 320),
    KEY(KEY_DURATION, mail_timeout, "30s", 100 * MS, 600 * S),
    KEY(KEY_DURATION, mail_retry, "10s", 10 * MS, 3600 * S),
    KEY(KEY_DURATION, mail_give_up, "24h", S, 86400 * S * 30),
    CHOICE(command_sandbox, "auto", "off auto"),
    KEY(KEY_STRING, command_user, "nobody", 1, 64),
};
#define KEY_TOTAL (sizeof(keys) / sizeof(keys[0]))

static char **
field_string(const struct config *c, const struct key *key)
{
	return (char **)(void *)((char *)(uintptr_t)c + key->offset);
}

static int64_t *
field_number(const struct config *c, const struct key *key)
{
	return (int64_t *)(void *)((char *)(uintptr_t)c + key->offset);
}

static bool
key_is_text(const struct key *key)
{
	return key->type == KEY_STRING || key->type == KEY_LISTEN;
}

/* "host:port", "[::1]:port"; nothing before the colon: every address. */
static int
listen_split(struct config *c)
{
	const char *colon, *host;
	size_t len;

	colon = strrchr(c->listen, ':');
	if (colon == NULL || !count_parse(colon + 1, &c->listen_port) ||
	    c->listen_port < 1 || c->listen_port > 65535)
		return -1;
	host = c->listen;
	len = (size_t)(colon - host);
	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	} else if (memchr(host, ':', len) != NULL) {
		return -1;
	}
	free(c->listen_host);
	c->listen_host = len == 0 ? strdup("0.0.0.0") : strndup(host, len);
	return c->listen_host == NULL ? -1 : 0;
}

/* Stores a value. shown: how the user calls the key, where: file or
 * "environment". */
static int
key_set(struct config *c, const struct key *key, const char *text,
    const char *shown, const char *where, struct err *e)
{
	char expected[200];
	char **string;
	int64_t n;
	bool ok;

	if (key_is_text(key)) {
		n = (int64_t)strlen(text);
		ok = n >= key->min && n <= key->max &&
		     strpbrk(text, "\r\n") == NULL;
		if (ok) {
			string = field_string(c, key);
			free(*string);
			if ((*string = strdup(text)) == NULL)
				return err_memory(e);
		}
		if (ok && key->type == KEY_LISTEN)
			ok = listen_split(c) == 0;
	} else {
		ok = number_parse(key, text, &n) &&
		     (key->type == KEY_CHOICE ||
			 (n >= key->min && n <= key->max));
		if (ok)
			*field_number(c, key) = n;
	}
	if (ok)
		return 0;
	expectation(key, expected, sizeof(expected));
	return err_set(
	    e, "invalid_value", "%s: %s must be %s", where, shown, expected);
}

static const struct key *
key_find(const char *name)
{
	size_t i;

	for (i = 0; i < KEY_TOTAL; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/* --- the file: one mapping of scalars ------------------------------------- */

struct file {
	yaml_parser_t parser;
	yaml_event_t event;
	const char *path;
	struct config *config;
	struct err *e;
	bool seen[KEY_TOTAL];
};

static int
file_fail(struct file *f, const yaml_mark_t *at, const char *code,
    const char *message)
{
	err_set(f->e, code, "%s: %s", f->path, message);
	if (f->e != NULL) {
		f->e->line = (uint32_t)at->line + 1;
		f->e->column = (uint32_t)at->column + 1;
	}
	return -1;
}

static int
file_next(struct file *f)
{
	yaml_event_delete(&f->event);
	if (yaml_parser_parse(&f->parser, &f->event))
		return 0;
	memset(&f->event, 0, sizeof(f->event));
	return file_fail(f, &f->parser.problem_mark, "invalid_yaml",
	    f->parser.problem == NULL ? "cannot be read" : f->parser.problem);
}

/* An empty value means an empty text. */
static int
file_pair(struct file *f)
{
	const char *name = (const char *)f->event.data.scalar.value;
	const struct key *key = key_find(name);
	yaml_mark_t at = f->event.start_mark;
	char message[256];

	if (key == NULL) {
		snprintf(message, sizeof(message), "unknown key %s", name);
		return file_fail(f, &at, "unknown_key", message);
	}
	if (f->seen[key - keys]) {
		snprintf(message, sizeof(message), "%s is given twice", name);
		return file_fail(f, &at, "duplicate_key", message);
	}
	f->seen[key - keys] = true;
	if (file_next(f) != 0)
		return -1;
	at = f->event.start_mark;
	if (f->event.type != YAML_SCALAR_EVENT) {
		snprintf(message, sizeof(message), "%s must be one value",
		    key->name);
		return file_fail(f, &at, "invalid_value", message);
	}
	if (key_set(f->config, key, (const char *)f->event.data.scalar.value,
		key->name, f->path, f->e) != 0) {
		if (f->e != NULL) {
			f->e->line = (uint32_t)at.line + 1;
			f->e->column = (uint32_t)at.column + 1;
		}
		return -1;
	}
	return 0;
}

static int
file_document(struct file *f)
{
	do {
		if (file_next(f) != 0)
			return -1;
		if (f->event.type == YAML_STREAM_END_EVENT)
			return 0; /* nothing but comments */
	} while (f->event.type == YAML_STREAM_START_EVENT ||
		 f->event.type == YAML_DOCUMENT_START_EVENT);
	if (f->event.type == YAML_SCALAR_EVENT &&
	    f->event.data.scalar.length == 0)
		return 0;
	if (f->event.type != YAML_MAPPING_START_EVENT)
		return file_fail(f, &f->event.start_mark, "invalid_yaml",
		    "must be `key: value` lines");
	for (;;) {
		if (file_next(f) != 0)
			return -1;
		if (f->event.type == YAML_MAPPING_END_EVENT)
			return 0;
		if (f->event.type != YAML_SCALAR_EVENT)
			return file_fail(f, &f->event.start_mark,
			    "invalid_yaml", "a key must be a word");
		if (file_pair(f) != 0)
			return -1;
	}
}

static int
file_read(const char *path, struct config *c, struct err *e)
{
	struct file f;
	FILE *fp;
	int rc;

	if ((fp = fopen(path, "r")) == NULL)
		return err_set(e, "not_found", "%s: %s", path, strerror(errno));
	memset(&f, 0, sizeof(f));
	f.path = path;
	f.config = c;
	f.e = e;
	if (!yaml_parser_initialize(&f.parser)) {
		fclose(fp);
		return err_memory(e);
	}
	yaml_parser_set_input_file(&f.parser, fp);
	rc = file_document(&f);
	yaml_event_delete(&f.event);
	yaml_parser_delete(&f.parser);
	fclose(fp);
	return rc;
}

/* --- the environment ------------------------------------------------------ */

static int
environment_read(struct config *c, struct err *e)
{
	char name[64];
	const char *value;
	size_t i, j;

	for (i = 0; i < KEY_TOTAL; i++) {
		snprintf(name, sizeof(name), "OPEN_%s", keys[i].name);
		for (j = 0; name[j] != '\0'; j++)
			name[j] = (char)toupper((unsigned char)name[j]);
		if ((value = getenv(name)) == NULL)
			continue;
		if (value[0] == '\0' && keys[i].min > 0)
			continue;
		if (value[0] == '\0' && !key_is_text(&keys[i]))
			continue;
		if (key_set(c, &keys[i], value, name, "environment", e) != 0)
			return -1;
	}
	return 0;
}

static int
defaults(struct config *c, struct err *e)
{
	size_t i;

	for (i = 0; i < KEY_TOTAL; i++)
		if (key_set(c, &keys[i], keys[i].fallback, keys[i].name,
			"default", e) != 0)
			return -1;
	return 0;
}

/* Zero means "as many as there are CPUs". */
static void
resolve(struct config *c)
{
	int64_t cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (cpus < 1)
		cpus = 1;
	if (cpus > 64)
		cpus = 64;
	if (c->workers == 0)
		c->workers = cpus;
	if (c->compute_threads == 0)
		c->compute_threads = cpus;
}

/* What doesn't go together. */
static int
together(const struct config *c, struct err *e)
{
	if (!c->graphql_explain || strcmp(c->listen_host, "::1") == 0 ||
	    strncmp(c->listen_host, "127.", 4) == 0)
		return 0;
	return err_set(e, "invalid_value",
	    "graphql_explain is for development: with it on, listen must be "
	    "an address of this machine alone (127.0.0.1 or [::1])");
}

int
config_load(const char *path, struct config *c, struct err *e)
{
	static const char usual[] = "conf/open.yaml";

	memset(c, 0, sizeof(*c));
	if (path == NULL)
		path = getenv("OPEN_CONFIG");
	if (path == NULL || path[0] == '\0')
		path = access(usual, F_OK) == 0 ? usual : NULL;
	if (defaults(c, e) != 0 ||
	    (path != NULL && file_read(path, c, e) != 0) ||
	    environment_read(c, e) != 0) {
		config_free(c);
		return -1;
	}
	resolve(c);
	if (together(c, e) != 0) {
		config_free(c);
		return -1;
	}
	return 0;
}

void
config_free(struct config *c)
{
	size_t i;

	for (i = 0; i < KEY_TOTAL; i++)
		if (key_is_text(&keys[i]))
			free(*field_string(c, &keys[i]));
	free(c->listen_host);
	memset(c, 0, sizeof(*c));
}

bool
config_lists(const char *list, const char *word, size_t len)
{
	size_t n;

	for (; *list != '\0'; list += n) {
		list += strspn(list, " ,");
		n = strcspn(list, " ,");
		if (n == len && n > 0 && strncasecmp(list, word, n) == 0)
			return true;
	}
	return false;
}

static void
value_print(const struct config *c, const struct key *key, struct buf *out)
{
	if (key_is_text(key))
		buf_puts(out, *field_string(c, key));
	else
		number_format(key, *field_number(c, key), out);
}

int
config_print(const struct config *c, const char *name, struct buf *out)
{
	const struct key *key;
	size_t i;

	if (name == NULL) {
		for (i = 0; i < KEY_TOTAL; i++) {
			buf_printf(out, "%s=", keys[i].name);
			value_print(c, &keys[i], out);
			buf_putc(out, '\n');
		}
		buf_printf(out, "listen_host=%s\nlisten_port=%lld\n",
		    c->listen_host, (long long)c->listen_port);
		return 0;
	}
	if (strcmp(name, "listen_host") == 0)
		buf_puts(out, c->listen_host);
	else if (strcmp(name, "listen_port") == 0)
		buf_printf(out, "%lld", (long long)c->listen_port);
	else if ((key = key_find(name)) != NULL)
		value_print(c, key, out);
	else
		return -1;
	buf_putc(out, '\n');
	return 0;
}

/* A value in a libpq connection string: quotes and backslashes escaped. */
static void
conninfo_value(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s='", name);
	for (; *value != '\0'; value++) {
		if (*value == '\'' || *value == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *value);
	}
	buf_puts(out, "' ");
}

void
config_database(const struct config *c, bool owner, struct buf *out)
{
	char *data, *cwd = NULL;
	struct buf host;

	if (owner && c->database_owner_url[0] != '\0') {
		buf_puts(out, c->database_owner_url);
		return;
	}
	if (c->database_url[0] != '\0') {
		buf_puts(out, c->database_url);
		return;
	}
	data = realpath(c->data, NULL);
	if (data == NULL && c->data[0] != '/')
		cwd = getcwd(NULL, 0);
	buf_create(&host, 0);
	buf_printf(&host, "%s%s%s/run", cwd == NULL ? "" : cwd,
	    cwd == NULL ? "" : "/", data == NULL ? c->data : data);
	free(cwd);
	free(data);
	if (buf_failed(&host))
		out->failed = true;
	else
		conninfo_value(out, "host", host.data);
	buf_free(&host);
	buf_printf(out, "port=5432 dbname=open user=%s",
	    owner ? "open_owner" : "open_login");
}
