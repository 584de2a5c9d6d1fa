#include "sql/job.h"

#include <string.h>

#include "sql/viewer.h"

static const char *const states[JOB_STATE__MAX] = {
    [JOB_QUEUED] = "queued",
    [JOB_RUNNING] = "running",
    [JOB_DONE] = "done",
    [JOB_FAILED] = "failed",
    [JOB_CANCELLED] = "cancelled",
    [JOB_INTERRUPTED] = "interrupted",
};

static const char *const securities[] = {
    [SECURITY_TLS] = "tls",
    [SECURITY_STARTTLS] = "starttls",
    [SECURITY_NONE] = "none",
};

const char *job_state_name(enum job_state s)
{
	return (unsigned)s < JOB_STATE__MAX ? states[s] : "unknown";
}

enum err job_state_parse(const char *name, enum job_state *s_r)
{
	for (unsigned i = 0; name != NULL && i < JOB_STATE__MAX; i++)
		if (strcmp(states[i], name) == 0) {
			*s_r = (enum job_state)i;
			return ERR_OK;
		}
	return ERR_INVALID;
}

bool job_state_is_ended(enum job_state s)
{
	return s != JOB_QUEUED && s != JOB_RUNNING;
}

const char *security_name(enum security s)
{
	return s >= SECURITY_TLS && s <= SECURITY_NONE ? securities[s] : "unknown";
}

enum err security_parse(const char *name, enum security *s_r)
{
	for (unsigned i = SECURITY_TLS; name != NULL && i <= SECURITY_NONE; i++)
		if (strcmp(securities[i], name) == 0) {
			*s_r = (enum security)i;
			return ERR_OK;
		}
	return ERR_INVALID;
}

const char *verify_state_name(enum verify_state s)
{
	static const char *const names[VERIFY_STATE__MAX] = {
	    [VERIFY_RUNNING] = "running",
	    [VERIFY_VERIFIED] = "verified",
	    [VERIFY_FAULTS] = "faults",
	    [VERIFY_UNVERIFIED] = "unverified",
	};

	return (unsigned)s < VERIFY_STATE__MAX ? names[s] : NULL;
}

void job_verify_init(struct job_verify *v)
{
	*v = (struct job_verify){
	    .messages = -1,
	    .verified = -1,
	    .missing = -1,
	    .altered = -1,
	    .doubled = -1,
	    .extra = -1,
	    .newer = -1,
	    .adapted = -1,
	};
}

void job_counters_init(struct job_counters *c)
{
	*c = (struct job_counters){
	    .folders_total = -1,
	    .folders_done = -1,
	    .messages_total = -1,
	    .messages_done = -1,
	    .messages_copied = -1,
	    .messages_skipped = -1,
	    .messages_failed = -1,
	    .messages_to_copy = -1,
	    .messages_to_delete = -1,
	    .messages_deleted = -1,
	    .bytes_total = -1,
	    .bytes_copied = -1,
	    .biggest_bytes = -1,
	    .rate_bytes = -1,
	    .rate_milli_messages = -1,
	    .eta_s = -1,
	    .quota_used_bytes = -1,
	    .quota_limit_bytes = -1,
	};
}

const char *role_name(enum role r)
{
	return r == ROLE_ADMIN ? "admin" : "member";
}

bool job_is_confirmed(const struct job *j)
{
	return j->state == JOB_QUEUED && j->max_delete > 0;
}
