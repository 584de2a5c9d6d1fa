#include "sql/job_row.h"

#include <string.h>

#include "sql/tx.h"

enum { NOTE_MAX_CHARS = 1000, FAULT_MAX_CHARS = 20, ROW_MAX_CHARS = 400 };

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
	k->messages_to_delete = db_count(r, row, (*c)++);
	k->messages_deleted = db_count(r, row, (*c)++);
}

static enum err read_verify(const struct db_rows *r, size_t row, unsigned *c, struct job_verify *v)
{
	const char *state = db_str(r, row, (*c)++);

	v->state = VERIFY_NONE;
	while (state != NULL && v->state < VERIFY_STATE__MAX &&
	       (v->state == VERIFY_NONE || strcmp(verify_state_name(v->state), state) != 0))
		v->state++;
	v->mode = db_str(r, row, (*c)++);
	v->messages = db_count(r, row, (*c)++);
	v->verified = db_count(r, row, (*c)++);
	v->missing = db_count(r, row, (*c)++);
	v->altered = db_count(r, row, (*c)++);
	v->doubled = db_count(r, row, (*c)++);
	v->extra = db_count(r, row, (*c)++);
	v->newer = db_count(r, row, (*c)++);
	v->adapted = db_count(r, row, (*c)++);
	v->note = db_str(r, row, (*c)++);
	v->rows = db_str(r, row, (*c)++);
	return v->state < VERIFY_STATE__MAX ? ERR_OK : ERR_INTERNAL;
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
	if (read_verify(r, row, &c, &j->verify) != ERR_OK)
		return ERR_INTERNAL;
	j->progress_at = db_time_s(r, row, c++);
	j->updated_us = db_time_us(r, row, c);
	j->updated_at = db_time_s(r, row, c++);
	j->passwords_removed_at = db_time_s(r, row, c++);
	j->log_removed_at = db_time_s(r, row, c++);
	j->options = db_str(r, row, c++);
	j->delete2 = db_u64(r, row, c++) != 0;
	j->max_delete = db_count(r, row, c++);
	j->delete2_confirmed_at = db_time_s(r, row, c++);
	j->delete2_digest = db_str(r, row, c++);
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
	    db_p_count(c->messages_to_delete),
	    db_p_count(c->messages_deleted),
	};

	for (unsigned i = 0; i < JOB_COUNTERS_COUNT; i++)
		p[i] = all[i];
}

/* Each line's two fields cleaned; a line without a tab is dropped. */
static const char *clean_rows(struct arena *a, const char *rows)
{
	AUTO_BUF struct buf b = BUF_INIT;

	while (rows != NULL && *rows != '\0') {
		size_t len = strcspn(rows, "\n");
		const char *tab = memchr(rows, '\t', len);

		if (tab != NULL)
			buf_addf(&b, "%s%s\t%s", b.len > 0 ? "\n" : "",
			    text_clean(a, arena_strndup(a, rows, (size_t)(tab - rows)), FAULT_MAX_CHARS),
			    text_clean(
				a, arena_strndup(a, tab + 1, len - (size_t)(tab + 1 - rows)), ROW_MAX_CHARS));
		rows += len;
		rows += *rows == '\n';
	}
	return b.len > 0 ? arena_strndup(a, b.data, b.len) : NULL;
}

void job_verify_params(const struct job_verify *v, struct arena *a, struct db_param p[JOB_VERIFY_COUNT])
{
	const struct db_param all[JOB_VERIFY_COUNT] = {
	    db_p_str(verify_state_name(v->state)),
	    db_p_str(v->mode),
	    db_p_count(v->messages),
	    db_p_count(v->verified),
	    db_p_count(v->missing),
	    db_p_count(v->altered),
	    db_p_count(v->doubled),
	    db_p_count(v->extra),
	    db_p_count(v->newer),
	    db_p_count(v->adapted),
	    db_p_str(text_clean(a, v->note, NOTE_MAX_CHARS)),
	    db_p_str(clean_rows(a, v->rows)),
	};

	for (unsigned i = 0; i < JOB_VERIFY_COUNT; i++)
		p[i] = all[i];
}

enum err job_demand_idle(struct db *db, uint64_t id, uint64_t *other_id_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_query(db, a,
	    "SELECT o.id " JOB_BUSY_AMONG("job j") "WHERE j.id = ? AND j.state = 'queued'" JOB_BUSY_LOCK,
	    DB_ARGS(db_p_u64(id)), &rows);

	if (e != ERR_OK || rows.count == 0)
		return e;
	*other_id_r = db_u64(&rows, 0, 0);
	return ERR_CONFLICT;
}
