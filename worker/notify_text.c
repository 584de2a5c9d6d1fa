#include "worker/notify_text.h"

#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/json_wipe.h"
#include "lib/log.h"
#include "lib/mime.h"
#include "lib/say.h"
#include "lib/utf8.h"
#include "sql/job_say.h"
#include "sql/store_batch.h"
#include "sql/store_batch_view.h"
#include "sql/store_job.h"
#include "sql/store_log_link.h"
#include "sql/store_user_admin.h"

enum { MILLION = 1000000, DAY_S = 86400 };

/* NULL and "" become null; texts of rows are one line of UTF-8 (sql/tx.h, text_clean). */
static void add(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(
	    o, key, s != NULL && *s != '\0' && utf8_valid(s, strlen(s)) ? json_object_new_string(s) : NULL);
}

static void add_count(struct json_object *list, const char *name, const char *value)
{
	struct json_object *o = json_object_new_object();

	add(o, "name", name);
	add(o, "value", value);
	json_object_array_add(list, o);
}

static void count(struct json_object *list, struct arena *a, const char *name, int64_t n)
{
	if (n >= 0)
		add_count(list, name, say_number(a, (uint64_t)n));
}

/* Told only where there are any. */
static void count_some(struct json_object *list, struct arena *a, const char *name, int64_t n)
{
	if (n > 0)
		count(list, a, name, n);
}

static void size(struct json_object *list, struct arena *a, const char *name, int64_t n)
{
	if (n >= 0)
		add_count(list, name, say_size(a, (uint64_t)n));
}

static const char *state_word(enum job_state s)
{
	static const char *const words[JOB_STATE__MAX] = {
	    "Queued", "Running", "Done", "Failed", "Cancelled", "Interrupted"};

	return words[s];
}

/* Where the log is: for who signs in, or, as a link that is a key, for who has the mail. */
static enum err log_address(struct db *db, struct arena *a, const struct conf *conf, const struct job *j,
    const char **url_r, const char **end_r)
{
	char day[20] = "";
	struct log_link l;
	const char *token = NULL;
	time_t end;
	struct tm tm;
	enum err e;

	*url_r = arena_printf(a, "%s/migration/jobs/%llu/log", conf->base_url, (unsigned long long)j->id);
	*end_r = NULL;
	if (!conf->mail_log_links)
		return ERR_OK;
	e = store_log_link_for_mail(db, a, j->id, &l);
	if (e == ERR_OK)
		e = store_log_link_token(db, a, &l, &token);
	if (e != ERR_OK)
		return e;
	end = (time_t)l.expires_at;
	(void)strftime(day, sizeof(day), "%Y-%m-%d", gmtime_r(&end, &tm));
	*url_r = arena_printf(a, "%s" LOG_LINK_PATH "/%s", conf->base_url, token);
	*end_r = arena_strdup(a, day);
	return ERR_OK;
}

/* log_url, log_end: see log_address(). */
static struct json_object *job_model(struct arena *a, const struct conf *conf, const struct job *j,
    const char *subject, const char *log_url, const char *log_end)
{
	struct json_object *o = json_object_new_object(), *counts = json_object_new_array();
	const struct job_counters *c = &j->counters;
	const char *url =
	    arena_printf(a, "%s/migration/jobs/%llu", conf->base_url, (unsigned long long)j->id);
	bool good = j->state == JOB_DONE;

	count(counts, a, "Messages on the source", c->messages_total);
	if (j->dry_run) {
		count(counts, a, "Messages a real run would copy", c->messages_to_copy);
		size(counts, a, "Size on the source", c->bytes_total);
	} else {
		count(counts, a, "Messages copied", c->messages_copied);
		count(counts, a, "Messages there already or skipped", c->messages_skipped);
		count(counts, a, "Messages failed", c->messages_failed);
		size(counts, a, "Bytes copied", c->bytes_copied);
	}
	add(o, "subject", subject);
	add(o, "sentence", job_say_outcome(a, j));
	add(o, "detail", good ? NULL : j->reason_detail);
	add(o, "verification", job_say_verification(a, j));
	add(o, "kind", j->dry_run ? "Dry run" : "Real run");
	add(o, "id", arena_printf(a, "%llu", (unsigned long long)j->id));
	add(o, "state", state_word(j->state));
	add(o, "source", arena_printf(a, "%s on %s", j->source.user, j->source.server_name));
	add(o, "destination", arena_printf(a, "%s on %s", j->destination.user, j->destination.server_name));
	json_object_object_add(o, "counts", counts);
	add(o, "action", job_say_action(j->reason_action));
	add(o, "job_url", url);
	add(o, "log_url", log_url);
	add(o, "log_end", log_end);
	add(o, "settings_url", arena_printf(a, "%s/migration/settings", conf->base_url));
	return o;
}

/* What a batch's summary is made of. */
struct batch_text {
	struct batch batch;
	struct batch_summary sum;
	struct batch_cause *causes;
	size_t cause_count;
};

static uint64_t bad_of(const struct batch_text *t)
{
	return t->sum.states[JOB_FAILED] + t->sum.states[JOB_INTERRUPTED];
}

static enum err read_batch(struct db *db, struct arena *a, uint64_t id, struct batch_text *t)
{
	const struct viewer all = {.role = ROLE_ADMIN};
	enum err e = store_batch_get(db, a, &all, id, &t->batch);

	if (e == ERR_OK)
		e = store_batch_summary(db, &all, id, &t->sum);
	if (e == ERR_OK)
		e = store_batch_causes(db, a, &all, id, &t->causes, &t->cause_count);
	return e;
}

static const char *batch_sentence(struct arena *a, const struct batch_text *t)
{
	const struct batch_summary *s = &t->sum;
	const char *what = s->real_done == 0 && s->dry_done > 0   ? "dry runs"
			   : s->dry_done == 0 && s->real_done > 0 ? "real runs"
								  : "runs";
	const char *result = bad_of(t) == 0
				 ? "none failed"
				 : arena_printf(a, "%s failed or were interrupted", say_number(a, bad_of(t)));

	return arena_printf(a, "The %s of batch %s are over: %s mailbox%s, %s.", what, t->batch.tag,
	    say_number(a, s->mailboxes), s->mailboxes == 1 ? "" : "es", result);
}

static struct json_object *causes(struct arena *a, const struct batch_text *t)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < t->cause_count; i++) {
		const struct batch_cause *c = &t->causes[i];
		struct json_object *o = json_object_new_object();

		add(o, "text", c->text != NULL ? c->text : "No reason is known.");
		add(o, "count", say_plural(a, c->count, "time"));
		add(o, "action", job_say_action(c->action));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *batch_model(
    struct arena *a, const struct conf *conf, const struct batch_text *t, const char *subject)
{
	struct json_object *o = json_object_new_object(), *counts = json_object_new_array();
	const struct batch_summary *s = &t->sum;

	for (int i = 0; i < JOB_STATE__MAX; i++)
		if (s->states[i] > 0)
			count(counts, a, state_word((enum job_state)i), (int64_t)s->states[i]);
	if (s->real_done > 0 || s->messages_copied > 0) {
		count(counts, a, "Messages copied", s->messages_copied);
		size(counts, a, "Bytes copied", s->bytes_copied);
	}
	if (s->dry_done > 0)
		count(counts, a, "Messages real runs would copy", s->messages_to_copy);
	if (s->verified > 0)
		add_count(counts, "Messages verified on the destination",
		    arena_printf(a, "%s of %s", say_number(a, (uint64_t)s->verified_messages),
			say_number(a, (uint64_t)s->verify_messages)));
	count_some(counts, a, "Messages missing there", s->verify_missing);
	count_some(counts, a, "Messages altered there", s->verify_altered);
	count_some(counts, a, "Messages doubled there", s->verify_doubled);
	count_some(counts, a, "Mailboxes not verified", (int64_t)s->unverified);
	add(o, "subject", subject);
	add(o, "sentence", batch_sentence(a, t));
	json_object_object_add(o, "counts", counts);
	json_object_object_add(o, "has_causes", json_object_new_boolean(t->cause_count > 0));
	json_object_object_add(o, "causes", causes(a, t));
	add(o, "batch_url",
	    arena_printf(a, "%s/migration/batches/%llu", conf->base_url, (unsigned long long)t->batch.id));
	add(o, "settings_url", arena_printf(a, "%s/migration/settings", conf->base_url));
	return o;
}

static enum err render(struct arena *a, struct templates *ts, const char *name, struct json_object *model,
    struct mime_mail *mail)
{
	AUTO_BUF struct buf text = BUF_INIT, html = BUF_INIT;
	enum err e = template_render(ts, arena_printf(a, "mail/%s.txt", name), model, &text);

	if (e == ERR_OK)
		e = template_render(ts, arena_printf(a, "mail/%s.html", name), model, &html);
	if (e != ERR_OK)
		log_warnx("mail templates: %s: %s", err_text(e), template_error(ts));
	mail->text = arena_strndup(a, text.data, text.len);
	mail->html = arena_strndup(a, html.data, html.len);
	buf_wipe(&text);
	buf_wipe(&html);
	return e == ERR_NOT_FOUND ? ERR_IO : e;
}

/* Our own domain for Message-IDs: that of mail_from. */
static const char *domain(const struct conf *conf)
{
	const char *at = strrchr(conf->mail_from, '@');

	return at != NULL ? at + 1 : "localhost";
}

static enum err link_text(struct arena *a, const struct conf *conf, struct templates *ts,
    const struct outbox_mail *m, const struct notify_link *link, struct buf *out)
{
	const char *host = strstr(conf->base_url, "://");
	struct mime_mail mail = {.from_name = "mailconvoy",
	    .from = conf->mail_from,
	    .to = m->to,
	    .message_id = arena_printf(a, "mailconvoy.%llu.%lld.%u@%s", (unsigned long long)m->id,
		(long long)m->created_us, m->attempts, domain(conf)),
	    .date_s = m->created_us / MILLION};
	struct json_object *o = json_object_new_object();
	enum err e;

	host = host != NULL ? host + 3 : conf->base_url;
	mail.subject = arena_printf(a, "Choose your password for mailconvoy at %s", host);
	add(o, "subject", mail.subject);
	add(o, "host", host);
	add(o, "email", m->to);
	add(o, "account_name", link->account_name);
	add(o, "link_url", arena_printf(a, "%s" USER_LINK_PATH "/%s", conf->base_url, link->token));
	add(o, "lasts", say_plural(a, USER_LINK_S / DAY_S, "day"));
	e = render(a, ts, "invite", o, &mail);
	json_wipe(&o);
	return e == ERR_OK ? mime_build(&mail, out) : e;
}

enum err notify_text(struct db *db, struct arena *a, const struct conf *conf, struct templates *ts,
    const struct outbox_mail *m, const struct notify_link *link, struct buf *out)
{
	const struct viewer all = {.role = ROLE_ADMIN};
	struct mime_mail mail = {.from_name = "mailconvoy", .from = conf->mail_from, .to = m->to};
	bool is_job = m->job_id != 0;
	const char *log_url = NULL, *log_end = NULL;
	struct json_object *model;
	struct batch_text t;
	struct job j;
	enum err e;

	if (link != NULL)
		return link_text(a, conf, ts, m, link, out);
	e = is_job ? store_job_get(db, a, &all, m->job_id, &j) : read_batch(db, a, m->batch_id, &t);
	if (e == ERR_OK && is_job)
		e = log_address(db, a, conf, &j, &log_url, &log_end);
	if (e != ERR_OK)
		return e;
	if (is_job)
		mail.subject =
		    arena_printf(a, "%s%s: %s", state_word(j.state), j.dry_run ? " (dry run)" : "", j.label);
	else if (bad_of(&t) == 0)
		mail.subject = arena_printf(a, "Done: batch %s", t.batch.tag);
	else
		mail.subject = arena_printf(a, "%s failed: batch %s", say_number(a, bad_of(&t)), t.batch.tag);
	mail.message_id = arena_printf(
	    a, "mailconvoy.%llu.%lld@%s", (unsigned long long)m->id, (long long)m->created_us, domain(conf));
	mail.date_s = m->created_us / MILLION;
	model = is_job ? job_model(a, conf, &j, mail.subject, log_url, log_end)
		       : batch_model(a, conf, &t, mail.subject);
	e = render(a, ts, is_job ? "job" : "batch", model, &mail);
	json_object_put(model);
	return e == ERR_OK ? mime_build(&mail, out) : e;
}

enum err notify_text_test(const struct conf *conf, const char *to, struct buf *out)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct mime_mail mail = {.from_name = "mailconvoy",
	    .from = conf->mail_from,
	    .to = to,
	    .subject = "A test of mailconvoy's notifications",
	    .message_id = arena_printf(a, "mailconvoy.test.%lld@%s", (long long)unix_now_s(), domain(conf)),
	    .date_s = unix_now_s(),
	    .text = "Notifications reach this address.\n",
	    .html = "Notifications reach this address.\n"};

	return mime_build(&mail, out);
}
