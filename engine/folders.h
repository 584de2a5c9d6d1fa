/*
 * Where each source folder goes on the destination.  Pure: no I/O.
 *
 * A name is translated part by part: the source's personal prefix goes, the separator becomes the
 * destination's, the destination's prefix comes in front; INBOX stays INBOX.  Names are the servers' raw ones
 * (modified UTF-7). Two source folders never share a destination folder: where names meet, the later one (in
 * byte order) gets "_2" and so on behind its name.
 *
 * With --subfolder1 what is above it goes from the names, itself being INBOX; with --subfolder2 all come
 * below that folder, INBOX too.
 *
 * With automap, a special folder (RFC 6154; where no folder of the source carries the attribute, a well-known
 * name) goes to the destination's folder of the same use, but only where the destination does not have a
 * folder of the translated name already, and no other source folder goes there: so a second run decides as
 * the first.
 */
#ifndef MCV_ENGINE_FOLDERS_H
#define MCV_ENGINE_FOLDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "engine/options.h"

struct imap_status;

enum special_use {
	SPECIAL_NONE,
	SPECIAL_ALL,
	SPECIAL_ARCHIVE,
	SPECIAL_DRAFTS,
	SPECIAL_FLAGGED,
	SPECIAL_JUNK,
	SPECIAL_SENT,
	SPECIAL_TRASH,
	SPECIAL__COUNT
};

struct folder {
	const char *name; /* raw */
	char separator;   /* 0 = NIL, no hierarchy */
	enum special_use special;
	bool selectable; /* neither \Noselect nor \NonExistent */
	bool subscribed;
	const struct imap_status
	    *status; /* counts told with the list; NULL where not told or not asked for */
};

/* One side's folders.  Strings and arrays live as long as whoever filled it says. */
struct folder_set {
	struct folder *items;
	unsigned count;
	char separator;     /* of the personal namespace; 0 = none */
	const char *prefix; /* of the personal namespace, "INBOX." or ""; never NULL */
};

struct folder_pair {
	const struct folder *source;
	const char *to; /* raw name on the destination */
	bool exists;    /* on the destination, selectable */
	bool renamed;   /* not the translated name, because that was taken */
	bool mapped;    /* by automap */
};

struct folder_plan {
	struct folder_pair *pairs; /* in byte order of the source names */
	unsigned count;
};

/* "\Sent" (any case) to SPECIAL_SENT; SPECIAL_NONE for other attributes. */
enum special_use folder_special(const char *attribute);

/* By exact raw name, INBOX in any case; NULL when there is none. */
const struct folder *folder_find(const struct folder_set *set, const char *name);

/* The destination of the source folder name (raw) by --f1f2, as given, in a; NULL without one. */
const char *folder_renamed_to(const struct word_list *renames, const char *name, struct arena *a);

/*
 * The plan for what o selects (engine/chosen.h), with --f1f2, --automap and --subfolderN; it lives in a and
 * points into source.  ERR_INVALID: an --include, --exclude or --f1f2 is malformed; ERR_NOT_FOUND: there is
 * no such --subfolder1; reason then holds a line.
 */
enum err folder_plan_make(const struct options *o, const struct folder_set *source,
    const struct folder_set *destination, struct arena *a, struct folder_plan *plan_r,
    struct buf *reason) MUST_CHECK;

#endif
