/*
 * Files that hold a secret: passwords and private keys.
 */
#ifndef MCV_LIB_SECRETFILE_H
#define MCV_LIB_SECRETFILE_H

#include <stddef.h>

#include "lib/buf.h"
#include "lib/err.h"

/*
 * Append the whole of a secret's file, at most max_bytes, to out (the caller's, to be wiped with buf_wipe()).
 * A symbolic link, anything but a regular file, and a file that group or others may read are refused.  On
 * failure why gets one sentence with the remedy.  ERR_OK, ERR_NOT_FOUND, ERR_DENIED (mode, link or not ours
 * to read), ERR_TOO_BIG, ERR_IO.
 */
enum err secretfile_read(const char *path, size_t max_bytes, struct buf *out, struct buf *why) MUST_CHECK;

/*
 * Write len bytes to a new file of this mode, safely on the disk; an existing file is never overwritten.
 * ERR_OK, ERR_CONFLICT (it exists), ERR_IO; why gets one sentence.
 */
enum err secretfile_write(
    const char *path, unsigned mode, const void *bytes, size_t len, struct buf *why) MUST_CHECK;

/* The same as secretfile_read(), but only the first line without its newline; also ERR_INVALID if that is
 * empty. */
enum err secretfile_read_line(
    const char *path, size_t max_bytes, struct buf *out, struct buf *why) MUST_CHECK;

#endif
