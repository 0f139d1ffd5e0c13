/* resource_tables.h - the ends of the tables of resource.h; for resources*.c.
 */
#ifndef OPEN_WEB_RESOURCE_TABLES_H
#define OPEN_WEB_RESOURCE_TABLES_H

#define FIELDS_END                                                             \
	{                                                                      \
		NULL, 0, 0, 0, NULL, NULL                                      \
	}
#define RELATIONS_END                                                          \
	{                                                                      \
		NULL, NULL, 0, NULL, NULL, NULL, NULL                          \
	}
#define FILTERS_END                                                            \
	{                                                                      \
		NULL, 0, NULL, false, NULL                                     \
	}
#define ACTIONS_END                                                            \
	{                                                                      \
		NULL, NULL, NULL, NULL                                         \
	}

#endif
