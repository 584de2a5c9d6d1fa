/*
 * JSON that may hold passwords: read strictly (RFC 8259, UTF-8, at most six levels), and wiped afterwards,
 * also in what the JSON library keeps for itself.  The only place that reads JSON from outside.
 */
#ifndef MCV_FCGI_JSON_READ_H
#define MCV_FCGI_JSON_READ_H

#include <stddef.h>
#include <json-c/json.h>

#include "lib/err.h"

/* All of the len bytes at text.  *o_r (NULL: the word null) is the caller's to json_wipe() (lib/json_wipe.h).
 * ERR_INVALID. */
enum err json_read(const char *text, size_t len, struct json_object **o_r) MUST_CHECK;

#endif
