/* What the pages that make or change jobs share. */
#ifndef MCV_FCGI_JOB_SEAL_H
#define MCV_FCGI_JOB_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi/form.h"
#include "fcgi/visit.h"
#include "fcgi/web.h"
#include "lib/err.h"
#include "lib/vault.h"
#include "sql/store_job.h"

/* Seal a mailbox password for a job of that account; the box lives as long as the request.  As vault_seal().
 */
enum err job_seal(struct visit *v, uint64_t account_id, enum vault_side side, const char *password,
    struct job_sealed *sealed_r) MUST_CHECK;

/* The same of a form's field for job j's account; where it is blank *sealed_r stays as it is: the job's own
 * is used. */
enum err job_seal_given(struct visit *v, const struct job *j, enum vault_side side,
    const struct form_field *field, struct job_sealed *sealed_r) MUST_CHECK;

/* Refuse (409) since job other is between the same mailboxes and queued or running.  undone: a sentence on
 * what was not done therefore, or NULL; action: what may be done. */
enum err job_refuse_busy(struct visit *v, uint64_t other, const char *undone, const char *action) MUST_CHECK;

/* Answer that job id was made (existed: had been made already by the same form): 303 to it, or 201/200 with
 * it. */
enum err job_made(struct visit *v, uint64_t id, bool existed, const char *notice) MUST_CHECK;

/* Note in the audit trail what was done with job id; detail may be NULL. */
void job_note(struct visit *v, const char *action, uint64_t id, const char *detail);

/* Answer that job id was changed: 303 to it, or 200 with it. */
enum err job_changed(struct visit *v, uint64_t id, const char *notice) MUST_CHECK;

#endif
