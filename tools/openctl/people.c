/* people.c - organizations and their users. */

#include <stdio.h>
#include <string.h>

#include "dag/document.h"
#include "openctl.h"
#include "openctl_sql.h"
#include "web/password.h"
#include "web/org_settings.h"

/* --- organizations -------------------------------------------------------- */

/* KEY=JSON words as one JSON object in ctl->mem; NULL after telling what is
 * wrong. */
static const char *
settings_read(struct ctl *ctl, const char *const *words, size_t count)
{
	const struct json *value;
	struct err e = {0};
	struct buf b;
	const char *equals, *text;
	size_t i;

	buf_create(&b, 0);
	buf_putc(&b, '{');
	for (i = 0; i < count; i++) {
		equals = strchr(words[i], '=');
		if (equals == NULL || equals == words[i]) {
			ctl_fail("'%s' is not KEY=JSON", words[i]);
			break;
		}
		if (json_parse(&ctl->mem, equals + 1, strlen(equals + 1), NULL,
			&value, &e) != 0) {
			ctl_fail("'%s': %s", words[i], e.message);
			break;
		}
		if (setting_check(words[i], (size_t)(equals - words[i]), value,
			&e) != 0) {
			ctl_fail("'%s': %s", words[i], e.message);
			break;
		}
		if (i > 0)
			buf_putc(&b, ',');
		json_write_string(&b, words[i], (size_t)(equals - words[i]));
		buf_putc(&b, ':');
		json_write(&b, value);
	}
	buf_putc(&b, '}');
	text = i < count || buf_failed(&b)
		   ? NULL
		   : mem_strndup(&ctl->mem, b.data, b.len);
	buf_free(&b);
	return text;
}

static const char *
settings_from_options(struct ctl *ctl)
{
	const char *words[ARGS_OPTIONS_MAX];
	size_t i, n = 0;

	for (i = 0; i < ctl->args.option_count; i++)
		if (strcmp(ctl->args.options[i].name, "set") == 0)
			words[n++] = ctl->args.options[i].value;
	return settings_read(ctl, words, n);
}

/* The id in the first row, alone or as {"id": …, "created": …}. */
static enum ctl_exit
print_id(const struct ctl *ctl, bool created)
{
	const char *id = db_get(ctl->db, 0, 0);

	if (ctl->json)
		printf("{\"id\": \"%s\", \"created\": %s}\n", id,
		    created ? "true" : "false");
	else
		puts(id);
	return CTL_DONE;
}

static enum ctl_exit
organization_refused(const struct ctl *ctl, const struct err *e)
{
	const char *constraint = db_constraint(ctl->db);

	if (strcmp(constraint, "organizations_slug_key") == 0)
		return ctl_fail("there is an organization '%s' already",
		    args_get(&ctl->args, "slug"));
	if (strcmp(constraint, "organizations_name_key") == 0)
		return ctl_fail("there is an organization named '%s' already",
		    ctl->args.operands[0]);
	if (strcmp(constraint, "organizations_slug_check") == 0)
		return ctl_fail("'%s' is no slug: 1 to 63 of a-z, 0-9 and -, "
				"no - at its ends",
		    args_get(&ctl->args, "slug"));
	if (strcmp(constraint, "organizations_name_check") == 0)
		return ctl_fail("a name has 1 to 200 characters");
	return ctl_fail("%s", e->message);
}

enum ctl_exit
org_create(struct ctl *ctl)
{
	const char *slug = args_get(&ctl->args, "slug"), *settings;
	struct err e = {0};

	settings = settings_from_options(ctl);
	if (settings == NULL || !ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	if (args_has(&ctl->args, "if-missing")) {
		db_text(ctl->db, slug);
		if (!ctl_query(ctl, &SQL_ORGANIZATION_BY_SLUG))
			return CTL_FAILED;
		if (db_count(ctl->db) == 1)
			return print_id(ctl, false);
	}
	db_text(ctl->db, ctl->args.operands[0]);
	db_text(ctl->db, slug);
	db_text(ctl->db, settings);
	if (db_query(ctl->db, &SQL_ORGANIZATION_CREATE, &e) != 0)
		return organization_refused(ctl, &e);
	return print_id(ctl, true);
}

static const char *const organization_headings[] = {
    "ID", "SLUG", "NAME", "SETTINGS"};

enum ctl_exit
org_show(struct ctl *ctl)
{
	static const char *const headings[] = {"ID", "SLUG", "NAME",
	    "RETENTION DAYS", "UNFINISHED", "ENDED", "SUCCEEDED", "FAILED",
	    "CANCELLED", "SUCCESS %", "AVERAGE MS"};
	const char *slug = args_get(&ctl->args, "slug");

	if (!ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	db_text(ctl->db, slug);
	if (!ctl_query(ctl, &SQL_ORGANIZATION_SHOW))
		return CTL_FAILED;
	if (db_count(ctl->db) == 0)
		return ctl_fail("there is no organization '%s'", slug);
	ctl_print_rows(ctl, headings);
	return CTL_DONE;
}

enum ctl_exit
org_set(struct ctl *ctl)
{
	const char *slug = args_get(&ctl->args, "slug"), *settings;
	struct err e = {0};

	settings =
	    settings_read(ctl, ctl->args.operands, ctl->args.operand_count);
	if (settings == NULL || !ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	db_text(ctl->db, slug);
	db_text(ctl->db, settings);
	if (db_query(ctl->db, &SQL_ORGANIZATION_SET, &e) != 0)
		return organization_refused(ctl, &e);
	if (db_count(ctl->db) == 0)
		return ctl_fail("there is no organization '%s'", slug);
	ctl_print_rows(ctl, organization_headings);
	return CTL_DONE;
}

static const char *const usage_headings[] = {"SLUG", "COMPUTE SECONDS",
    "QUOTA HOURS", "STORAGE BYTES", "QUOTA GB", "EXECUTIONS THIS MONTH",
    "EXECUTIONS", "MAX EXECUTIONS", "MAX NODES", "POOLS", "EXCEEDED"};

enum ctl_exit
org_usage(struct ctl *ctl)
{
	if (!ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	db_text(ctl->db, ctl->args.operands[0]);
	if (!ctl_query(ctl, &SQL_ORGANIZATION_USAGE))
		return CTL_FAILED;
	if (db_count(ctl->db) == 0)
		return ctl_fail(
		    "there is no organization '%s'", ctl->args.operands[0]);
	ctl_print_rows(ctl, usage_headings);
	return CTL_DONE;
}

enum ctl_exit
org_list(struct ctl *ctl)
{
	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    !ctl_query(ctl, &SQL_ORGANIZATIONS_LIST))
		return CTL_FAILED;
	ctl_print_rows(ctl, organization_headings);
	return CTL_DONE;
}

/* --- users ---------------------------------------------------------------- */

static bool
user_exists(struct ctl *ctl, const char *organization)
{
	db_text(ctl->db, organization);
	db_text(ctl->db, args_get(&ctl->args, "email"));
	return ctl_query(ctl, &SQL_USER_BY_EMAIL) && db_count(ctl->db) == 1;
}

/* Standard input without its line's end. */
static char *
password_read(struct ctl *ctl, size_t *len)
{
	struct err e = {0};
	char *text = ctl_read_stdin(ctl, PASSWORD_MAX + 2, len);

	if (text == NULL)
		return NULL;
	if (*len > 0 && text[*len - 1] == '\n')
		--*len;
	if (*len > 0 && text[*len - 1] == '\r')
		--*len;
	if (password_check(text, *len, &e) == 0)
		return text;
	ctl_fail("%s", e.message);
	return NULL;
}

static enum ctl_exit
user_refused(const struct ctl *ctl, const struct err *e)
{
	const char *email = args_get(&ctl->args, "email");
	const char *constraint = db_constraint(ctl->db);

	if (strcmp(constraint, "users_email_key") == 0)
		return ctl_fail("there is a user with email %s already", email);
	if (strcmp(constraint, "users_email_check") == 0)
		return ctl_fail("'%s' is no email address", email);
	return ctl_fail("%s", e->message);
}

enum ctl_exit
user_create(struct ctl *ctl)
{
	const char *role = args_get(&ctl->args, "role"), *organization;
	char *password, hash[PASSWORD_HASH];
	struct err e = {0};
	size_t len;

	if (strcmp(role, "user") != 0 && strcmp(role, "admin") != 0)
		return ctl_usage("--role is user or admin, not '%s'", role);
	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	if (args_has(&ctl->args, "if-missing") &&
	    user_exists(ctl, organization))
		return print_id(ctl, false);
	if ((password = password_read(ctl, &len)) == NULL)
		return CTL_FAILED;
	if (password_hash(password, len, hash, &e) != 0)
		return ctl_fail("%s", e.message);
	explicit_bzero(password, len);
	db_text(ctl->db, organization);
	db_text(ctl->db, args_get(&ctl->args, "email"));
	db_text(ctl->db, hash);
	db_text(ctl->db, args_get(&ctl->args, "name"));
	db_text(ctl->db, role);
	if (db_query(ctl->db, &SQL_USER_CREATE, &e) != 0)
		return user_refused(ctl, &e);
	return print_id(ctl, true);
}
