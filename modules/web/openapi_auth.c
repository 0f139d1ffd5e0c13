/* openapi_auth.c - path items of /api/v1/auth. */
#include "web/openapi_auth.h"

const char openapi_reset_ask[] =
    "{\"post\":{\"summary\":\"Asks for a mail to set a new "
    "password\",\"security\":[],"
    "\"requestBody\":{\"required\":true,\"content\":{"
    "\"application/vnd.api+json\":{\"schema\":{\"type\":\"object\","
    "\"required\":[\"data\"],\"properties\":{\"data\":{"
    "\"type\":\"object\",\"required\":[\"type\",\"attributes\"],"
    "\"properties\":{\"type\":{\"const\":\"password-resets\"},"
    "\"attributes\":{\"type\":\"object\",\"required\":[\"email\"],"
    "\"additionalProperties\":false,\"properties\":{"
    "\"email\":{\"type\":\"string\",\"format\":\"email\"}"
    "}}}}}}}}},\"responses\":{\"202\":{\"description\":"
    "\"The same for every address\"},"
    "\"422\":{\"description\":\"An attribute is wrong.\"},"
    "\"429\":{\"description\":\"Too many requests.\"}}}}";

const char openapi_reset_use[] =
    "{\"post\":{\"summary\":\"Sets a new password by the token of a "
    "mail\",\"security\":[],"
    "\"requestBody\":{\"required\":true,\"content\":{"
    "\"application/vnd.api+json\":{\"schema\":{\"type\":\"object\","
    "\"required\":[\"data\"],\"properties\":{\"data\":{"
    "\"type\":\"object\",\"required\":[\"type\",\"attributes\"],"
    "\"properties\":{\"type\":{\"const\":\"password-resets\"},"
    "\"attributes\":{\"type\":\"object\",\"required\":[\"token\",\"password\"],"
    "\"additionalProperties\":false,\"properties\":{"
    "\"token\":{\"type\":\"string\"},"
    "\"password\":{\"type\":\"string\",\"writeOnly\":true}"
    "}}}}}}}}},\"responses\":{\"204\":{\"description\":"
    "\"It is set; every session has ended\"},"
    "\"422\":{\"description\":\"An attribute is wrong.\"},"
    "\"429\":{\"description\":\"Too many requests.\"}}}}";
