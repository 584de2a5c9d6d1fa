/* A CSV import before it is confirmed: what it would do, what cannot be, and the confirmation. */
#include <string.h>
#include <time.h>

#include "fcgi/csv_write.h"
#include "fcgi/form.h"
#include "fcgi/import_columns.h"
#include "fcgi/import_options.h"
#include "fcgi/limit_view.h"
#include "fcgi/options_form.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "fcgi/web.h"
#include "sql/store_batch.h"
#include "sql/store_import.h"

enum { PAIRS_SHOWN = 50, SAMPLES_SHOWN = 10, BAD_SHOWN = 200, TAGS_TRIED = 50 };

static const struct form_spec specs[] = {
    {.name = "tag", .kind = FORM_TEXT, .max_bytes = BATCH_TAG_MAX_CHARS, .required = true},
    {.name = "dry_run", .kind = FORM_CHECK},
    {.name = "dry_run_present", .kind = FORM_CHECK},
    {.name = "skip_bad", .kind = FORM_CHECK},
};

const struct form_table fields_import_confirm = {FORM_ROWS(specs)};

static void over(struct visit *v)
{
	page_error(v, &(struct page_error){.status = 404,
			  .code = "import_over",
			  .title = "This import is over",
			  .detail = "What was sent is kept for an hour, and only for the one who sent it.",
			  .action = "Send the file again.",
			  .link_url = URL_IMPORT,
			  .link_label = "To the import"});
}

/* Date and source host, with a number behind when the account has that already. */
static enum err suggest_tag(struct visit *v, const char *host, const char **tag_r)
{
	char date[16], *tag;
	time_t t = (time_t)v->now_s;
	struct tm tm;
	uint64_t id;
	enum err e = ERR_OK;

	(void)strftime(date, sizeof(date), "%Y-%m-%d", gmtime_r(&t, &tm));
	for (unsigned n = 1; e == ERR_OK && n <= TAGS_TRIED; n++) {
		/* 10 characters of date, 3 of number */
		tag = arena_printf(v->arena, "%s %.50s", date, host != NULL ? host : "import");
		for (char *p = tag; *p != '\0'; p++)
			if (*p == ':')
				*p = '-';
		*tag_r = n > 1 ? arena_printf(v->arena, "%s %u", tag, n) : tag;
		e = store_batch_find(v->web->db, &v->viewer, *tag_r, &id);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static struct json_object *pair_view(struct arena *a, const struct import_pair *p)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "source", p->src_name != NULL ? p->src_name : "a server that was deleted");
	view_str(o, "destination", p->dst_name != NULL ? p->dst_name : "a server that was deleted");
	view_count(o, a, "rows", p->rows, true);
	return o;
}

static struct json_object *sample_view(const struct import_sample *s)
{
	struct json_object *o = json_object_new_object();

	view_int(o, "line", s->row.line);
	view_str(o, "name", s->row.name);
	view_str(o, "source_server", s->src_name);
	view_str(o, "source_user", s->row.src_user);
	view_str(o, "dest_server", s->dst_name);
	view_str(o, "dest_user", s->row.dst_user);
	view_str(o, "kind_text", s->row.dry_run == 1 ? "Dry run" : s->row.dry_run == 0 ? "Real run" : NULL);
	view_bool(o, "is_real", s->row.dry_run == 0);
	return o;
}

/* "COLUMN\tREASON\n" for each. */
static void add_problems(struct visit *v, const struct import_bad *bad, struct json_object *list)
{
	char *copy = arena_strdup(v->arena, bad->problems), *save = NULL;

	for (char *one = strtok_r(copy, "\n", &save); one != NULL; one = strtok_r(NULL, "\n", &save)) {
		struct json_object *o = json_object_new_object();
		char *tab = strchr(one, '\t');

		if (tab != NULL)
			*tab = '\0';
		view_int(o, "line", bad->line);
		view_str(o, "column", tab != NULL ? one : NULL);
		view_str(o, "reason", tab != NULL ? tab + 1 : one);
		json_object_array_add(list, o);
	}
}

/* What the queue will get, in words for the button. */
static void add_words(struct visit *v, struct json_object *m, const struct import *im,
    const struct import_pair *pairs, size_t count)
{
	uint64_t said_dry = 0, said_real = 0, unsaid;
	struct arena *a = v->arena;

	for (size_t i = 0; i < count; i++) {
		said_dry += pairs[i].dry;
		said_real += pairs[i].real;
	}
	unsaid = im->rows_good - said_dry - said_real;
	view_count(m, a, "good", im->rows_good, true);
	view_count(m, a, "bad", im->rows_bad, true);
	view_str(m, "rows_text", view_plural_text(a, im->rows_good + im->rows_bad, "row"));
	view_str(m, "good_rows_text", view_plural_text(a, im->rows_good, "good row"));
	view_str(m, "bad_rows_text", view_plural_text(a, im->rows_bad, "row"));
	view_bool(m, "has_good", im->rows_good > 0);
	view_bool(m, "has_bad", im->rows_bad > 0);
	view_bool(m, "is_all_good", im->rows_bad == 0);
	view_str(m, "said_real_text", said_real > 0 ? view_plural_text(a, said_real, "row") : NULL);
	view_str(m, "said_dry_text", said_dry > 0 ? view_plural_text(a, said_dry, "row") : NULL);
	view_bool(m, "is_said_by_all", unsaid == 0);
	view_str(m, "dry_runs_text", view_plural_text(a, im->rows_good, "dry run"));
	view_str(m, "real_runs_text", view_plural_text(a, im->rows_good, "real run"));
	view_str(m, "jobs_text", view_plural_text(a, im->rows_good, "job"));
	/* the rows agree with the box, or all but the box is said */
	view_bool(m, "is_plain", said_dry == 0 && said_real == 0);
}

static enum err add_lists(
    struct visit *v, const struct import *im, unsigned after, struct json_object *m, const char **host_r)
{
	struct json_object *pairs_list = json_object_new_array(), *samples_list = json_object_new_array(),
			   *problems = json_object_new_array();
	struct import_pair *pairs = NULL;
	struct import_sample *samples = NULL;
	struct import_bad *bad = NULL;
	size_t pairs_count = 0, samples_count = 0, bad_count = 0;
	bool more;
	enum err e = store_import_pairs(
	    v->web->db, v->arena, &v->viewer, im->id, IMPORT_PAGE_MAX, &pairs, &pairs_count);

	if (e == ERR_OK)
		e = store_import_samples(
		    v->web->db, v->arena, &v->viewer, im->id, SAMPLES_SHOWN, &samples, &samples_count);
	if (e == ERR_OK)
		e = store_import_bad_list(
		    v->web->db, v->arena, &v->viewer, im->id, after, BAD_SHOWN + 1, &bad, &bad_count);
	more = bad_count > BAD_SHOWN;
	for (size_t i = 0; i < pairs_count && i < PAIRS_SHOWN; i++)
		json_object_array_add(pairs_list, pair_view(v->arena, &pairs[i]));
	for (size_t i = 0; i < samples_count; i++)
		json_object_array_add(samples_list, sample_view(&samples[i]));
	for (size_t i = 0; i < bad_count - more; i++)
		add_problems(v, &bad[i], problems);
	add_words(v, m, im, pairs, pairs_count);
	view_add(m, "pairs", pairs_list);
	view_str(m, "more_pairs_text",
	    pairs_count > PAIRS_SHOWN ? view_plural_text(v->arena, pairs_count - PAIRS_SHOWN, "more pair")
				      : NULL);
	view_add(m, "samples", samples_list);
	view_bool(m, "has_more_samples", im->rows_good > SAMPLES_SHOWN);
	view_add(m, "problems", problems);
	view_str(m, "problems_next_url",
	    more ? url_with_number(
		       v->arena, url_import(v->arena, im->id, NULL), "after", bad[BAD_SHOWN - 1].line)
		 : NULL);
	view_str(m, "problems_first_url", after > 0 ? url_import(v->arena, im->id, NULL) : NULL);
	view_bool(m, "has_problem_pages", more || after > 0);
	*host_r = pairs_count > 0 ? pairs[0].src_host : NULL;
	return e;
}

/* f: a form that was refused, or NULL. */
static enum err show(struct visit *v, unsigned status, const struct import *im, struct form *f)
{
	const char *after_text = params_get(&v->rq->query, "after"), *host, *tag = NULL;
	struct json_object *m = json_object_new_object();
	uint64_t after = 0;
	struct form fresh;
	enum err e;

	if (after_text != NULL && (!form_id(after_text, &after) || after > UINT32_MAX))
		after = 0;
	e = add_lists(v, im, (unsigned)after, m, &host);
	if (e == ERR_OK && f == NULL) {
		form_blank(&fresh, v->arena, FORM_ROWS(specs));
		form_set_check(&fresh, "dry_run", true);
		e = suggest_tag(v, host, &tag);
		form_set(&fresh, "tag", tag);
		f = &fresh;
	}
	if (e != ERR_OK) {
		json_object_put(m);
		return e;
	}
	view_int(m, "id", (int64_t)im->id);
	view_moment(m, v->arena, "expires", im->expires_at, v->now_s);
	view_str(m, "confirm_url", url_import(v->arena, im->id, "confirm"));
	view_str(m, "discard_url", url_import(v->arena, im->id, "discard"));
	view_str(m, "bad_url", url_import(v->arena, im->id, "bad.csv"));
	options_view(m, v->arena, im->options);
	view_str(m, "new_url",
	    im->options != NULL ? url_with_number(v->arena, URL_IMPORT, "options_of", im->id) : URL_IMPORT);
	if (f->has_errors)
		return page_refused(v, "import_preview", "Import", m, f);
	page_add_form(m, f);
	return page_show(v, status, "import_preview", "Import", m);
}

enum err page_import_show(struct visit *v)
{
	struct import im;
	enum err e = store_import_get(v->web->db, v->arena, &v->viewer, v->id, &im);

	if (e == ERR_NOT_FOUND) {
		over(v);
		return ERR_OK;
	}
	if (e == ERR_OK && im.batch_id != 0)
		return page_redirect(v, url_batch(v->arena, im.batch_id, NULL), "import_exists");
	return e == ERR_OK ? show(v, 200, &im, NULL) : e;
}

/* The problems of one row as one field. */
static void write_reason(struct buf *out, const struct import_bad *bad)
{
	AUTO_BUF struct buf reason = BUF_INIT;
	const char *s = bad->problems;

	buf_addf(&reason, "Line %u:", bad->line);
	while (*s != '\0') {
		size_t column = strcspn(s, "\t\n"), end = strcspn(s, "\n");

		buf_addc(&reason, ' ');
		if (column > 0)
			buf_addf(&reason, "%.*s: ", (int)column, s);
		if (end > column)
			buf_add(&reason, s + column + 1, end - column - 1);
		s += end + (s[end] == '\n');
	}
	csv_write_field(out, reason.data);
}

static enum err write_bad(struct visit *v)
{
	AUTO_BUF struct buf text = BUF_INIT;
	AUTO_ARENA struct arena *a = arena_new();
	struct import_bad *list;
	unsigned after = 0;
	size_t count;
	enum err e;

	/* with the byte order mark, without which Excel takes UTF-8 for something else */
	buf_adds(&text, "\xEF\xBB\xBF");
	for (int c = 0; c < IMPORT_COLUMN__MAX; c++)
		buf_addf(&text, "%s%s", c > 0 ? "," : "", import_column_names[c]);
	buf_adds(&text, "\r\n");
	do {
		arena_reset(a);
		e = store_import_bad_list(v->web->db, a, &v->viewer, v->id, after, BAD_SHOWN, &list, &count);
		for (size_t i = 0; e == ERR_OK && i < count; i++) {
			buf_addf(&text, "%s,", list[i].fields);
			write_reason(&text, &list[i]);
			buf_adds(&text, "\r\n");
			after = list[i].line;
		}
		if (e == ERR_OK)
			e = response_spool(v->rs, text.data, text.len);
		buf_clear(&text);
	} while (e == ERR_OK && count == BAD_SHOWN);
	return e;
}

enum err page_import_bad(struct visit *v)
{
	struct import im;
	enum err e = store_import_get(v->web->db, v->arena, &v->viewer, v->id, &im);

	if (e == ERR_NOT_FOUND) {
		over(v);
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = write_bad(v);
	if (e != ERR_OK)
		return e;
	response_attachment(
	    v->rs, arena_printf(v->arena, "mailconvoy-import-%llu-bad-rows.csv", (unsigned long long)v->id));
	v->rs->content_type = "text/csv; charset=utf-8";
	v->rs->status = 200;
	return ERR_OK;
}

static void refuse(struct form *f, enum import_outcome why)
{
	switch (why) {
	case IMPORT_TAG_TAKEN:
		form_refuse(f, "tag", "There is a batch of this name already. Choose another.");
		break;
	case IMPORT_HAS_BAD:
		form_refuse(f, NULL,
		    "Some rows cannot be imported, so nothing was queued. Mend them and send the file again, "
		    "or "
		    "import the good rows alone.");
		break;
	case IMPORT_EMPTY: form_refuse(f, NULL, "There is no good row to import."); break;
	case IMPORT_SERVER_GONE:
		form_refuse(f, NULL,
		    "A server that rows name was deleted meanwhile, so nothing was queued. Send the file "
		    "again.");
		break;
	case IMPORT_QUEUED_ELSEWHERE:
		form_refuse(f, NULL,
		    "Some of these mailboxes were queued meanwhile, so nothing was queued now. Send the file "
		    "again "
		    "to see which.");
		break;
	default: form_refuse(f, NULL, "The import was refused."); break;
	}
}

static enum err answer_batch(struct visit *v, uint64_t batch_id, bool is_new)
{
	struct json_object *m = NULL, *o;
	struct batch b;

	if (v->rq->wants_json) {
		enum err e = store_batch_get(v->web->db, v->arena, &v->viewer, batch_id, &b);

		if (e != ERR_OK)
			return e;
		m = json_object_new_object();
		o = json_object_new_object();
		view_int(o, "id", (int64_t)b.id);
		view_str(o, "tag", b.tag);
		view_str(o, "url", url_batch(v->arena, b.id, NULL));
		view_add(m, "batch", o);
	}
	return page_done(v, is_new ? 201 : 200, url_batch(v->arena, batch_id, NULL),
	    is_new ? "import_queued" : "import_exists", m);
}

static enum err confirm(struct visit *v, const struct form *f, enum import_outcome *o_r, uint64_t *batch_r)
{
	const char *tag = form_get(f, "tag")->text;
	bool dry = form_get(f, "dry_run")->checked, skip = form_get(f, "skip_bad")->checked;
	enum err e = store_import_confirm(v->web->db, &v->viewer, v->id, tag, dry, skip, o_r, batch_r);

	/* a second confirmation is harmless, and tells what became of the first */
	if (e == ERR_UNCERTAIN && web_db(v->web) == ERR_OK)
		e = store_import_confirm(v->web->db, &v->viewer, v->id, tag, dry, skip, o_r, batch_r);
	return e;
}

enum err page_import_confirm(struct visit *v)
{
	enum import_outcome outcome = IMPORT_DONE;
	uint64_t batch_id = 0;
	struct import im;
	struct form f;
	bool is_good = form_read(&f, v->arena, &v->rq->body, FORM_ROWS(specs)) == ERR_OK;
	enum err e = store_import_get(v->web->db, v->arena, &v->viewer, v->id, &im);

	if (e == ERR_NOT_FOUND) {
		over(v);
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	if (im.batch_id != 0)
		return answer_batch(v, im.batch_id, false);
	/* a script that says nothing of it gets the careful kind */
	if (!form_says(&f, "dry_run"))
		form_set_check(&f, "dry_run", true);
	if (is_good && !batch_tag_fits(form_get(&f, "tag")->text))
		form_refuse(&f, "tag",
		    "Use letters from A to Z, digits, - _ . and single blanks, 64 characters at most.");
	/* not passed over in silence: they would be missed only when the wrong mail has been copied */
	if (import_options_are_given(&v->rq->body))
		form_refuse(&f, NULL,
		    "Options belong to the file, not to its confirmation: send it again with them.");
	if (f.has_errors)
		return show(v, 422, &im, &f);
	e = confirm(v, &f, &outcome, &batch_id);
	if (e == ERR_NOT_FOUND) {
		over(v);
		return ERR_OK;
	}
	if (e == ERR_LIMIT) {
		form_refuse(&f, NULL, limit_text(v));
		return show(v, 422, &im, &f);
	}
	if (e != ERR_OK)
		return e;
	if (outcome != IMPORT_DONE && outcome != IMPORT_DONE_BEFORE) {
		refuse(&f, outcome);
		return show(v, 422, &im, &f);
	}
	if (outcome == IMPORT_DONE)
		visit_audit(v, "import", arena_printf(v->arena, "batch %llu", (unsigned long long)batch_id),
		    view_plural_text(v->arena, im.rows_good, "job"));
	return answer_batch(v, batch_id, outcome == IMPORT_DONE);
}

enum err page_import_discard(struct visit *v)
{
	enum err e = store_import_discard(v->web->db, &v->viewer, v->id);

	if (e == ERR_NOT_FOUND) {
		over(v);
		return ERR_OK;
	}
	return e == ERR_OK ? page_done(v, 204, URL_IMPORT, "import_discarded", NULL) : e;
}
