/* openapi_ops.c - what the OpenAPI document says of /api/v1/ops: its resources
 * are no rows, so no table of resources.c describes them. */
#include "web/resource.h"

const char openapi_ops[] =
    "{\"get\":{\"operationId\":\"list_ops\",\"tags\":[\"ops\"],"
    "\"summary\":\"The ops that documents may name, with their parameters; "
    "also /api/v1/ops/{name}.\","
    "\"responses\":{\"200\":{\"description\":\"All of them.\","
    "\"content\":{\"application/vnd.api+json\":{\"schema\":"
    "{\"type\":\"object\"}}}}}}}";
