/*
 * Which program migrates mailboxes, and its version: sync_program of the configuration; unset, imapsync on
 * PATH; else the built-in engine.
 */
#ifndef MCV_WORKER_PROGRAM_H
#define MCV_WORKER_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "lib/conf.h"
#include "lib/err.h"

enum { PROGRAM_VERSION_MAX = 64 };

struct program {
	char *path; /* absolute; NULL: none was found yet */
	char version[PROGRAM_VERSION_MAX];
	struct timespec changed; /* of the file, when its version was asked for */
};

/* Whether the program of this path is the built-in engine, which takes words that imapsync does not. */
bool program_is_engine(const char *path);

/* The file's name, without directories. */
const char *program_name(const struct program *p);

/*
 * Looks again; cheap when nothing changed.  A new or changed program is asked for its version (--version, at
 * most 5 s, in work_dir), which may remain "".  ERR_OK; ERR_NOT_FOUND: there is none to be executed.
 */
enum err program_find(struct program *p, const struct conf *conf, const char *work_dir) MUST_CHECK;

/* The same for the built-in engine, whatever sync_program says. */
enum err program_find_engine(struct program *p, const struct conf *conf, const char *work_dir) MUST_CHECK;

void program_free(struct program *p);

#endif
