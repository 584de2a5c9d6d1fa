#include "sql/job_row.h"

static enum err read_side(const struct db_rows *r, size_t row, unsigned *c, struct job_side *s)
{
	s->server_id = db_u64(r, row, (*c)++);
	s->server_name = db_str(r, row, (*c)++);
	s->host = db_str(r, row, (*c)++);
	s->port = (unsigned)db_u64(r, row, (*c)++);
	if (security_parse(db_str(r, row, (*c)++), &s->security) != ERR_OK)
		return ERR_INTERNAL;
	s->verify = db_u64(r, row, (*c)++) != 0;
	s->user = db_str(r, row, (*c)++);
	return ERR_OK;
}

static void read_counters(const struct db_rows *r, size_t row, unsigned *c, struct job_counters *k)
{
	k->folders_total = db_count(r, row, (*c)++);
	k->folders_done = db_count(r, row, (*c)++);
	k->folder_current = db_str(r, row, (*c)++);
	k->messages_total = db_count(r, row, (*c)++);
	k->messages_done = db_count(r, row, (*c)++);
	k->messages_copied = db_count(r, row, (*c)++);
	k->messages_skipped = db_count(r, row, (*c)++);
	k->messages_failed = db_count(r, row, (*c)++);
	k->messages_to_copy = db_count(r, row, (*c)++);
	k->bytes_total = db_count(r, row, (*c)++);
	k->bytes_copied = db_count(r, row, (*c)++);
	k->biggest_bytes = db_count(r, row, (*c)++);
	k->rate_bytes = db_count(r, row, (*c)++);
	k->rate_milli_messages = db_count(r, row, (*c)++);
	k->eta_s = db_count(r, row, (*c)++);
	k->quota_used_bytes = db_count(r, row, (*c)++);
	k->quota_limit_bytes = db_count(r, row, (*c)++);
}

enum err job_row_read(const struct db_rows *r, size_t row, struct job *j)
{
	unsigned c = 0;

	j->id = db_u64(r, row, c++);
	j->account_id = db_u64(r, row, c++);
	j->account_name = db_str(r, row, c++);
	j->owner_user_id = db_u64(r, row, c++);
	j->owner_email = db_str(r, row, c++);
	j->batch_id = db_u64(r, row, c++);
	j->batch_tag = db_str(r, row, c++);
	j->parent_id = db_u64(r, row, c++);
	j->name = db_str(r, row, c++);
	j->label = db_str(r, row, c++);
	j->dry_run = db_u64(r, row, c++) != 0;
	if (read_side(r, row, &c, &j->source) != ERR_OK || read_side(r, row, &c, &j->destination) != ERR_OK ||
	    job_state_parse(db_str(r, row, c++), &j->state) != ERR_OK)
		return ERR_INTERNAL;
	j->queued_at = db_time_s(r, row, c++);
	j->cancel_requested_at = db_time_s(r, row, c++);
	j->started_at = db_time_s(r, row, c++);
	j->finished_at = db_time_s(r, row, c++);
	j->duration_ms = db_count(r, row, c++);
	j->worker_id = db_u64(r, row, c++);
	j->attempts = (unsigned)db_u64(r, row, c++);
	j->program = db_str(r, row, c++);
	j->program_version = db_str(r, row, c++);
	j->exit_code = (int)db_count(r, row, c++);
	j->exit_signal = (int)db_i64(r, row, c++);
	j->reason = db_str(r, row, c++);
	j->reason_text = db_str(r, row, c++);
	j->reason_detail = db_str(r, row, c++);
	j->reason_action = db_str(r, row, c++);
	j->log_bytes = db_i64(r, row, c++);
	j->log_cut_start = db_count(r, row, c++);
	j->log_cut_bytes = db_i64(r, row, c++);
	j->log_errors = db_count(r, row, c++);
	j->log_warnings = db_count(r, row, c++);
	read_counters(r, row, &c, &j->counters);
	j->progress_at = db_time_s(r, row, c++);
	j->updated_at = db_time_s(r, row, c++);
	return c == JOB_COLUMN_COUNT ? ERR_OK : ERR_INTERNAL;
}

void job_counters_params(
    const struct job_counters *c, const char *folder, struct db_param p[JOB_COUNTERS_COUNT])
{
	const struct db_param all[JOB_COUNTERS_COUNT] = {
	    db_p_count(c->folders_total),
	    db_p_count(c->folders_done),
	    db_p_str(folder),
	    db_p_count(c->messages_total),
	    db_p_count(c->messages_done),
	    db_p_count(c->messages_copied),
	    db_p_count(c->messages_skipped),
	    db_p_count(c->messages_failed),
	    db_p_count(c->messages_to_copy),
	    db_p_count(c->bytes_total),
	    db_p_count(c->bytes_copied),
	    db_p_count(c->biggest_bytes),
	    db_p_count(c->rate_bytes),
	    db_p_count(c->rate_milli_messages),
	    db_p_count(c->eta_s),
	    db_p_count(c->quota_used_bytes),
	    db_p_count(c->quota_limit_bytes),
	};

	for (unsigned i = 0; i < JOB_COUNTERS_COUNT; i++)
		p[i] = all[i];
}
