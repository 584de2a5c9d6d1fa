#include "sql/job_filter.h"

#include <string.h>

#include "sql/job_row.h"

void job_filter_states(struct query *q, unsigned states)
{
	const char *comma = "j.state IN (";

	for (unsigned s = 0; s < JOB_STATE__MAX; s++)
		if (states & 1u << s) {
			query_add(q, comma);
			query_add(q, "'");
			query_add(q, job_state_name((enum job_state)s));
			query_add(q, "'");
			comma = ", ";
		}
	query_add(q, states != 0 ? ")" : "0");
}

/* "!" takes the meaning from LIKE's own characters. */
static const char *like_pattern(struct arena *a, const char *text)
{
	AUTO_BUF struct buf out = BUF_INIT;

	buf_addc(&out, '%');
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '%' || *p == '_' || *p == '!')
			buf_addc(&out, '!');
		buf_addc(&out, *p);
	}
	buf_addc(&out, '%');
	return arena_strndup(a, out.data, out.len);
}

/* Reasons are ASCII words; the column would not be compared with anything else. */
static bool is_reason(const char *s)
{
	return strlen(s) <= JOB_REASON_MAX_BYTES &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

enum err job_filter_add(struct query *q, struct arena *a, const struct viewer *v, const struct job_filter *f)
{
	query_add(q, "WHERE 1");
	if (!viewer_is_admin(v))
		query_add_p(q, " AND j.account_id = ?", db_p_u64(v->account_id));
	if (f->batch_id != 0)
		query_add_p(q, " AND j.batch_id = ?", db_p_u64(f->batch_id));
	if (f->ids_count > JOB_IDS_MAX)
		return ERR_INVALID;
	if (f->ids != NULL && f->ids_count == 0)
		query_add(q, " AND 0");
	if (f->ids != NULL && f->ids_count > 0) {
		query_add(q, " AND j.id IN ");
		query_add_ids(q, f->ids, f->ids_count);
	}
	if (f->kind != JOB_KIND_ANY)
		query_add(q, f->kind == JOB_KIND_DRY ? " AND j.dry_run = 1" : " AND j.dry_run = 0");
	if (f->reason != NULL && *f->reason != '\0') {
		if (!is_reason(f->reason))
			return ERR_INVALID;
		query_add_p(q, " AND j.reason = ?", db_p_str(f->reason));
	}
	if (f->latest_only)
		query_add(q, " AND " JOB_IS_LATEST);
	if (f->above_id != 0)
		query_add_p(q, " AND j.id > ?", db_p_u64(f->above_id));
	if (f->text != NULL && *f->text != '\0') {
		if (strlen(f->text) > JOB_TEXT_MAX_BYTES || !text_fits(f->text, 1, JOB_TEXT_MAX_BYTES))
			return ERR_INVALID;
		query_add_p(q,
		    " AND CONCAT_WS('\\n', j.name, j.src_user, j.dst_user, j.src_host, "
		    "j.dst_host, " JOB_BATCH_TAG ")"
		    " COLLATE utf8mb4_unicode_520_nopad_ci LIKE ? ESCAPE '!'",
		    db_p_str(like_pattern(a, f->text)));
	}
	return ERR_OK;
}
