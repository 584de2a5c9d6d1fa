/*
 * --delete2: messages of the destination's folders that the source has not.  The only thing here that
 * deletes, and only when all of this is so:
 * - every folder of the plan was gone through and no error happened in the whole run;
 * - both sides of every folder, listed once more, are whole, and nothing that was to be copied is missing;
 * - there are not more of them, in all folders together, than --maxdelete says; else none is deleted;
 * - they are what --deletedigest says, where that is given;
 * - no two folders of the plan are one folder of the destination's;
 * - the server can remove single messages by UID (UIDPLUS, RFC 4315).
 * A message that an option left behind on the source is on the source: its copy stays.  So does one that the
 * source has in a folder that was not asked for (--folder, --exclude...), and what may be the source's
 * (engine/spare.h). Nothing is deleted from folders that show what is in others (\All and \Flagged of RFC
 * 6154).
 *
 * The digest, which the report prints and --deletedigest takes: SHA-256, in hexadecimal digits, of one piece
 * for each folder of the destination that has some, in byte order of their raw names: the name, a newline,
 * the folder's UIDVALIDITY, a blank and the UID of each message, ascending, and a newline.
 */
#ifndef MCV_ENGINE_SURPLUS_H
#define MCV_ENGINE_SURPLUS_H

#include "lib/err.h"
#include "engine/copy.h"

/*
 * After copy_folders(); without --delete2 nothing is done.  With --dry it says what would be deleted, and the
 * report how many; a limit need not be given then.  What forbids it is reported as an error.  ERR_OK, also
 * then; ERR_CLOSED when a connection is lost for good or a signal came.
 */
enum err surplus_delete(struct copy *c) MUST_CHECK;

#endif
