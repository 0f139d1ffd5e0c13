/* log.c - log lines through Kore. */

#include <stdarg.h>
#include <stdio.h>

#include "web/kore_api.h"
#include "web/log.h"

static enum config_log level = CONFIG_LOG_INFO;

void
log_level_set(enum config_log l)
{
	level = l;
}

bool
log_enabled(enum config_log l)
{
	return l <= level;
}

/* Newlines in a message (PostgreSQL's have them) would break the line. */
static void __attribute__((format(printf, 3, 0)))
write_line(enum config_log l, int priority, const char *fmt, va_list args)
{
	static const char *const names[] = {
	    "error", "warning", "info", "debug"};
	char text[1024];
	char *p;

	if (!log_enabled(l))
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ')
			*p = ' ';
	while (p > text && p[-1] == ' ')
		*--p = '\0';
	kore_log(priority, "%s: %s", names[l], text);
}

#define LOG_FUNCTION(name, l, priority)                                        \
	void name(const char *fmt, ...)                                        \
	{                                                                      \
		va_list args;                                                  \
                                                                               \
		va_start(args, fmt);                                           \
		write_line(l, priority, fmt, args);                            \
		va_end(args);                                                  \
	}

LOG_FUNCTION(log_error, CONFIG_LOG_ERROR, LOG_ERR)
LOG_FUNCTION(log_warning, CONFIG_LOG_WARNING, LOG_WARNING)
LOG_FUNCTION(log_info, CONFIG_LOG_INFO, LOG_INFO)
LOG_FUNCTION(log_debug, CONFIG_LOG_DEBUG, LOG_DEBUG)
