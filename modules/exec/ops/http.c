/* http.c - what a document may say about a request; exec/http_driver.c sends it. */
#include "exec/http.h"
#include "exec/http_answer.h"
#include "exec/http_request.h"
#include "exec/ops/ops.h"

static const struct op_param params[] = {
    {.name = "method",
	.types = PARAM_STRING,
	.description = "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS; by "
		       "default GET, or POST where there is a body."},
    {.name = "url",
	.types = PARAM_STRING,
	.required = true,
	.min = 1,
	.max = HTTP_URL_MAX,
	.description = "Begins with http:// or https://."},
    {.name = "headers",
	.types = PARAM_OBJECT,
	.description = "Values are texts, numbers or booleans; null leaves a "
		       "header out."},
    {.name = "query",
	.types = PARAM_OBJECT,
	.description = "Appended to the URL; a list gives its name several "
		       "times, null leaves it out."},
    {.name = "json",
	.types = PARAM_ANY,
	.description = "Any value as the body, in JSON."},
    {.name = "body",
	.types = PARAM_STRING,
	.description = "A text as the body, instead of json."},
    {.name = "status",
	.types = PARAM_INTEGER | PARAM_STRING | PARAM_ARRAY,
	.description = "What is a success: codes (200), ranges (\"200-204\"), "
		       "classes (\"2xx\") or a list of them; 2xx by default. "
		       "A redirect that is one is not followed."},
    {.name = "timeout",
	.types = PARAM_DURATION,
	.min = 1,
	.max = HTTP_TIMEOUT_MAX,
	.description = "For all of it, redirects too; 30s by default."},
    {.name = "max_bytes",
	.types = PARAM_INTEGER,
	.min = 1,
	.max = INT32_MAX,
	.description = "A longer answer fails; at most, and by default, the "
		       "limit of results."},
    {.name = "redirects",
	.types = PARAM_INTEGER,
	.min = 0,
	.max = 20,
	.description = "How many are followed; 5 by default, 0 for none."},
    {.name = NULL}};

static int
check(const struct json *p, struct err *e)
{
	return http_check(p, true, e);
}

const struct op op_http = {
    .schema = {.name = "http",
	.description = "Sends a request; its result is the answer's status, "
		       "headers (names in lower case) and body, as JSON if it "
		       "is JSON, else as text.",
	.params = params,
	.check = check},
    .kind = OP_IO,
    .compute = http_answer_result,
    .io = &http_io,
};
