/* secrets.c - secrets of organizations: set, listed, deleted, and encrypted
 * again with the newest key. */

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/uuid.h"
#include "dag/secret.h"
#include "openctl.h"
#include "openctl_sql.h"
#include "web/secret_box.h"

/* The keys; the file is made where it is missing, for whoever runs the server:
 * the owner of data/run. */
static bool
ring_load(struct ctl *ctl, struct secret_ring *ring)
{
	const char *run = mem_printf(&ctl->mem, "%s/run", ctl->config.data);
	uid_t owner = (uid_t)-1;
	gid_t group = (gid_t)-1;
	struct err e = {0};
	struct stat st;

	if (run != NULL && stat(run, &st) == 0) {
		owner = st.st_uid;
		group = st.st_gid;
	}
	if (secret_ring_create(&ctl->config, owner, group, &e) == 0 &&
	    secret_ring_load(&ctl->config, ring, &e) == 0)
		return true;
	ctl_fail("%s", e.message);
	return false;
}

/* The name that was given; NULL after telling that it is none. */
static const char *
name_given(const struct ctl *ctl)
{
	const char *name = ctl->args.operands[0];

	if (secret_name_valid(name, strlen(name)))
		return name;
	ctl_usage("'%s' is no name of a secret: 1 to %d letters, digits and "
		  "_, no digit first",
	    name, SECRET_NAME_MAX);
	return NULL;
}

/* --- set ------------------------------------------------------------------ */

/* The value, without its last line end; NULL after telling. */
static char *
value_read(struct ctl *ctl, size_t *len)
{
	char *value = ctl_read_stdin(ctl, SECRET_VALUE_MAX + 2, len);
	const char *why;

	if (value == NULL)
		return NULL;
	if (*len > 0 && value[*len - 1] == '\n')
		--*len;
	if (*len > 0 && value[*len - 1] == '\r')
		--*len;
	why = secret_value_fault(value, *len);
	if (why == NULL)
		return value;
	ctl_fail("%s", why);
	return NULL;
}

static bool
value_write(struct ctl *ctl, const char *organization, const char *name,
    const char *value, size_t len)
{
	uint8_t *sealed = mem_alloc(&ctl->mem, len + SECRET_OVERHEAD);
	struct secret_ring ring;
	struct uuid id;
	struct err e = {0};
	bool good;

	if (sealed == NULL || !uuid_parse(organization, 36, &id))
		return ctl_fail("out of memory") == CTL_DONE;
	if (!ring_load(ctl, &ring))
		return false;
	good = secret_seal(&ring, &id, name, value, len, sealed, &e) == 0;
	if (!good) {
		ctl_fail("%s", e.message);
	} else {
		db_text(ctl->db, organization);
		db_text(ctl->db, name);
		db_bytes(ctl->db, sealed, len + SECRET_OVERHEAD);
		db_text(ctl->db, ring.keys[0].id);
		good = ctl_query(ctl, &SQL_SECRET_SET);
	}
	secret_ring_wipe(&ring);
	return good;
}

enum ctl_exit
secret_set(struct ctl *ctl)
{
	const char *name = name_given(ctl), *organization;
	char *value;
	size_t len, read;
	bool good;

	if (name == NULL)
		return CTL_USAGE;
	mem_guard(&ctl->mem);
	if ((value = value_read(ctl, &len)) == NULL)
		return CTL_FAILED;
	read = len;
	good = ctl_connect(ctl, DB_SYSTEM) &&
	       (organization = ctl_organization(ctl)) != NULL &&
	       value_write(ctl, organization, name, value, len);
	OPENSSL_cleanse(value, read);
	if (!good)
		return CTL_FAILED;
	printf(ctl->json ? "{\"id\": \"%s\", \"created\": %s}\n" : "%s\n",
	    db_get(ctl->db, 0, 0),
	    db_get(ctl->db, 0, 1)[0] == 't' ? "true" : "false");
	return CTL_DONE;
}

/* --- list, delete --------------------------------------------------------- */

enum ctl_exit
secret_list(struct ctl *ctl)
{
	static const char *const headings[] = {
	    "NAME", "CREATED", "CHANGED", "KEY"};
	const char *organization;

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	db_text(ctl->db, organization);
	if (!ctl_query(ctl, &SQL_SECRETS_LIST))
		return CTL_FAILED;
	ctl_print_rows(ctl, headings);
	return CTL_DONE;
}

enum ctl_exit
secret_delete(struct ctl *ctl)
{
	const char *name = name_given(ctl), *organization;

	if (name == NULL)
		return CTL_USAGE;
	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	db_text(ctl->db, organization);
	db_text(ctl->db, name);
	if (!ctl_query(ctl, &SQL_SECRET_DELETE))
		return CTL_FAILED;
	if (db_count(ctl->db) == 0)
		return ctl_fail("there is no secret %s", name);
	printf(ctl->json ? "{\"id\": \"%s\"}\n" : "deleted %s\n",
	    ctl->json ? db_get(ctl->db, 0, 0) : name);
	return CTL_DONE;
}

/* --- rotate --------------------------------------------------------------- */

struct rotation {
	struct secret_ring ring;
	unsigned done, failed;
	char after[UUID_TEXT]; /* the last id that was looked at */
};

struct stale { /* a row, kept while the next statements run */
	char id[UUID_TEXT];
	struct uuid organization;
	const char *name, *key_id;
	const uint8_t *sealed;
	size_t len;
};

/* False after telling. */
static bool
stale_read(struct ctl *ctl, int row, struct stale *s)
{
	const char *organization = db_get(ctl->db, row, 1);

	snprintf(s->id, sizeof(s->id), "%s", db_get(ctl->db, row, 0));
	s->name = mem_strdup(&ctl->mem, db_get(ctl->db, row, 2));
	s->sealed = db_get_bytes(ctl->db, row, 3, &ctl->mem, &s->len);
	s->key_id = mem_strdup(&ctl->mem, db_get(ctl->db, row, 4));
	if (!mem_failed(&ctl->mem) && s->sealed != NULL &&
	    uuid_parse(organization, strlen(organization), &s->organization))
		return true;
	ctl_fail("out of memory");
	return false;
}

/* The value lives in guarded memory, from opening to sealing. */
static int
reseal(const struct rotation *r, const struct stale *s, uint8_t *sealed,
    struct err *e)
{
	struct mem m;
	char *value;
	size_t len;
	int rc = -1;

	mem_create(&m, 0);
	mem_guard(&m);
	value = mem_alloc(&m, s->len + 1);
	if (value == NULL)
		err_memory(e);
	else if (secret_open(&r->ring, &s->organization, s->name, s->key_id,
		     s->sealed, s->len, value, &len, e) == 0)
		rc = secret_seal(
		    &r->ring, &s->organization, s->name, value, len, sealed, e);
	mem_destroy(&m);
	return rc;
}

/* False: don't go on. One that can't be opened is told and left. */
static bool
rotate_one(struct ctl *ctl, struct rotation *r, const struct stale *s)
{
	uint8_t *sealed = mem_alloc(&ctl->mem, s->len + 1);
	struct err e = {0};

	if (sealed == NULL) {
		ctl_fail("out of memory");
		return false;
	}
	if (reseal(r, s, sealed, &e) != 0) {
		ctl_fail("secret %s (%s): %s", s->name, s->id, e.message);
		r->failed++;
		return true;
	}
	db_text(ctl->db, s->id);
	db_bytes(ctl->db, s->sealed, s->len);
	db_bytes(ctl->db, sealed, s->len);
	db_text(ctl->db, r->ring.keys[0].id);
	if (!ctl_query(ctl, &SQL_SECRET_RESEAL))
		return false;
	r->done += (unsigned)db_count(ctl->db);
	return true;
}

/* How many there were on the page; -1 after telling. */
static int
rotate_page(struct ctl *ctl, struct rotation *r)
{
	struct stale page[100];
	int i, count;

	mem_reset(&ctl->mem);
	db_text(ctl->db, r->ring.keys[0].id);
	db_text(ctl->db, r->after);
	if (!ctl_query(ctl, &SQL_SECRETS_STALE))
		return -1;
	count = db_count(ctl->db);
	for (i = 0; i < count; i++)
		if (!stale_read(ctl, i, &page[i]))
			return -1;
	for (i = 0; i < count; i++)
		if (!rotate_one(ctl, r, &page[i]))
			return -1;
	if (count > 0)
		memcpy(r->after, page[count - 1].id, sizeof(r->after));
	return count;
}

/* Each row by itself, so what was done stays done and the next call goes on
 * with the rest. */
enum ctl_exit
secret_rotate(struct ctl *ctl)
{
	static struct rotation r = {
	    .after = "00000000-0000-0000-0000-000000000000"};
	struct err e = {0};
	int count = 0;

	if (!ctl_connect(ctl, DB_SYSTEM) || !ring_load(ctl, &r.ring))
		return CTL_FAILED;
	if (args_has(&ctl->args, "new-key") &&
	    (secret_ring_add(&ctl->config, &e) != 0 ||
		secret_ring_load(&ctl->config, &r.ring, &e) != 0))
		return ctl_fail("%s", e.message);
	do {
		count = rotate_page(ctl, &r);
	} while (count > 0);
	printf(ctl->json
		   ? "{\"key_id\": \"%s\", \"rotated\": %u, \"failed\": %u}\n"
		   : "key %s: %u rotated, %u failed\n",
	    r.ring.keys[0].id, r.done, r.failed);
	secret_ring_wipe(&r.ring);
	return count < 0 || r.failed > 0 ? CTL_FAILED : CTL_DONE;
}
