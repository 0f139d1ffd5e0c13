/* operations.c - openctl operation: documents of GraphQL that an organization
 * registers, judged by the schema as the server judges them. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "graphql/schema.h"
#include "graphql/validate.h"
#include "openctl.h"
#include "openctl_sql.h"
#include "web/graph.h"

#define DOCUMENT_MAX (256u * 1024)

/* NULL after telling. */
static const struct gql_schema *
schema_make(struct ctl *ctl)
{
	struct gql_schema *schema = NULL;
	struct gql_document *document;
	struct gql_faults faults;
	struct gql_error e;
	struct buf sdl;
	char *text;

	buf_create(&sdl, 0);
	graph_sdl_write(&sdl);
	text =
	    buf_failed(&sdl) ? NULL : mem_strndup(&ctl->mem, sdl.data, sdl.len);
	gql_faults_create(&faults, &ctl->mem, 1);
	if (text == NULL ||
	    gql_parse(&ctl->mem, text, sdl.len, NULL, &document, &e) != 0 ||
	    gql_schema_build(&ctl->mem, document, &schema, &faults) != 0)
		schema = NULL;
	buf_free(&sdl);
	if (schema == NULL)
		ctl_fail("out of memory");
	return schema;
}

/* NULL after telling. */
static char *
file_read(struct ctl *ctl, const char *path, size_t *len)
{
	char *text = mem_alloc(&ctl->mem, DOCUMENT_MAX + 2);
	FILE *fp = fopen(path, "r");

	if (fp == NULL || text == NULL) {
		ctl_fail("%s: %s", path, strerror(errno));
		if (fp != NULL)
			fclose(fp);
		return NULL;
	}
	*len = fread(text, 1, DOCUMENT_MAX + 1, fp);
	text[*len] = '\0';
	fclose(fp);
	if (*len > DOCUMENT_MAX)
		ctl_fail(
		    "%s: a document has at most %u bytes", path, DOCUMENT_MAX);
	return *len > DOCUMENT_MAX ? NULL : text;
}

static bool
judge(struct ctl *ctl, const struct gql_schema *schema, const char *path,
    const char *text, size_t len)
{
	struct gql_document *document;
	const struct gql_fault *fault;
	struct gql_faults faults;
	struct gql_error e;

	if (gql_parse(&ctl->mem, text, len, NULL, &document, &e) != 0) {
		ctl_fail(
		    "%s:%u:%u: %s", path, e.at.line, e.at.column, e.message);
		return false;
	}
	gql_faults_create(&faults, &ctl->mem, 0);
	if (gql_validate(schema, document, &faults) == 0)
		return true;
	for (fault = faults.first; fault != NULL; fault = fault->next)
		ctl_fail("%s:%u:%u: %s", path, fault->places[0].line,
		    fault->places[0].column, fault->message);
	return false;
}

static const char *
name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

enum ctl_exit
operation_register(struct ctl *ctl)
{
	const char *organization;
	const struct gql_schema *schema;

	if ((schema = schema_make(ctl)) == NULL ||
	    !ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	for (size_t i = 0; i < ctl->args.operand_count; i++) {
		const char *path = ctl->args.operands[i];
		size_t len;
		char *text = file_read(ctl, path, &len);

		if (text == NULL || !judge(ctl, schema, path, text, len))
			return CTL_FAILED;
		db_text(ctl->db, organization);
		db_text(ctl->db, name_of(path));
		db_text(ctl->db, text);
		if (!ctl_query(ctl, &SQL_OPERATION_REGISTER))
			return CTL_FAILED;
		printf(ctl->json ? "{\"sha256\": \"%s\"}\n" : "%s\n",
		    db_get(ctl->db, 0, 0));
	}
	return CTL_DONE;
}

enum ctl_exit
operation_list(struct ctl *ctl)
{
	static const char *const headings[] = {"NAME", "SHA256", "REGISTERED"};
	const char *organization;

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	db_text(ctl->db, organization);
	if (!ctl_query(ctl, &SQL_OPERATIONS_LIST))
		return CTL_FAILED;
	ctl_print_rows(ctl, headings);
	return CTL_DONE;
}

enum ctl_exit
operation_remove(struct ctl *ctl)
{
	const char *organization;

	if (!ctl_connect(ctl, DB_SYSTEM) ||
	    (organization = ctl_organization(ctl)) == NULL)
		return CTL_FAILED;
	for (size_t i = 0; i < ctl->args.operand_count; i++) {
		const char *hash = ctl->args.operands[i];

		db_text(ctl->db, organization);
		db_text(ctl->db, hash);
		if (!ctl_query(ctl, &SQL_OPERATION_REMOVE))
			return CTL_FAILED;
		if (db_count(ctl->db) == 0)
			return ctl_fail(
			    "no operation with SHA-256 %s is registered", hash);
		printf(ctl->json ? "{\"sha256\": \"%s\"}\n" : "removed %s\n",
		    hash);
	}
	return CTL_DONE;
}
