/* settings.c - openctl config: the settings in force. */

#include <stdio.h>
#include <string.h>

#include "dag/json.h"
#include "openctl.h"

/* Hidden in the listing; `config KEY` tells them to whoever asks for one. */
static const char *const secrets[] = {
    "admin_password", "database_url", "database_owner_url", "secret_key"};

static bool
is_secret(const char *line, size_t key_len)
{
	size_t i;

	for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strlen(secrets[i]) == key_len &&
		    memcmp(secrets[i], line, key_len) == 0)
			return true;
	return false;
}

static void
line_print(const struct ctl *ctl, const char *line, size_t len, bool first)
{
	size_t key = strcspn(line, "=");
	bool hide = key + 1 < len && is_secret(line, key);
	const char *value = hide ? "(hidden)" : line + key + 1;
	size_t value_len = hide ? strlen(value) : len - key - 1;
	struct buf b;

	if (!ctl->json) {
		printf("%.*s=%.*s\n", (int)key, line, (int)value_len, value);
		return;
	}
	buf_create(&b, 0);
	json_write_string(&b, line, key);
	buf_puts(&b, ": ");
	json_write_string(&b, value, value_len);
	printf("%s%s", first ? " " : ",\n ", buf_failed(&b) ? "" : b.data);
	buf_free(&b);
}

enum ctl_exit
config_command(struct ctl *ctl)
{
	bool one = ctl->args.operand_count == 1;
	struct buf b;
	const char *line;
	size_t len;

	buf_create(&b, 0);
	if (config_print(
		&ctl->config, one ? ctl->args.operands[0] : NULL, &b) != 0) {
		buf_free(&b);
		return ctl_fail(
		    "there is no setting '%s'", ctl->args.operands[0]);
	}
	if (one || buf_failed(&b)) {
		fputs(buf_failed(&b) ? "" : b.data, stdout);
		buf_free(&b);
		return CTL_DONE;
	}
	fputs(ctl->json ? "{\n" : "", stdout);
	for (line = b.data; *line != '\0'; line += len + 1) {
		len = strcspn(line, "\n");
		line_print(ctl, line, len, line == b.data);
		if (line[len] == '\0')
			break;
	}
	fputs(ctl->json ? "\n}\n" : "", stdout);
	buf_free(&b);
	return CTL_DONE;
}
