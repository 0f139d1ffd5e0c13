/* openapi_errors.c - the schema of what every refusal answers. */
#include "web/resource.h"

const char openapi_errors[] =
    "{\"type\":\"object\",\"required\":[\"errors\"],\"properties\":{"
    "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"required\":[\"status\",\"code\",\"title\"],\"properties\":{"
    "\"status\":{\"type\":\"string\"},\"code\":{\"type\":\"string\"},"
    "\"title\":{\"type\":\"string\"},\"detail\":{\"type\":\"string\"},"
    "\"source\":{\"type\":\"object\",\"properties\":{"
    "\"pointer\":{\"type\":\"string\"},\"parameter\":{\"type\":\"string\"},"
    "\"header\":{\"type\":\"string\"}}},"
    "\"meta\":{\"type\":\"object\",\"properties\":{"
    "\"line\":{\"type\":\"integer\"},\"column\":{\"type\":\"integer\"}}}"
    "}}}}}";
