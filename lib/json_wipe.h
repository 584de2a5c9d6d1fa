/*
 * JSON objects that hold secrets, passwords or links: json-c frees its copies of strings as they are.
 */
#ifndef MCV_LIB_JSON_WIPE_H
#define MCV_LIB_JSON_WIPE_H

#include <json-c/json.h>

/* Overwrites its strings, also where another still holds the object; lets go of it, sets to NULL; *o may be
 * NULL. */
void json_wipe(struct json_object **o);

#endif
