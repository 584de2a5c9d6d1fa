/*
 * What a CSV import keeps between its preview and its confirmation: rows ready to become jobs (passwords
 * sealed for the viewer's account), and the refused ones without their passwords.  An import belongs to the
 * user who made it and to nobody else, admins included; after IMPORT_TTL_S it is gone.  Errors of sql/db.h
 * are not repeated.
 */
#ifndef MCV_SQL_STORE_IMPORT_H
#define MCV_SQL_STORE_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"
#include "sql/store_job.h"
#include "sql/viewer.h"

/* Of one user in one account at most IMPORT_WAITING_MAX wait for confirmation: the next one takes the place
 * of the oldest.  Options are kept with each of up to 50,000 jobs, and bounded therefore. */
enum {
	IMPORT_TTL_S = 3600,
	IMPORT_WAITING_MAX = 10,
	IMPORT_PAGE_MAX = 1000,
	IMPORT_OPTIONS_MAX_BYTES = 4000
};

/* A row that can become a job. */
struct import_row {
	unsigned line;    /* where it begins in the file, from 1; rising from row to row */
	const char *name; /* NULL or "": none; at most JOB_NAME_MAX_CHARS */
	int dry_run;      /* 1, 0, or -1: as the batch */
	uint64_t src_server_id, dst_server_id;
	const char *src_user, *dst_user;          /* 1 to 255 characters */
	struct job_sealed src_sealed, dst_sealed; /* read back: empty */
};

/* A row that cannot. */
struct import_bad {
	unsigned line;
	const char *fields;   /* the row as CSV, passwords left out */
	const char *problems; /* "COLUMN\tREASON\n" for each; COLUMN may be empty */
};

/*
 * Writing: begin, add rows in the order of the file, end.  All of it is one transaction on db, which must not
 * be used for anything else meanwhile.  Rows are copied and sent some at a time.  options: of all jobs it
 * will make (lib/joboptions.h; NULL or "": none); ERR_INVALID: longer than IMPORT_OPTIONS_MAX_BYTES.
 */
struct import_writer;
enum err store_import_begin(
    struct db *db, const struct viewer *v, const char *options, struct import_writer **w_r) MUST_CHECK;
enum err store_import_add(struct import_writer *w, const struct import_row *row) MUST_CHECK;
enum err store_import_add_bad(struct import_writer *w, const struct import_bad *bad) MUST_CHECK;
/* Commits, frees and sets *w to NULL, whatever is returned. */
enum err store_import_end(struct import_writer **w, uint64_t *id_r) MUST_CHECK;
/* Rolls back, frees, sets *w to NULL; *w may be NULL. */
void store_import_abandon(struct import_writer **w);

struct import {
	uint64_t id;
	uint64_t rows_good, rows_bad;
	int64_t created_at, expires_at; /* seconds since 1970 UTC */
	uint64_t batch_id;              /* what it became; 0: not confirmed */
	const char *options;            /* of all its jobs; NULL: none */
};

/* ERR_NOT_FOUND: none of this user's, or its hour is over and it was not confirmed. */
enum err store_import_get(
    struct db *db, struct arena *a, const struct viewer *v, uint64_t id, struct import *import_r) MUST_CHECK;

/* How many good rows go from which server to which, most first, at most limit pairs. */
struct import_pair {
	const char *src_name, *dst_name; /* NULL: deleted meanwhile */
	const char *src_host;
	uint64_t rows, dry, real; /* dry, real: how many say so themselves */
};
enum err store_import_pairs(struct db *db, struct arena *a, const struct viewer *v, uint64_t id,
    unsigned limit, struct import_pair **list_r, size_t *count_r) MUST_CHECK;

/* The first good rows, at most limit, with their servers' names. */
struct import_sample {
	struct import_row row;
	const char *src_name, *dst_name; /* NULL: deleted meanwhile */
};
enum err store_import_samples(struct db *db, struct arena *a, const struct viewer *v, uint64_t id,
    unsigned limit, struct import_sample **list_r, size_t *count_r) MUST_CHECK;

/* Refused rows behind line after (0: from the first), at most limit (1 to IMPORT_PAGE_MAX). */
enum err store_import_bad_list(struct db *db, struct arena *a, const struct viewer *v, uint64_t id,
    unsigned after, unsigned limit, struct import_bad **list_r, size_t *count_r) MUST_CHECK;

/* A job of the viewer's account that is queued or running. */
struct import_active {
	uint64_t job_id;
	const char *src_host, *src_user, *dst_host, *dst_user; /* valid during the call */
};
/* Call each for all of them.  It must not use db. */
enum err store_import_active(struct db *db, const struct viewer *v,
    void (*each)(void *arg, const struct import_active *job), void *arg) MUST_CHECK;

enum import_outcome {
	IMPORT_DONE = 1,
	IMPORT_DONE_BEFORE,     /* confirmed already: *batch_id_r is what it became then */
	IMPORT_TAG_TAKEN,       /* the account has a batch of this tag */
	IMPORT_HAS_BAD,         /* refused rows, and skip_bad was not given */
	IMPORT_EMPTY,           /* no good row */
	IMPORT_SERVER_GONE,     /* a server was deleted, or is not the account's to use any more */
	IMPORT_QUEUED_ELSEWHERE /* some of the mailboxes were queued by others since the preview */
};

/*
 * Make the batch and its jobs of the good rows, queued in the order of the file, all with the import's
 * options: one transaction, all or nothing; a second confirmation, even at the same moment, makes nothing.
 * Only IMPORT_DONE and IMPORT_DONE_BEFORE set *batch_id_r.  ERR_NOT_FOUND as above; ERR_INVALID: not a tag;
 * ERR_LIMIT: the account may queue no more, or not copy to a host named.  After ERR_UNCERTAIN call again.
 */
enum err store_import_confirm(struct db *db, const struct viewer *v, uint64_t id, const char *tag,
    bool dry_run, bool skip_bad, enum import_outcome *outcome_r, uint64_t *batch_id_r) MUST_CHECK;

/*
 * The same for a batch with a request_key (sql/store_batch.h): IMPORT_TAG_TAKEN also when the account has one
 * with it.
 */
enum err store_import_confirm_once(struct db *db, const struct viewer *v, uint64_t id, const char *tag,
    const uint8_t *request_key, bool dry_run, bool skip_bad, enum import_outcome *outcome_r,
    uint64_t *batch_id_r) MUST_CHECK;

/* Forget an import that was not confirmed: from now on it is not found.  ERR_NOT_FOUND. */
enum err store_import_discard(struct db *db, const struct viewer *v, uint64_t id) MUST_CHECK;

/* Delete up to limit rows of one import that expired, confirmed or not.  *more_r: ask again.  For web and
 * worker alike. */
enum err store_import_sweep(struct db *db, unsigned limit, bool *more_r) MUST_CHECK;

#endif
