/*
 * The second half of a real run: the built-in engine proves what was copied, whichever program copied
 * (configuration: verify).  Here is what is kept from the first half for it: where the copier put the
 * folders, and what the run said of itself before the verification's lines replace that.
 */
#ifndef MCV_WORKER_VERIFICATION_H
#define MCV_WORKER_VERIFICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/conf.h"
#include "worker/outcome.h"
#include "worker/progress.h"
#include "worker/verified.h"

struct verification {
	const char *mode;       /* conf's; NULL: this run is not verified */
	bool begun;             /* the copy is over and what follows is the verification's */
	bool noted;             /* the job's row says so */
	struct buf folders;     /* the copier's lines "Folder ..." */
	struct progress copied; /* once begun: what the copier said of itself */
	struct outcome_input copy;
	struct verified found;
};

void verification_init(struct verification *v, const struct conf *conf, bool dry_run);
void verification_free(struct verification *v);

/* For the copier's progress: keeps the lines about folders.  ctx is the struct verification. */
void verification_line(void *ctx, const char *line, size_t len);

/*
 * The copy is over: whether a verification belongs behind it.  Then copy and its progress are kept, and begun
 * is set.
 */
bool verification_begin(struct verification *v, const struct outcome_input *copy);

/* Writes the lines into a file below job_dir; its path, in a, or NULL where there is none or it cannot be. */
const char *verification_folder_map(const struct verification *v, struct arena *a, const char *job_dir);

#endif
