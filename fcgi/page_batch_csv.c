/* A batch's report as CSV, written as it is read: a batch of any size takes the same memory here. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "fcgi/csv_write.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "sql/store_batch.h"
#include "sql/store_batch_view.h"

enum { ROWS_PER_QUERY = 500 };

/* What is known as text or number; what is not is an empty cell. */
static void text(struct buf *out, const char *s)
{
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_addc(out, ',');
	csv_write_field(out, s ? s : "");
}

static void number(struct buf *out, int64_t n)
{
	char digits[24] = "";

	if (n >= 0)
		(void)snprintf(digits, sizeof(digits), "%" PRId64, n);
	text(out, digits);
}

static void moment(struct buf *out, int64_t at_s)
{
	char iso[40] = "";
	time_t t = (time_t)at_s;
	struct tm tm;

	if (at_s > 0 && gmtime_r(&t, &tm) != NULL)
		(void)strftime(iso, sizeof(iso), "%Y-%m-%dT%H:%M:%SZ", &tm);
	text(out, iso);
}

static const char heading[] =
    "job,name,source_server,source_user,destination_server,destination_user,kind,state,source_messages,"
    "source_bytes,to_copy,copied,copied_bytes,skipped,failed,started,finished,seconds,reason,reason_text,"
    "verification,to_verify,verified,missing,altered,doubled\r\n";

static void add_row(struct buf *out, const struct job *j)
{
	const struct job_counters *c = &j->counters;
	bool real = !j->dry_run;

	number(out, (int64_t)j->id);
	text(out, j->name);
	text(out, j->source.server_name);
	text(out, j->source.user);
	text(out, j->destination.server_name);
	text(out, j->destination.user);
	text(out, real ? "real" : "dry");
	text(out, job_state_name(j->state));
	number(out, c->messages_total);
	number(out, c->bytes_total);
	number(out, real ? -1 : c->messages_to_copy);
	number(out, real ? c->messages_copied : -1);
	number(out, real ? c->bytes_copied : -1);
	number(out, c->messages_skipped);
	number(out, c->messages_failed);
	moment(out, j->started_at);
	moment(out, j->finished_at);
	number(out, j->duration_ms >= 0 ? j->duration_ms / 1000 : -1);
	text(out, j->reason);
	text(out, j->reason_text);
	text(out, j->verify.state != VERIFY_NONE ? verify_state_name(j->verify.state) : NULL);
	number(out, j->verify.messages);
	number(out, j->verify.verified);
	number(out, j->verify.missing);
	number(out, j->verify.altered);
	number(out, j->verify.doubled);
	buf_adds(out, "\r\n");
}

static enum err write_report(struct visit *v)
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_BUF struct buf out = BUF_INIT;
	struct job *jobs;
	size_t count;
	uint64_t after = 0;
	enum err e;

	buf_adds(&out, heading);
	do {
		arena_reset(a);
		e = store_batch_report(
		    v->web->db, a, &v->viewer, v->id, after, ROWS_PER_QUERY, &jobs, &count);
		for (size_t i = 0; e == ERR_OK && i < count; i++) {
			add_row(&out, &jobs[i]);
			after = jobs[i].id;
		}
		if (e == ERR_OK)
			e = response_spool(v->rs, out.data, out.len);
		buf_clear(&out);
	} while (e == ERR_OK && count == ROWS_PER_QUERY);
	return e;
}

enum err page_batch_csv(struct visit *v)
{
	struct batch b;
	enum err e = store_batch_get(v->web->db, v->arena, &v->viewer, v->id, &b);

	if (e == ERR_OK)
		e = write_report(v);
	if (e != ERR_OK)
		return e;
	response_attachment(v->rs, arena_printf(v->arena, "mailconvoy %s.csv", b.tag));
	v->rs->status = 200;
	v->rs->content_type = "text/csv; charset=utf-8";
	return ERR_OK;
}
