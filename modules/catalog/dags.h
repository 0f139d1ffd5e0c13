/* dags.h - the steps of each DAG request, for module.c's routes. */
#ifndef OPEN_CATALOG_DAGS_H
#define OPEN_CATALOG_DAGS_H

#include "catalog/input.h"
#include "web/resource_flow.h"

/* State of a request that writes a DAG. */
struct dag_write {
	struct resource_state answer; /* first, see resource_flow.h */
	struct uuid id;
	int64_t version; /* the newest, before */
	struct uuid version_id;
	struct dag_input input;
	struct dag_compile compile;
	int result; /* of the work */
};

extern const struct flow_step dag_create_steps[], dag_update_steps[],
    dag_activate_steps[], dag_archive_steps[], dag_delete_steps[];

/* Path segment 3 as id; false: it has answered 404. */
bool dag_id(struct flow *, struct uuid *id);
void dag_limits(struct document_limits *);

#endif
