/*
 * The connection to MariaDB; its implementation is the only user of mysql.h.  Callers hand in SQL text with ?
 * for every value, never a value inside the text: each call is a server-side prepared statement, kept by its
 * text for the life of the connection, so compose text from few fixed pieces.
 *
 * Every connection gets: strict SQL mode, UTC, READ COMMITTED, utf8mb4, lock waits of 5 s, wsrep_sync_wait=1
 * where the server knows it (reads see own writes on a Galera cluster), LOCAL INFILE off, connect timeout 5
 * s, read and write timeout 30 s each.  Nothing reconnects by itself: that would hide lost transactions.
 *
 * Errors, the same for every function here and for every store, which do not repeat them:
 *   ERR_BUSY         deadlock or lock wait ran out (1213, 1205): roll back, try again
 *   ERR_UNAVAILABLE  the database cannot be reached or is going down (2002, 2003, 2006, 2013, 1047, 1053,
 * 1180): nothing was changed; db_reconnect() ERR_UNCERTAIN    the same on COMMIT, or on a changing statement
 * outside a transaction: it may have happened. db_reconnect() and re-read before anything else.  A server
 * about to go (1205-like answers aside) may still be committing: read the row with FOR UPDATE. ERR_CONFLICT
 * unique key, foreign key or CHECK violated (1062, 1451, 1452, 4025) ERR_FULL         the server's storage is
 * full (1114, 1021, 3) ERR_TOO_BIG      a value too long for its column or the packet (1406, 1153, 1301)
 *   ERR_INVALID      a value out of its column's range, or text that is not UTF-8 (1264, 1366)
 *   ERR_INTERNAL     anything else, such as an SQL error: a bug; db_error() says which
 * A transaction that met any error must be ended with db_rollback().
 */
#ifndef MCV_SQL_DB_H
#define MCV_SQL_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"

struct db;

struct db_options {
	const char *socket; /* Unix socket path; used when host is NULL or "" */
	const char *host; /* TCP, then; TLS with verified certificate and name is demanded unless loopback */
	unsigned port;    /* 0 = 3306 */
	const char *user; /* NULL or "" = name of the OS user (unix_socket authentication) */
	const char
	    *password; /* NULL or "" = none; a copy is kept for db_reconnect() and wiped by db_close() */
	const char *database; /* NULL or "" = none selected */
	const char *ca_file;  /* CA for TLS; NULL or "" = the system's store */
	unsigned timeout_s;   /* for one read or write; more than the 5 s of a lock wait; 0 = 30 */
};

/*
 * Connects.  *db_r is set also on failure, so that db_error() can say why and db_reconnect() can try again;
 * it is the caller's to db_close() in any case.  ERR_OK; ERR_UNAVAILABLE; ERR_DENIED: user, password or
 * database refused.
 */
enum err db_open(const struct db_options *options, struct db **db_r) MUST_CHECK;

/* Ends the connection (an open transaction is rolled back by the server) and sets *db to NULL; may be NULL.
 */
void db_close(struct db **db);

/* Drops the connection, with its transaction, and connects anew.  Errors as db_open(). */
enum err db_reconnect(struct db *db) MUST_CHECK;

/* Whether the connection is believed alive (nothing is sent).  False from the first lost-connection error on.
 */
bool db_is_connected(const struct db *db);

/* Text and number of the last error, for logs: names of statements and keys, never a data value.  "" after
 * none. Valid until the next call. */
const char *db_error(const struct db *db);
unsigned db_errno(const struct db *db);

/* A value for one ?.  Bytes are borrowed for the call. */
struct db_param {
	enum { DB_P_NULL, DB_P_U64, DB_P_I64, DB_P_BYTES, DB_P_TIME } type;
	union {
		uint64_t u;
		int64_t i;
		struct {
			const void *p;
			size_t len;
		} b;
	};
};

struct db_param db_p_u64(uint64_t v);
struct db_param db_p_i64(int64_t v);
struct db_param db_p_str(const char *s);                  /* NULL pointer = SQL NULL */
struct db_param db_p_blob(const void *bytes, size_t len); /* NULL pointer = SQL NULL */
struct db_param db_p_id(uint64_t id);                     /* 0 = SQL NULL */
struct db_param db_p_count(int64_t v);                    /* negative = SQL NULL: a counter not known */
struct db_param db_p_time(int64_t us);                    /* microseconds since 1970 UTC, as DATETIME(6) */
struct db_param db_p_null(void);

/* The two arguments "params, count" of the calls below. */
#define DB_ARGS(...) \
	((const struct db_param[]){__VA_ARGS__}), \
	    (sizeof((const struct db_param[]){__VA_ARGS__}) / sizeof(struct db_param))
#define DB_NONE NULL, 0

/*
 * Run a statement without result.  *changed_r (may be NULL): rows really changed; a row set to what it
 * already was is not counted, so make "did I win" updates change something always.
 */
enum err db_exec(struct db *db, const char *sql, const struct db_param *params, size_t count,
    uint64_t *changed_r) MUST_CHECK;

/* AUTO_INCREMENT value of the last INSERT. */
uint64_t db_insert_id(const struct db *db);

struct db_value;

/* A result set, whole, in the arena.  Zero rows is not an error. */
struct db_rows {
	size_t count;
	unsigned columns;
	const struct db_value *values; /* count * columns */
};
enum err db_query(struct db *db, struct arena *a, const char *sql, const struct db_param *params,
    size_t count, struct db_rows *rows_r) MUST_CHECK;

/* The same for a query that gives at most one row of interest: ERR_NOT_FOUND when there is none. */
enum err db_query_one(struct db *db, struct arena *a, const char *sql, const struct db_param *params,
    size_t count, struct db_rows *rows_r) MUST_CHECK;

/* Values of row, column (both from 0, must be in range).  SQL NULL reads as 0, NULL, false.  A sum
 * (DECIMAL) reads as an integer and as text; floating point is not used. */
bool db_is_null(const struct db_rows *rows, size_t row, unsigned column);
uint64_t db_u64(const struct db_rows *rows, size_t row, unsigned column);
int64_t db_i64(const struct db_rows *rows, size_t row, unsigned column);
int64_t db_count(const struct db_rows *rows, size_t row, unsigned column);   /* SQL NULL = -1 */
const char *db_str(const struct db_rows *rows, size_t row, unsigned column); /* NUL-terminated, arena-owned */
const void *db_blob(const struct db_rows *rows, size_t row, unsigned column, size_t *len_r);
int64_t db_time_us(const struct db_rows *rows, size_t row, unsigned column); /* DATETIME: us since 1970 UTC */
int64_t db_time_s(const struct db_rows *rows, size_t row, unsigned column);  /* the same in seconds */

/* Transactions do not nest.  db_rollback() is safe at any time, also without a transaction or a connection.
 */
enum err db_begin(struct db *db) MUST_CHECK;
enum err db_commit(struct db *db) MUST_CHECK;
void db_rollback(struct db *db);

/* Run one statement that cannot be prepared (schema changes, SET), fixed text only: for sql/migrate.c. */
enum err db_exec_text(struct db *db, const char *sql) MUST_CHECK;

#endif
