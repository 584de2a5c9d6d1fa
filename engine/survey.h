/*
 * What each folder holds on both sides, and which messages of the source the destination lacks.  Bodies are
 * read only where nothing else decides (content.h).  Where the destination has no message yet, the source is
 * asked for UIDs and sizes alone.
 */
#ifndef MCV_ENGINE_SURVEY_H
#define MCV_ENGINE_SURVEY_H

#include "lib/err.h"
#include "engine/crew.h"
#include "engine/job.h"

#define SURVEY_BATCH 8 /* folders asked for at once */

/*
 * Surveys count jobs with one round trip, as a rule.  What fails is reported, the job then JOB_FAILED.
 * ERR_OK; ERR_CLOSED when a connection is lost for good, jobs not done being JOB_OPEN; ERR_TOO_BIG when
 * --errorsmax was reached.
 */
enum err survey_batch(struct pair *p, struct job **jobs, unsigned count) MUST_CHECK;

/* One of them; both folders are selected afterwards.  The same errors. */
enum err survey_one(struct pair *p, struct job *job) MUST_CHECK;

/*
 * Both sides once more, for what the destination has and the source has not: there_r, whose messages have a
 * partner where the source has them, or may have (spare_alike(): *spared_r of them); free with
 * message_list_free(), on failure too.  *sure_r: both are whole, and, but with --dry, all that was to be
 * copied is there.  The same errors.
 */
enum err survey_again(struct pair *p, struct job *job, struct message_list *there_r, uint32_t *spared_r,
    bool *sure_r) MUST_CHECK;

/* Whether a side's folder, as it is now, is still as the survey saw it. */
bool survey_holds(const struct job *job, unsigned side, const struct imap_mailbox *now);

/* Reports what could not be gone through: the job is JOB_FAILED, ERR_OK, or an error as above. */
enum err survey_give_up(struct pair *p, struct job *job, struct link *l, enum err e) MUST_CHECK;

void job_free(struct job *job);

#endif
