/* resources_operations.c - registered operations of GraphQL as a resource. */
#include "web/resource.h"
#include "web/resource_tables.h"

#include "web_sql.h"

static const struct field operation_fields[] = {
    {"name", FIELD_TEXT, COL_GRAPHQL_OPERATION_NAME,
	FIELD_CREATE | FIELD_REQUIRED | FIELD_SOLID, NULL,
	"What it is called in lists: 1 to 100 bytes."},
    {"document", FIELD_TEXT, COL_GRAPHQL_OPERATION_DOCUMENT,
	FIELD_CREATE | FIELD_REQUIRED | FIELD_LONG, NULL,
	"The document of GraphQL, byte for byte as requests send it; up to "
	"256 KiB."},
    {"sha256", FIELD_TEXT, COL_GRAPHQL_OPERATION_SHA256, FIELD_SOLID, NULL,
	"SHA-256 of the document, in hexadecimal: what a request may send "
	"instead of it."},
    {"inserted_at", FIELD_TIME, COL_GRAPHQL_OPERATION_INSERTED_AT, FIELD_SOLID,
	NULL, "When it was registered."},
    FIELDS_END,
};

static const struct relation operation_relations[] = {
    {"creator", "users", COL_GRAPHQL_OPERATION_CREATED_BY, NULL,
	&resource_users, NULL, "Who registered it; null: openctl."},
    RELATIONS_END,
};

static const struct filter operation_filters[] = {
    {"sha256", FIELD_TEXT, NULL, false, "64 digits, in small letters."},
    {"name", FIELD_TEXT, NULL, false, "The whole name."},
    FILTERS_END,
};

static const struct action operation_actions[] = {ACTIONS_END};

const struct resource resource_graphql_operations = {
    .type = "graphql-operations",
    .path = "/api/v1/graphql-operations",
    .title = "GraphQLOperation",
    .description = "A document of GraphQL that the organization registered. "
		   "With its setting registered_operations_only no other is "
		   "executed.",
    .operations =
	RESOURCE_CREATE | RESOURCE_GET | RESOURCE_LIST | RESOURCE_DELETE,
    .fields = operation_fields,
    .relations = operation_relations,
    .filters = operation_filters,
    .actions = operation_actions,
    .column_count = COL_GRAPHQL_OPERATION_COUNT,
    .get = &SQL_GRAPHQL_OPERATIONS_GET,
    .list = SQL_GRAPHQL_OPERATIONS_LIST,
    .sort = "name",
    .not_found = "operation_not_found",
};
