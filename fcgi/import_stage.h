/*
 * From an uploaded or pasted file to rows that wait for confirmation (sql/store_import.h): every row is
 * judged, good ones are kept with their passwords sealed, bad ones with their problems and without passwords.
 * Memory does not grow with the file but for 24 bytes a mailbox.
 */
#ifndef MCV_FCGI_IMPORT_STAGE_H
#define MCV_FCGI_IMPORT_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "fcgi/visit.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "sql/store_server.h"

/*
 * Read the file from its beginning; fd stays the caller's.  options: of all its jobs, as
 * import_options_read() gave them.  ERR_INVALID or ERR_TOO_BIG: the file as a whole cannot be taken, problems
 * has a line ended by '\n' for each reason, nothing is kept.  Errors of sql/db.h.
 */
enum err import_stage(
    struct visit *v, int fd, const char *options, struct buf *problems, uint64_t *id_r) MUST_CHECK;

/* What became of a list. */
enum { IMPORT_LIST_MAX = 5000, IMPORT_LIST_PROBLEMS_MAX = 1000 };
struct import_list_result {
	size_t good, bad; /* rows */
	size_t *indexes;  /* of the good ones */
	struct json_object
	    *problems; /* list of {index, field (or null: all of it), reason}: the first ones */
};

/*
 * The same for a list of objects with the fields of a job (fields_job_new), at most IMPORT_LIST_MAX: judged,
 * sealed and kept as the rows of a file are.  r is always filled; r->problems is the caller's.  ERR_CONFLICT:
 * there are bad rows and they are not to be skipped, or no good one: nothing is kept.  Errors of sql/db.h.
 */
enum err import_stage_list(struct visit *v, struct json_object *list, const char *options, bool skip_bad,
    struct import_list_result *r, uint64_t *id_r) MUST_CHECK;

/* The servers that rows may name: shared ones and those of the viewer's own account, by name. */
enum err import_stage_servers(struct visit *v, struct server **list_r, size_t *count_r) MUST_CHECK;

#endif
