/*
 * Listings kept by an earlier run (engine/state.h), brought up to date: what is new is listed, what is gone
 * is found out, flags that changed are asked for.  A listing is believed only where UIDVALIDITY is as it was
 * and the numbers add up; else everything is listed as if nothing had been kept.
 */
#ifndef MCV_ENGINE_RECALL_H
#define MCV_ENGINE_RECALL_H

#include "lib/err.h"
#include "engine/copy.h"
#include "engine/folders.h"

/*
 * Jobs whose folders are on both sides as they were when nothing was to be done are JOB_SURVEYED at once.
 * destination: as listed just now; where a server did not tell counts with its list, it is asked.
 */
void recall_unchanged(struct copy *c, const struct folder_set *destination);

/* Whether the state knows enough of the job's folders for recall_lists() to be tried. */
bool recall_knows(const struct pair *p, const struct job *job);

/*
 * Both lists as of now, both folders selected, job.seen set; *done_r false: they are to be listed, nothing
 * was changed.  The lists are the caller's to free.  ERR_OK, ERR_CLOSED.
 */
enum err recall_lists(struct pair *p, struct job *job, struct message_list *here, struct message_list *there,
    bool *done_r) MUST_CHECK;

/* Keeps what a survey found; the lists are matched.  changes: flags that differ. */
void recall_keep(struct pair *p, const struct job *job, const struct message_list *here,
    const struct message_list *there, const struct flag_list *changes);

/* crew_fn, ctx being the struct copy: keeps what the jobs have become by this run.  Always ERR_OK. */
enum err recall_keep_results(void *ctx, struct pair *p) MUST_CHECK;

#endif
