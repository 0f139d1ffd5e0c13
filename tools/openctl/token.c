/* token.c - API tokens: made, listed, revoked. */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "openctl.h"
#include "openctl_sql.h"
#include "web/credential.h"

/* The id of the user that --user names, in ctl->mem; NULL after telling. */
static const char *
user_named(struct ctl *ctl, const char *organization)
{
	const char *email = args_get(&ctl->args, "user");

	db_text(ctl->db, organization);
	db_text(ctl->db, email);
	if (!ctl_query(ctl, &SQL_USER_BY_EMAIL))
		return NULL;
	if (db_count(ctl->db) == 1)
		return mem_strdup(&ctl->mem, db_get(ctl->db, 0, 0));
	ctl_fail("there is no user %s in organization '%s'", email,
	    args_get(&ctl->args, "org"));
	return NULL;
}

static enum ctl_exit
print_token(const struct ctl *ctl, const char *secret)
{
	bool never = db_is_null(ctl->db, 0, 1);

	if (!ctl->json) {
		puts(secret);
		return CTL_DONE;
	}
	printf("{\"id\": \"%s\", \"token\": \"%s\", \"expires_at\": %s%s%s}\n",
	    db_get(ctl->db, 0, 0), secret, never ? "" : "\"",
	    never ? "null" : db_get(ctl->db, 0, 1), never ? "" : "\"");
	return CTL_DONE;
}

/* "read,execute" as an array of PostgreSQL in ctl->mem; without --scope: all.
 * NULL after telling what is wrong. */
static const char *
scopes_given(struct ctl *ctl)
{
	const char *text = args_get(&ctl->args, "scope"), *p, *names[4];
	unsigned scopes = text == NULL ? SCOPE_ALL : 0, one;
	char array[64] = "{";
	size_t i, n, len;

	for (p = text; p != NULL; p = p[len] == ',' ? p + len + 1 : NULL) {
		len = strcspn(p, ",");
		if ((one = scope_named(p, len)) == 0) {
			ctl_usage("--scope '%s' is not read, execute, write or "
				  "admin, or several with commas between",
			    text);
			return NULL;
		}
		scopes |= one;
	}
	n = scopes_list(scopes, names);
	for (i = 0; i < n; i++) {
		strcat(array, i == 0 ? "" : ",");
		strcat(array, names[i]);
	}
	strcat(array, "}");
	return mem_strdup(&ctl->mem, array);
}

enum ctl_exit
token_create(struct ctl *ctl)
{
	const char *expires = args_get(&ctl->args, "expires");
	const char *organization, *user, *scopes;
	char secret[CREDENTIAL_TEXT], seconds[32],
	    prefix[CREDENTIAL_PREFIX + 1];
	uint8_t hash[CREDENTIAL_HASH];
	struct err e = {0};
	int64_t ns = 0;

	if (expires != NULL &&
	    (!duration_parse(expires, strlen(expires), &ns) || ns == 0))
		return ctl_usage("--expires '%s' is no duration like 30d or "
				 "12h",
		    expires);
	if ((scopes = scopes_given(ctl)) == NULL)
		return CTL_USAGE;
	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL ||
	    (user = user_named(ctl, organization)) == NULL)
		return CTL_FAILED;
	if (credential_new(CREDENTIAL_TOKEN, secret, &e) != 0)
		return ctl_fail("%s", e.message);
	credential_hash(secret, CREDENTIAL_LEN, hash);
	snprintf(seconds, sizeof(seconds), "%.6f", (double)ns / 1e9);
	db_text(ctl->db, organization);
	db_text(ctl->db, user);
	db_text(ctl->db, args_get(&ctl->args, "name"));
	db_bytes(ctl->db, hash, sizeof(hash));
	db_text(ctl->db, expires == NULL ? NULL : seconds);
	db_text(ctl->db, scopes);
	memcpy(prefix, secret, CREDENTIAL_PREFIX);
	prefix[CREDENTIAL_PREFIX] = '\0';
	db_text(ctl->db, prefix);
	if (!ctl_query(ctl, &SQL_TOKEN_CREATE))
		return CTL_FAILED;
	return print_token(ctl, secret);
}

enum ctl_exit
token_list(struct ctl *ctl)
{
	static const char *const headings[] = {"ID", "USER", "NAME", "SCOPES",
	    "PREFIX", "CREATED", "LAST USED", "EXPIRES", "STATE"};
	const char *organization;

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	db_text(ctl->db, organization);
	if (!ctl_query(ctl, &SQL_TOKENS_LIST))
		return CTL_FAILED;
	ctl_print_rows(ctl, headings);
	return CTL_DONE;
}

enum ctl_exit
token_revoke(struct ctl *ctl)
{
	bool by_secret = args_has(&ctl->args, "token-stdin");
	uint8_t hash[CREDENTIAL_HASH];
	struct uuid id;
	const char *operand = ctl->args.operands[0];
	char *secret;
	size_t len;

	if (by_secret == (ctl->args.operand_count == 1))
		return ctl_usage("token revoke takes an id or --token-stdin");
	if (by_secret) {
		if ((secret = ctl_read_stdin(ctl, 256, &len)) == NULL)
			return CTL_FAILED;
		len = strcspn(secret, "\r\n");
		if (!credential_is_formed(secret, len, "t"))
			return ctl_fail("that is no token");
		credential_hash(secret, len, hash);
	} else if (!uuid_parse(operand, strlen(operand), &id)) {
		return ctl_usage("'%s' is no id of a token; see openctl token "
				 "list",
		    operand);
	}
	if (!ctl_connect(ctl, DB_SYSTEM))
		return CTL_FAILED;
	db_text(ctl->db, by_secret ? NULL : operand);
	if (by_secret)
		db_bytes(ctl->db, hash, sizeof(hash));
	else
		db_text(ctl->db, NULL);
	if (!ctl_query(ctl, &SQL_TOKEN_REVOKE))
		return CTL_FAILED;
	if (db_count(ctl->db) == 0)
		return ctl_fail("there is no such token");
	printf(ctl->json ? "{\"id\": \"%s\"}\n" : "revoked %s\n",
	    db_get(ctl->db, 0, 0));
	return CTL_DONE;
}
