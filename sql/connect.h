/*
 * The connection that mailconvoy.conf describes.
 */
#ifndef MCV_SQL_CONNECT_H
#define MCV_SQL_CONNECT_H

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/err.h"
#include "sql/db.h"

/*
 * Connect as conf says; its password file is read if it names one.  *db_r is the caller's to db_close(); NULL
 * when the password file was refused.  On failure why gets one sentence.  Errors as db_open() and
 * secretfile_read_line().
 */
enum err connect_database(const struct conf *conf, struct db **db_r, struct buf *why) MUST_CHECK;

/* Asks the server.  ERR_OK or ERR_UNAVAILABLE. */
enum err connect_ping(struct db *db) MUST_CHECK;

#endif
