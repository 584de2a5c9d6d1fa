/*
 * Folder names as a person gives them: as they are read (UTF-8), or as the server writes them (modified
 * UTF-7, which is UTF-8, too, as long as it has no "&").  Pure.
 */
#ifndef MCV_ENGINE_NAMES_H
#define MCV_ENGINE_NAMES_H

#include <stdbool.h>

#include "lib/arena.h"

/* The same raw name; INBOX in any case. */
bool name_same(const char *a, const char *b);

/* Whether the folder of this raw name is the one meant: given is the raw name or what it reads as. */
bool name_is(const char *raw, const char *given);

/* given as raw name: itself where it is modified UTF-7, else encoded; in a, or given itself. */
const char *name_raw(const char *given, struct arena *a);

#endif
