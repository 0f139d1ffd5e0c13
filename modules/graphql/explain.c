/* explain.c - EXPLAIN of the statements of root fields. */
#include "graphql/explain.h"

#include <string.h>

#include "web/config.h"

#define EXPLAIN "explain (analyze, buffers, settings, format json) "

bool
explain_wanted(const struct execution *x)
{
	const struct json *v;

	if (!flow_config()->graphql_explain || x->extensions == NULL)
		return false;
	v = json_get(x->extensions, "explain");
	return v != NULL && v->type == JSON_TRUE;
}

const struct sql *
explain_statement(struct mem *m, const struct sql *sql)
{
	size_t len = strlen(sql->text);
	struct sql *explain = mem_alloc(m, sizeof(*explain));
	char *text = mem_alloc(m, sizeof(EXPLAIN) + len);

	if (explain == NULL || text == NULL)
		return NULL;
	memcpy(text, EXPLAIN, sizeof(EXPLAIN) - 1);
	memcpy(text + sizeof(EXPLAIN) - 1, sql->text, len + 1);
	explain->name = mem_strdup(m, "graphql.explain");
	explain->key = mem_strdup(m, "");
	explain->text = text;
	explain->params = sql->params;
	return explain;
}

void
explain_read(
    struct flow *f, const struct plan_root *root, struct execution_root *r)
{
	const struct sql_rows *rows;
	struct mem *m = flow_mem(f);

	if (r->explain == 0)
		return;
	r->sql = mem_strdup(m, root->sql.text);
	rows = flow_rows_of(f, r->explain);
	r->explained = NULL;
	if (rows != NULL && sql_count(rows) == 1)
		json_parse(m, sql_get(rows, 0, 0), sql_get_len(rows, 0, 0),
		    NULL, &r->explained, NULL);
}

static void
write_one(
    struct buf *b, const struct plan_root *root, const struct execution_root *r)
{
	buf_puts(b, "{\"field\":");
	json_write_string(b, root->response.s, root->response.len);
	buf_puts(b, ",\"sql\":");
	json_write_string(b, r->sql, strlen(r->sql));
	buf_puts(b, ",\"plan\":");
	if (r->explained != NULL && r->explained->type == JSON_ARRAY &&
	    r->explained->count == 1)
		json_write(b, r->explained->items[0]);
	else
		buf_puts(b, "null");
	buf_putc(b, '}');
}

const char *
explain_write(struct mem *m, const struct query_plan *plan,
    const struct execution *x, size_t *len)
{
	const struct plan_root *root;
	const char *text = NULL;
	bool more = false;
	unsigned i = 0;
	struct buf b;

	buf_create(&b, 0);
	buf_puts(&b, "{\"explain\":[");
	for (root = plan->roots; root != NULL; root = root->next, i++) {
		if (x->roots[i].sql == NULL)
			continue;
		if (more)
			buf_putc(&b, ',');
		more = true;
		write_one(&b, root, &x->roots[i]);
	}
	buf_puts(&b, "]}");
	if (!buf_failed(&b)) {
		*len = b.len;
		text = mem_strndup(m, b.data, b.len);
	}
	buf_free(&b);
	return text;
}
