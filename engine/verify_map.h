/*
 * Where a copier said it put the folders.  imapsync maps special folders by rules of its own and may put two
 * folders into one; whoever verifies its work must look where it went.  The file of --foldermap holds its
 * lines "Folder  1/12 [source] = [decoded] -> [destination] = [decoded]" ("= [...]" only where the name is
 * not ASCII), as they were printed, names raw.  A line that names no folder of both sides is passed over.
 */
#ifndef MCV_ENGINE_VERIFY_MAP_H
#define MCV_ENGINE_VERIFY_MAP_H

#include "lib/arena.h"
#include "lib/err.h"
#include "engine/folders.h"

#define VERIFY_MAP_MAX_BYTES (8 * 1024 * 1024)

/* Pure: text is the file's, NUL-terminated.  *moved_r: folders whose place is not the plan's. */
void verify_map_apply(
    const char *text, const struct folder_set *destination, struct folder_plan *plan, unsigned *moved_r);

/* Reads the file and applies it.  ERR_IO, ERR_TOO_BIG: the plan is as it was. */
enum err verify_map_read(const char *path, const struct folder_set *destination, struct folder_plan *plan,
    unsigned *moved_r) MUST_CHECK;

#endif
