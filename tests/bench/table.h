/* table.h - the rows of the benchmark table: what was measured, beside whom, and
 * whether it keeps its limit.
 *
 * Rows are printed at once, and kept in the file that OPEN_BENCH_TABLE names, if
 * any: build.sh prints all of them again at its end.
 * Process:  private, one thread. Fails: ends the benchmark with a message.
 */
#ifndef OPEN_BENCH_TABLE_H
#define OPEN_BENCH_TABLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
	const char *what; /* what OPEN did */
	const char *peer; /* what it stands beside; NULL: a limit of its own */
	double ours, theirs; /* in unit */
	const char *unit;    /* "ns", "us", "ms", "s", "/s", "B", "MiB" */
	double limit;	     /* of ours / theirs, of ours without a peer, and of
				theirs / ours with inverse; 0: none */
	int at_least;	     /* the limit is the least, not the most */
	int inverse;	     /* how many times faster, of times */
};

#define TABLE_LINE "  %-46s %-44s %11s %11s %9s %9s  %s\n"

static inline void
table_head(void)
{
	printf(
	    TABLE_LINE, "OPEN", "peer", "OPEN", "peer", "ratio", "limit", "");
}

static inline void
table_number(char *to, size_t size, double value, const char *unit)
{
	int digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;

	snprintf(
	    to, size, "%.*f%s%s", digits, value, *unit == '/' ? "" : " ", unit);
}

static inline const char *
table_verdict(const struct row *r, double value)
{
	if (r->limit <= 0)
		return "";
	if (r->at_least ? value >= r->limit : value <= r->limit)
		return "ok";
	return "SHORT";
}

/* Where build.sh finds it again; NULL: nowhere. */
static inline FILE *
table_file(void)
{
	const char *name = getenv("OPEN_BENCH_TABLE");
	FILE *f = name != NULL ? fopen(name, "a") : NULL;

	if (name != NULL && f == NULL) {
		perror(name);
		exit(1);
	}
	return f;
}

/* A line that is no row: what could not be measured, and why. */
static inline void
table_note(const char *text)
{
	FILE *f = table_file();

	printf("  %s\n", text);
	if (f != NULL) {
		fprintf(f, "  %s\n", text);
		fclose(f);
	}
}

static inline void
table_row(const struct row *r)
{
	FILE *f = table_file();
	double value = r->peer == NULL ? r->ours
		       : r->inverse    ? r->theirs / r->ours
				       : r->ours / r->theirs;
	char ours[32], theirs[32] = "", ratio[32] = "", limit[32] = "";

	table_number(ours, sizeof(ours), r->ours, r->unit);
	if (r->peer != NULL) {
		table_number(theirs, sizeof(theirs), r->theirs, r->unit);
		table_number(ratio, sizeof(ratio), value, "x");
	}
	if (r->limit > 0) {
		char number[24];

		table_number(number, sizeof(number), r->limit,
		    r->peer != NULL ? "x" : r->unit);
		snprintf(limit, sizeof(limit), "%s%s",
		    r->at_least ? ">=" : "<=", number);
	}
	printf(TABLE_LINE, r->what, r->peer != NULL ? r->peer : "", ours,
	    theirs, ratio, limit, table_verdict(r, value));
	fflush(stdout);
	if (f == NULL)
		return;
	fprintf(f, TABLE_LINE, r->what, r->peer != NULL ? r->peer : "", ours,
	    theirs, ratio, limit, table_verdict(r, value));
	fclose(f);
}

#endif
