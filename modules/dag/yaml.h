/* yaml.h - reads YAML into the tree of json.h.
 *
 * What it takes is JSON's data model in YAML's clothes: one document; plain
 * scalars are typed by YAML 1.2's core schema (so yes, no and on are strings,
 * 0o17 and 0x1f integers); keys are scalars, taken as text. Refused: anchors
 * and aliases (a few lines of them can stand for gigabytes), tags other than
 * the core schema's own, .inf and .nan.
 *
 * Owner:    the tree lives in the struct mem passed in.
 */
#ifndef OPEN_DAG_YAML_H
#define OPEN_DAG_YAML_H

#include "dag/json.h"

/* -1 and e with line and column: "invalid_yaml", "invalid_utf8", "nul_byte",
 * "too_deep", "duplicate_key", "alias_not_allowed", "tag_not_allowed",
 * "out_of_memory". options may be NULL; replace_bad_text is not heeded. */
int yaml_parse(struct mem *m, const char *text, size_t len,
    const struct json_options *options, const struct json **out, struct err *e);

/* A plain scalar's value by the core schema: fills type and integer or number
 * of v; JSON_STRING if it is nothing else. *finite: false for .inf and .nan
 * and numbers beyond a double's range. */
void yaml_resolve(const char *s, size_t len, struct json *v, bool *finite);

#endif
