/*
 * What engine/state.c asks of the operating system.
 */
#ifndef MCV_ENGINE_STATE_FILE_H
#define MCV_ENGINE_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

#define FILE_DIGEST_LEN 32

/* All len bytes from at on; false also where there are fewer. */
bool file_read_at(int fd, void *to, size_t len, off_t at);

/* All len bytes at the descriptor's place; ERR_IO. */
enum err file_write(int fd, const void *from, size_t len) MUST_CHECK;

/* Whether the file of so many bytes ends with the SHA-256 of what is before that. */
bool file_is_whole(int fd, off_t size);

/* A new file in the directory of path, mode 0600; *name_r is its name, the caller's to free.  -1. */
int file_open_beside(const char *path, char **name_r);

/* A rename to path then survives a power failure.  Where that cannot be, it may be lost. */
void file_sync_directory(const char *path);

#endif
