/*
 * What a configuration must be beyond types and ranges, for conf_load() alone.
 */
#ifndef MCV_LIB_CONF_CHECK_H
#define MCV_LIB_CONF_CHECK_H

#include "lib/buf.h"
#include "lib/conf.h"
#include "lib/err.h"

/* ERR_INVALID: why says in a sentence, which begins with path, what does not go. */
enum err conf_check(const char *path, const struct conf *conf, struct buf *why) MUST_CHECK;

#endif
