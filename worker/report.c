#include "worker/report.h"

#include <stddef.h>

void report_counters(const struct progress *p, struct job_counters *c_r)
{
	*c_r = (struct job_counters){
	    .folders_total = p->folders_total,
	    .folders_done = p->folders_done,
	    .folder_current = p->folder_current[0] != '\0' ? p->folder_current : NULL,
	    .messages_total = p->messages_total,
	    .messages_done = progress_messages_done(p),
	    .messages_copied = p->messages_copied,
	    .messages_skipped = p->messages_skipped,
	    .messages_failed = p->messages_failed,
	    .messages_to_copy = p->messages_to_copy,
	    .bytes_total = p->bytes_total,
	    .bytes_copied = p->bytes_copied,
	    .biggest_bytes = p->biggest_bytes,
	    .rate_bytes = p->rate_bytes,
	    .rate_milli_messages = p->rate_milli_messages,
	    .eta_s = p->eta_s,
	    .quota_used_bytes = p->quota_used_bytes,
	    .quota_limit_bytes = p->quota_limit_bytes,
	    .messages_to_delete = p->messages_to_delete,
	    .messages_deleted = p->messages_deleted,
	};
}

bool report_same(const struct job_counters *c, const struct job_counters *kept)
{
	return c->folders_total == kept->folders_total && c->folders_done == kept->folders_done &&
	       c->messages_total == kept->messages_total && c->messages_done == kept->messages_done &&
	       c->messages_copied == kept->messages_copied && c->messages_skipped == kept->messages_skipped &&
	       c->messages_failed == kept->messages_failed && c->messages_to_copy == kept->messages_to_copy &&
	       c->bytes_total == kept->bytes_total && c->bytes_copied == kept->bytes_copied &&
	       c->quota_used_bytes == kept->quota_used_bytes &&
	       c->messages_to_delete == kept->messages_to_delete &&
	       c->messages_deleted == kept->messages_deleted;
}

void report_keep(const struct job_counters *c, struct job_counters *kept_r)
{
	*kept_r = *c;
	kept_r->folder_current = NULL;
}

void report_ending(const struct outcome *o, const struct progress *p, const struct job_counters *c,
    struct queue_ending *ending_r)
{
	static const enum job_state states[] = {
	    [RUN_DONE] = JOB_DONE,
	    [RUN_FAILED] = JOB_FAILED,
	    [RUN_CANCELLED] = JOB_CANCELLED,
	    [RUN_INTERRUPTED] = JOB_INTERRUPTED,
	};

	*ending_r = (struct queue_ending){
	    .state = states[o->state],
	    .exit_code = o->exit_code,
	    .exit_signal = o->exit_signal,
	    .reason = o->reason,
	    .reason_text = o->text,
	    .reason_detail = p != NULL && p->detail[0] != '\0' && o->state == RUN_FAILED ? p->detail : NULL,
	    .reason_action = o->action,
	    .counters = c,
	    .delete2_digest = p != NULL && p->deletions[0] != '\0' ? p->deletions : NULL,
	    .log_errors = p != NULL ? p->errors : -1,
	    .log_warnings = p != NULL ? p->warnings : -1,
	};
}

void report_verify(
    const struct outcome *o, const char *mode, const struct verified *found, struct job_verify *v_r)
{
	static const enum verify_state states[] = {
	    [PROOF_NONE] = VERIFY_NONE,
	    [PROOF_GOOD] = VERIFY_VERIFIED,
	    [PROOF_FAULTS] = VERIFY_FAULTS,
	    [PROOF_UNDONE] = VERIFY_UNVERIFIED,
	};

	job_verify_init(v_r);
	v_r->state = states[o->proof];
	v_r->mode = mode;
	v_r->note = o->proof_note;
	v_r->rows = found->faulty_rows ? found->rows : NULL;
	if (!found->summary)
		return;
	v_r->messages = found->messages;
	v_r->verified = found->verified;
	v_r->missing = found->missing;
	v_r->altered = found->altered;
	v_r->doubled = found->doubled;
	v_r->extra = found->extra;
	v_r->newer = found->newer;
	v_r->adapted = found->adapted;
}

const char *report_wish(enum wish wish)
{
	static const char *const texts[WISH__MAX] = {
	    [WISH_NONE] = "goes on",
	    [WISH_CANCEL] = "cancelled by a person",
	    [WISH_STOP] = "ended because the worker stops",
	    [WISH_WALL] = "ended: it took too long",
	    [WISH_SILENCE] = "ended: silent for too long",
	    [WISH_MEMORY] = "ended: too much memory",
	    [WISH_FENCE] = "ended: the lease could not be renewed",
	    [WISH_LOST] = "ended: another worker has it",
	    [WISH_LOG] = "ended: its log cannot be stored",
	};

	return texts[wish];
}
