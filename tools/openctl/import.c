/* import.c - documents become DAGs: one transaction a file; a definition that
 * did not change makes no version. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_file.h"
#include "exec/op_call.h"
#include "openctl.h"
#include "openctl_sql.h"

struct import {
	struct ctl *ctl;
	const char *organization, *creator; /* ids; creator may be NULL */
	struct document_options options;
	bool activate;

	/* of the file at hand */
	struct document_file file;
	const char *canonical;
	size_t canonical_len;
	uint8_t hash[SHA256_SIZE];
	const char *dag, *version; /* ids */
	int number;
	bool created, activated;
};

static int
canonical_make(struct import *im, struct err *e)
{
	struct buf b;

	buf_create(&b, 0);
	document_canonical(im->file.document, im->options.ops, &b);
	im->canonical_len = b.len;
	im->canonical =
	    buf_failed(&b) ? NULL : mem_strndup(&im->file.mem, b.data, b.len);
	buf_free(&b);
	if (im->canonical == NULL ||
	    document_hash(im->canonical, im->canonical_len, im->hash) != 0)
		return err_memory(e);
	return 0;
}

static int
id_take(struct import *im, int column, const char **id, struct err *e)
{
	*id = mem_strdup(&im->file.mem, db_get(im->ctl->db, 0, column));
	return *id == NULL ? err_memory(e) : 0;
}

static bool
hash_is(const uint8_t hash[SHA256_SIZE], const char *hex)
{
	char mine[2 * SHA256_SIZE + 1];
	int i;

	for (i = 0; i < SHA256_SIZE; i++)
		snprintf(mine + 2 * i, 3, "%02x", hash[i]);
	return strcmp(mine, hex) == 0;
}

static int
version_create(struct import *im, int number, struct err *e)
{
	const struct document *d = im->file.document;
	struct db *db = im->ctl->db;
	const char **names;
	char text[16];
	uint32_t i;

	names = mem_array(&im->file.mem, d->node_count, sizeof(*names));
	if (names == NULL)
		return err_memory(e);
	for (i = 0; i < d->node_count; i++)
		names[i] = d->nodes[i].name;
	snprintf(text, sizeof(text), "%d", number);
	db_text(db, im->dag);
	db_text(db, text);
	db_text(db, im->canonical);
	db_bytes(db, im->hash, SHA256_SIZE);
	db_text_array(db, &im->file.mem, names, d->node_count);
	db_text(db, im->creator);
	if (db_query(db, &SQL_DAG_VERSION_CREATE, e) != 0)
		return -1;
	im->created = true;
	im->number = number;
	return id_take(im, 0, &im->version, e);
}

/* Finds or makes the DAG, and a version where the newest is another. */
static int
save(struct import *im, struct err *e)
{
	const struct document *d = im->file.document;
	struct db *db = im->ctl->db;

	db_text(db, im->organization);
	db_text(db, d->name);
	if (db_query(db, &SQL_DAG_BY_NAME, e) != 0)
		return -1;
	if (db_count(db) == 0) {
		db_text(db, im->organization);
		db_text(db, d->name);
		db_text(db, d->description);
		db_text(db, im->creator);
		if (db_query(db, &SQL_DAG_CREATE, e) != 0 ||
		    id_take(im, 0, &im->dag, e) != 0)
			return -1;
		return version_create(im, 1, e);
	}
	if (id_take(im, 0, &im->dag, e) != 0 ||
	    id_take(im, 1, &im->version, e) != 0)
		return -1;
	im->number = atoi(db_get(db, 0, 2));
	if (!hash_is(im->hash, db_get(db, 0, 3)) &&
	    version_create(im, im->number + 1, e) != 0)
		return -1;
	db_text(db, im->dag);
	db_text(db, d->description);
	return db_query(db, &SQL_DAG_DESCRIBE, e);
}

static int
activate(struct import *im, struct err *e)
{
	struct db *db = im->ctl->db;
	uint8_t hash[SHA256_SIZE];
	struct plan *plan;
	int rc;

	plan = plan_compile(im->file.document, im->options.ops, e);
	if (plan == NULL)
		return -1;
	rc = document_hash((const char *)plan, plan->size, hash);
	if (rc == 0) {
		db_text(db, im->version);
		db_bytes(db, plan, plan->size);
		db_bytes(db, hash, SHA256_SIZE);
		rc = db_query(db, &SQL_DAG_VERSION_PLAN, e);
	} else {
		err_memory(e);
	}
	free(plan);
	if (rc != 0)
		return -1;
	db_text(db, im->dag);
	db_text(db, im->version);
	if (db_query(db, &SQL_DAG_ACTIVATE, e) != 0)
		return -1;
	im->activated = db_count(db) == 1;
	return 0;
}

static int
store(struct import *im, struct err *e)
{
	struct err ignored;

	if (canonical_make(im, e) != 0 ||
	    db_script(im->ctl->db, "begin", e) != 0)
		return -1;
	if (save(im, e) == 0 && (!im->activate || activate(im, e) == 0) &&
	    db_script(im->ctl->db, "commit", e) == 0)
		return 0;
	db_script(im->ctl->db, "rollback", &ignored);
	return -1;
}

static void
report(const struct import *im, bool first)
{
	const char *name = im->file.document->name;
	struct buf b;

	if (!im->ctl->json) {
		printf("%s: %s version %d%s\n", name,
		    im->created ? "created" : "unchanged,", im->number,
		    im->activated ? ", activated" : "");
		return;
	}
	buf_create(&b, 0);
	buf_puts(&b, first ? "[\n {\"file\": " : ",\n {\"file\": ");
	json_write_string(&b, im->file.path, strlen(im->file.path));
	buf_puts(&b, ", \"name\": ");
	json_write_string(&b, name, strlen(name));
	buf_printf(&b,
	    ", \"id\": \"%s\", \"version\": %d, \"outcome\": \"%s\", "
	    "\"activated\": %s}",
	    im->dag, im->number, im->created ? "created" : "unchanged",
	    im->activated ? "true" : "false");
	fputs(buf_failed(&b) ? "" : b.data, stdout);
	buf_free(&b);
}

static bool
import_one(struct import *im, const char *path, bool first)
{
	struct err e = {0};
	bool done;

	im->created = im->activated = false;
	done = document_file_read(&im->file, path, &im->options, false) == 0;
	if (done && store(im, &e) != 0) {
		faults_add(
		    &im->file.faults, NULL, "", "refused", "%s", e.message);
		done = false;
	}
	if (done)
		report(im, first);
	else
		document_file_tell(&im->file);
	document_file_free(&im->file);
	return done;
}

/* Whose DAGs they become; false after telling what is wrong. */
static bool
owner_find(struct import *im)
{
	struct ctl *ctl = im->ctl;
	const char *email = args_get(&ctl->args, "user"), *settings;
	struct err e = {0};

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (im->organization = ctl_organization(ctl)) == NULL)
		return false;
	settings = mem_strdup(&ctl->mem, db_get(ctl->db, 0, 1));
	if (settings == NULL ||
	    json_parse(&ctl->mem, settings, strlen(settings), NULL,
		&im->options.settings, &e) != 0) {
		ctl_fail("the organization's settings: %s", e.message);
		return false;
	}
	if (email == NULL)
		return true;
	db_text(ctl->db, im->organization);
	db_text(ctl->db, email);
	if (!ctl_query(ctl, &SQL_USER_BY_EMAIL))
		return false;
	if (db_count(ctl->db) == 1)
		im->creator = mem_strdup(&ctl->mem, db_get(ctl->db, 0, 0));
	else
		ctl_fail("there is no user %s in '%s'", email,
		    args_get(&ctl->args, "org"));
	return im->creator != NULL;
}

enum ctl_exit
dag_import(struct ctl *ctl)
{
	struct document_limits limits = document_limits_of(&ctl->config);
	struct import im = {.ctl = ctl,
	    .activate = args_has(&ctl->args, "activate"),
	    .options = {.ops = op_table_set(),
		.limits = &limits,
		.name_required = true}};
	bool all = true, first = true;
	size_t i;

	if (!owner_find(&im))
		return CTL_FAILED;
	for (i = 0; i < ctl->args.operand_count; i++) {
		if (import_one(&im, ctl->args.operands[i], first))
			first = false;
		else
			all = false;
	}
	if (ctl->json)
		puts(first ? "[]" : "\n]");
	return all ? CTL_DONE : CTL_FAILED;
}
