/* dag.c - validate, export and list; import has a file of its own. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_file.h"
#include "exec/op_call.h"
#include "openctl.h"
#include "openctl_sql.h"

/* --- validate ------------------------------------------------------------- */

static bool
validate_one(const struct ctl *ctl, const char *path, struct buf *json)
{
	struct document_limits limits = document_limits_of(&ctl->config);
	struct document_options options = {
	    .ops = op_table_set(), .limits = &limits, .name_required = true};
	struct document_file file;
	bool valid;

	valid = document_file_read(&file, path, &options, true) == 0;
	document_file_tell(&file);
	if (ctl->json) {
		buf_puts(json, json->len == 0 ? "[\n" : ",\n");
		document_file_json(&file, json);
	} else if (valid) {
		printf("%s: valid, %u nodes, %u dependencies\n", path,
		    file.document->node_count, file.document->dependency_count);
	}
	document_file_free(&file);
	return valid;
}

enum ctl_exit
dag_validate(struct ctl *ctl)
{
	bool valid = true;
	struct buf json;
	size_t i;

	buf_create(&json, 0);
	for (i = 0; i < ctl->args.operand_count; i++)
		valid &= validate_one(ctl, ctl->args.operands[i], &json);
	if (ctl->json && !buf_failed(&json))
		printf("%s\n]\n", json.data);
	buf_free(&json);
	return valid ? CTL_DONE : CTL_FAILED;
}

/* --- export --------------------------------------------------------------- */

static enum ctl_exit
export_print(struct ctl *ctl)
{
	const char *name = db_get(ctl->db, 0, 0);
	const char *description = db_get(ctl->db, 0, 1);
	const char *definition = db_get(ctl->db, 0, 2);
	const struct json *tree;
	struct err e = {0};
	struct buf b;
	bool failed;

	buf_create(&b, 0);
	if (ctl->json) {
		buf_puts(&b, "{\"name\": ");
		json_write_string(&b, name, strlen(name));
		buf_puts(&b, ", \"description\": ");
		json_write_string(&b, description, strlen(description));
		buf_printf(&b, ", \"version\": %s, \"definition\": ",
		    db_get(ctl->db, 0, 3));
		buf_puts(&b, definition);
		buf_puts(&b, "}\n");
	} else {
		if (json_parse(&ctl->mem, definition, strlen(definition), NULL,
			&tree, &e) != 0)
			return ctl_fail(
			    "the stored definition is damaged: %s", e.message);
		document_to_yaml(name, description, tree, &b);
	}
	failed = buf_failed(&b);
	if (!failed)
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
	return failed ? ctl_fail("out of memory") : CTL_DONE;
}

enum ctl_exit
dag_export(struct ctl *ctl)
{
	const char *version = args_get(&ctl->args, "version"), *organization;
	const char *name = ctl->args.operands[0];

	if (version != NULL && atoi(version) <= 0)
		return ctl_usage("--version '%s' is no number", version);
	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	db_text(ctl->db, organization);
	db_text(ctl->db, name);
	db_text(ctl->db, version);
	if (!ctl_query(ctl, &SQL_DAG_EXPORT))
		return CTL_FAILED;
	if (db_count(ctl->db) == 0)
		return ctl_fail("there is no DAG '%s'%s%s in '%s'", name,
		    version == NULL ? "" : " with version ",
		    version == NULL ? "" : version,
		    args_get(&ctl->args, "org"));
	return export_print(ctl);
}

/* --- list ----------------------------------------------------------------- */

enum ctl_exit
dag_list(struct ctl *ctl)
{
	static const char *const headings[] = {
	    "ID", "NAME", "STATUS", "VERSION", "ACTIVE", "DESCRIPTION"};
	const char *organization;

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	db_text(ctl->db, organization);
	if (!ctl_query(ctl, &SQL_DAGS_LIST))
		return CTL_FAILED;
	ctl_print_rows(ctl, headings);
	return CTL_DONE;
}
