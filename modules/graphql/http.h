/* http.h - steps of POST /graphql; the flow's state is a struct execution. */
#ifndef OPEN_GRAPHQL_HTTP_H
#define OPEN_GRAPHQL_HTTP_H

#include "graphql/execute.h"

enum flow_next http_begin(struct flow *);
enum flow_next http_ask(struct flow *);
enum flow_next http_more(struct flow *);
enum flow_next http_answer(struct flow *);

#endif
