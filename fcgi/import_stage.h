/*
 * From an uploaded or pasted file to rows that wait for confirmation (sql/store_import.h): every row is
 * judged, good ones are kept with their passwords sealed, bad ones with their problems and without passwords.
 * Memory does not grow with the file but for 24 bytes a mailbox.
 */
#ifndef MCV_FCGI_IMPORT_STAGE_H
#define MCV_FCGI_IMPORT_STAGE_H

#include <stdint.h>

#include "fcgi/visit.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "sql/store_server.h"

/*
 * Read the file from its beginning; fd stays the caller's.  ERR_INVALID or ERR_TOO_BIG: the file as a whole
 * cannot be taken, problems has a line ended by '\n' for each reason, nothing is kept.  Errors of sql/db.h.
 */
enum err import_stage(struct visit *v, int fd, struct buf *problems, uint64_t *id_r) MUST_CHECK;

/* The servers that rows may name: shared ones and those of the viewer's own account, by name. */
enum err import_stage_servers(struct visit *v, struct server **list_r, size_t *count_r) MUST_CHECK;

#endif
