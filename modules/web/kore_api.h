/* kore_api.h - Kore's headers as Debian's kore was built (see
 * /usr/share/kore/features): the defines decide the layout of struct
 * http_request. */
#ifndef OPEN_WEB_KORE_API_H
#define OPEN_WEB_KORE_API_H

#define KORE_USE_PGSQL 1
#define KORE_USE_TASKS 1

#include <sys/epoll.h>

#include <kore/kore.h>
#include <kore/http.h>
#include <kore/pgsql.h>

#endif
