/*
 * The rows of an import file, judged one after the other: each becomes a row for the queue or a list of all
 * that is wrong with it.  Pure; passwords are handed through and never named.
 */
#ifndef MCV_FCGI_IMPORT_CHECK_H
#define MCV_FCGI_IMPORT_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgi/csv_read.h"
#include "fcgi/import_columns.h"
#include "fcgi/import_seen.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

/* A server that the importer may use. */
struct import_server {
	uint64_t id;
	const char *name, *host;
	bool may_receive; /* the account's limits let it be a destination */
};

struct import_check {
	const struct import_server *servers;
	size_t servers_count;
	struct import_seen *seen;   /* mailboxes of earlier rows, by line */
	struct import_seen *active; /* mailboxes that are queued or running, by job */
	struct import_map map;
	bool takes_token[2]; /* the source's password, the destination's is an access token */
	bool is_list;        /* the rows are those of a list (line: index + 1), not of a file */
};

struct import_mailbox_row {
	struct import_mailboxes mailboxes;
	uint64_t src_server_id, dst_server_id;
	const char *src_password, *dst_password; /* as they stand in the row */
	const char *name;                        /* NULL: none */
	int dry_run;                             /* 1, 0, or -1: it does not say */
};

/*
 * Judge one row.  ERR_OK: *good_r, whose strings live in a and in row.  ERR_INVALID: problems gets
 * "COLUMN\tREASON\n" for each thing wrong with it (COLUMN empty: the row as a whole).
 */
enum err import_check_row(const struct import_check *c, struct arena *a, const struct csv_row *row,
    struct import_mailbox_row *good_r, struct buf *problems) MUST_CHECK;

/* The row without its passwords as a line of CSV in the order of import_column_names, without IMPORT_REASON
 * and line end. */
void import_row_text(const struct import_map *m, const struct csv_row *row, struct buf *out);

#endif
