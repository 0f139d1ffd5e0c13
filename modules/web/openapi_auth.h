/* openapi_auth.h - OpenAPI's path items of routes that are no resources: those
 * under /api/v1/auth. JSON as it stands; constant.
 */
#ifndef OPEN_WEB_OPENAPI_AUTH_H
#define OPEN_WEB_OPENAPI_AUTH_H

extern const char openapi_reset_ask[], openapi_reset_use[];

#endif
