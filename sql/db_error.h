/* What the server's error numbers mean to us.  Pure; for db.c alone. */
#ifndef MCV_SQL_DB_ERROR_H
#define MCV_SQL_DB_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

/* What a statement was for. */
enum db_purpose {
	DB_READ,    /* nothing is lost when its answer is */
	DB_CHANGE,  /* a change that a commit must follow */
	DB_COMMIT,  /* a commit, or a change that commits itself: a lost answer is ERR_UNCERTAIN */
	DB_CONNECT, /* being let in */
};

/* Whether the connection is of no use after this. */
bool db_error_is_gone(unsigned code);

/* The table at the top of sql/db.h. */
enum err db_error_map(unsigned code, enum db_purpose purpose) MUST_CHECK;

/* One line for the log into text of size bytes: number, message, beginning of the statement (sql may be
 * NULL).  Some of the server's messages quote the value that was refused: that part is left out. */
void db_error_describe(char *text, size_t size, unsigned code, const char *message, const char *sql);

#endif
