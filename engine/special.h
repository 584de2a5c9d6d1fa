/*
 * The folders mail programs treat specially: drafts, sent mail and so on (RFC 6154), by attribute or by name.
 */
#ifndef MCV_ENGINE_SPECIAL_H
#define MCV_ENGINE_SPECIAL_H

#include "engine/folders.h"

/*
 * The set's folder of that use: the first that carries the attribute, else the one with the likeliest
 * well-known name; NULL when there is none.  Only selectable folders.
 */
const struct folder *special_folder(const struct folder_set *set, enum special_use use);

#endif
