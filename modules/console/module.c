/* module.c - the web console: its files, which are in this object.
 *
 *   /                       GET
 *   /console/console.css    GET
 *   /console/console.js     GET
 *   /console/api.js         GET
 */
#include "web/route.h"

/* NAME and NAME_end: the bytes of a file of assets/console. */
#define FILE_BYTES(name, path)                                                 \
	__asm__(".pushsection .rodata\n"                                       \
		".hidden console_" #name "_bytes\n"                            \
		".global console_" #name "_bytes\n"                            \
		"console_" #name "_bytes:\n"                                   \
		".incbin \"assets/console/" path "\"\n"                        \
		".hidden console_" #name "_end\n"                              \
		".global console_" #name "_end\n"                              \
		"console_" #name "_end:\n"                                     \
		".popsection\n");                                              \
	extern __attribute__((visibility("hidden")))                           \
	const char console_##name##_bytes[],                                   \
	    console_##name##_end[]

/* A file, the step that answers with it, and its route. */
#define FILE_ROUTE(name, path, type)                                           \
	FILE_BYTES(name, path);                                                \
	static enum flow_next name##_answer(struct flow *f)                    \
	{                                                                      \
		return flow_reply_page(f, console_##name##_bytes,              \
		    (size_t)(console_##name##_end - console_##name##_bytes),   \
		    type);                                                     \
	}                                                                      \
	static const struct flow_step name##_steps[] = {                       \
	    FLOW_STEP(name##_answer), FLOW_END};                               \
	ROUTE(console_##name, {"GET", name##_steps, 0, POLICY_PUBLIC})

FILE_ROUTE(page, "index.html", "text/html; charset=utf-8")
FILE_ROUTE(style, "console.css", "text/css; charset=utf-8")
FILE_ROUTE(script, "console.js", "text/javascript; charset=utf-8")
FILE_ROUTE(api, "api.js", "text/javascript; charset=utf-8")
