/*
 * The schema and its versions: numbered files NNNN_name.sql in one directory, applied in order, each recorded
 * in schema_migration with the SHA-256 of its bytes.  A file holds statements that may be run again (CREATE
 * TABLE IF NOT EXISTS, INSERT IGNORE), since MariaDB commits each schema change by itself: a run cut short is
 * simply run again.  Statements end with a ; at the end of a line; "-- " begins a comment line.
 */
#ifndef MCV_SQL_MIGRATE_H
#define MCV_SQL_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "sql/db.h"

/* The newest migration this program was built for. */
enum { MCV_SCHEMA_VERSION = 26 };

struct migration {
	unsigned version;
	const char *name;   /* "initial" */
	int64_t applied_at; /* seconds since 1970 UTC; 0 = not applied */
	bool is_changed;    /* applied once, but the file is another now */
	bool is_unknown;    /* applied, but there is no such file: the database is newer than this program */
};

/* All migrations, of the directory and of the database, by version.  why_r: as in migrate_run(). */
enum err migrate_status(struct db *db, struct arena *a, const char *dir, struct migration **list_r,
    size_t *count_r, const char **why_r) MUST_CHECK;

/*
 * Apply what is missing, one runner at a time (GET_LOCK, waits up to 20 s).  *applied_r: how many were.
 * *why_r (always set, "" on success): one line for the administrator.
 * ERR_CONFLICT: an applied file was changed, or the database is newer than the files; nothing was done.
 * ERR_BUSY: somebody else is migrating.  ERR_IO: a file could not be read.  ERR_INVALID: a gap or a doubled
 * number among the files.  ERR_INTERNAL: a statement failed; why_r names file and statement number.
 */
enum err migrate_run(
    struct db *db, struct arena *a, const char *dir, unsigned *applied_r, const char **why_r) MUST_CHECK;

/*
 * For every program at start-up: whether the database has exactly MCV_SCHEMA_VERSION.  ERR_OK; ERR_CONFLICT:
 * it is older, newer or empty, *why_r (always set, "" on success) says so and what to do.
 */
enum err migrate_check(struct db *db, struct arena *a, const char **why_r) MUST_CHECK;

#endif
