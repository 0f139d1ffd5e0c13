/* log.h - the server's log: one line each, through Kore, filtered by the
 * setting `log`.
 *
 * Text:     never SQL parameters, tokens or results.
 * Process:  parent and workers; their event loop only.
 */
#ifndef OPEN_WEB_LOG_H
#define OPEN_WEB_LOG_H

#include "web/config.h"

void log_level_set(enum config_log);
bool log_enabled(enum config_log);
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
