/* args.c - options and operands by a table. */

#include <string.h>

#include "args.h"

static const struct option *
option_find(const struct option *table, const char *word, size_t len)
{
	for (; table != NULL && table->name != NULL; table++)
		if (strlen(table->name) == len &&
		    memcmp(table->name, word, len) == 0)
			return table;
	return NULL;
}

/* word: without its dashes; next: the word after it or NULL. Returns how many
 * words it took, or -1. */
static int
option_take(struct args *a, const struct option *table, const char *word,
    const char *next, struct err *e)
{
	size_t len = strcspn(word, "=");
	const struct option *o = option_find(table, word, len);
	const char *value = "";
	int took = 1;

	if (o == NULL)
		return err_set(
		    e, "usage", "unknown option --%.*s", (int)len, word);
	if (o->value == NULL && word[len] == '=')
		return err_set(e, "usage", "--%s takes no value", o->name);
	if (o->value != NULL && word[len] == '=') {
		value = word + len + 1;
	} else if (o->value != NULL) {
		if (next == NULL)
			return err_set(
			    e, "usage", "--%s needs a value", o->name);
		value = next;
		took = 2;
	}
	if (!o->many && args_has(a, o->name))
		return err_set(e, "usage", "--%s is given twice", o->name);
	if (a->option_count == ARGS_OPTIONS_MAX)
		return err_set(e, "usage", "too many options");
	a->options[a->option_count].name = o->name;
	a->options[a->option_count++].value = value;
	return took;
}

int
args_parse(struct args *a, const struct option *table, int argc,
    char *const *argv, struct err *e)
{
	bool operands_only = false;
	int i, took;

	a->option_count = a->operand_count = 0;
	for (i = 0; i < argc; i += took) {
		took = 1;
		if (!operands_only && strcmp(argv[i], "--") == 0) {
			operands_only = true;
		} else if (!operands_only && strncmp(argv[i], "--", 2) == 0) {
			took = option_take(a, table, argv[i] + 2,
			    i + 1 < argc ? argv[i + 1] : NULL, e);
			if (took < 0)
				return -1;
		} else if (!operands_only && argv[i][0] == '-' &&
			   argv[i][1] != '\0') {
			return err_set(
			    e, "usage", "unknown option %s", argv[i]);
		} else if (a->operand_count == ARGS_OPERANDS_MAX) {
			return err_set(e, "usage", "too many operands");
		} else {
			a->operands[a->operand_count++] = argv[i];
		}
	}
	return 0;
}

int
args_check(const struct args *a, const struct option *table, size_t min,
    size_t max, struct err *e)
{
	const struct option *o;

	if (a->operand_count < min)
		return err_set(e, "usage", "something is missing");
	if (a->operand_count > max)
		return err_set(
		    e, "usage", "'%s' is one word too many", a->operands[max]);
	for (o = table; o != NULL && o->name != NULL; o++)
		if (o->required && !args_has(a, o->name))
			return err_set(e, "usage", "--%s%s%s is missing",
			    o->name, o->value == NULL ? "" : " ",
			    o->value == NULL ? "" : o->value);
	return 0;
}

const char *
args_get(const struct args *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->option_count; i++)
		if (strcmp(a->options[i].name, name) == 0)
			return a->options[i].value;
	return NULL;
}

bool
args_has(const struct args *a, const char *name)
{
	return args_get(a, name) != NULL;
}
