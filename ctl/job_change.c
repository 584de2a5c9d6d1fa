/* mailconvoyctl job cancel, rerun, confirm-deletion, delete. */
#include <stdio.h>
#include <unistd.h>

#include "ctl/job.h"
#include "ctl/model.h"
#include "ctl/passfile.h"
#include "ctl/table.h"

enum { FORM_MAX_BYTES = 32 * 1024, ACTION_MAX_BYTES = 32 };

static enum ctl_exit print_job(struct ctl *ctl, struct json_object *model, const char *what, bool as_json)
{
	struct json_object *job = model_at(model, "job");

	if (as_json)
		model_print(job);
	else
		printf("Job %lld: %s.\n", (long long)model_number(job, "id"), table_text(ctl->a, what));
	json_object_put(model);
	return CTL_OK;
}

/* Each of several jobs; the exit code of the first that did not go well. */
typedef enum ctl_exit each_fn(struct ctl *ctl, struct api *api, const char *word, bool as_json);

static enum ctl_exit for_each(
    struct ctl *ctl, const struct api_words *aw, int count, char **words, each_fn *each)
{
	struct api *api = NULL;
	enum ctl_exit code, first = CTL_OK;

	for (int i = 0; i < count; i++)
		if (job_path(ctl, words[i], "") == NULL)
			return CTL_USAGE;
	first = api_open(ctl, aw, &api);
	for (int i = 0; api != NULL && i < count; i++) {
		code = each(ctl, api, words[i], aw->json);
		if (first == CTL_OK)
			first = code;
		/* the others would fare no better */
		if (code == CTL_UNAVAILABLE || code == CTL_DENIED)
			break;
	}
	api_close(&api);
	return first;
}

static enum ctl_exit cancel_one(struct ctl *ctl, struct api *api, const char *word, bool as_json)
{
	struct json_object *model;
	enum ctl_exit code = api_post(api, arena_printf(ctl->a, "job %s", word),
	    job_path(ctl, word, "/cancel"), &(struct buf)BUF_INIT, NULL, &model);

	if (code != CTL_OK)
		return code;
	return print_job(ctl, model,
	    model_is(model, "job.is_cancelled") ? "cancelled, it had not begun"
						: "asked to stop, which takes ten seconds at most",
	    as_json);
}

enum ctl_exit job_cancel(struct ctl *ctl, int count, char **words)
{
	struct api_words aw = {0};
	const struct word known[] = {API_WORDS(&aw), {0}};

	count = words_read(known, count, words);
	return count > 0 ? for_each(ctl, &aw, count, words, cancel_one) : job_usage();
}

static enum ctl_exit delete_one(struct ctl *ctl, struct api *api, const char *word, bool as_json)
{
	enum ctl_exit code =
	    api_delete(api, arena_printf(ctl->a, "job %s", word), job_path(ctl, word, "?hard=true"));

	if (code == CTL_OK && as_json)
		printf("{\"id\":%s,\"deleted\":true}\n", word);
	else if (code == CTL_OK)
		printf("Job %s: deleted, with its log.\n", word);
	return code;
}

enum ctl_exit job_delete(struct ctl *ctl, int count, char **words)
{
	struct api_words aw = {0};
	bool yes = false;
	const struct word known[] = {API_WORDS(&aw), {.name = "--yes", .flag = &yes}, {0}};

	count = words_read(known, count, words);
	if (count <= 0)
		return job_usage();
	if (!yes && !isatty(STDIN_FILENO)) {
		ctl_complain("what is deleted is gone for good: say so with --yes");
		return CTL_USAGE;
	}
	if (!yes && !ctl_confirm(count == 1 ? "The job and its log will be gone for good."
					    : "The jobs and their logs will be gone for good.")) {
		ctl_complain("nothing was deleted");
		return CTL_OK;
	}
	return for_each(ctl, &aw, count, words, delete_one);
}

/* Another run of a job: as it is, or with what a dry run of it counted deleted. */
struct rerun {
	const char *source_passfile, *dest_passfile, *key;
	const char *count; /* NULL: no confirmation of a deletion */
	bool real, dry_run, delete2, no_delete2;
};

static enum ctl_exit read_password(
    struct ctl *ctl, const char *path, const char *whom, const char **password_r)
{
	*password_r = NULL;
	return path != NULL ? passfile_read(ctl, path, whom, password_r) : CTL_OK;
}

static void add_wish(struct buf *form, const struct rerun *r)
{
	if (r->count != NULL) {
		api_field(form, "count", r->count);
		api_field(form, "understood", "1");
		return;
	}
	api_field(form, "dry_run", r->real ? "0" : "1");
	if (r->delete2 || r->no_delete2)
		api_field(form, "delete2", r->delete2 ? "1" : "0");
}

static const char *say(struct ctl *ctl, const char *word, const struct rerun *r)
{
	if (r->count != NULL)
		return arena_printf(
		    ctl->a, "runs job %s for real, and deletes at most %s messages", word, r->count);
	return arena_printf(ctl->a, "runs job %s again, %s", word, r->real ? "for real" : "dry");
}

static enum ctl_exit rerun(
    struct ctl *ctl, const struct api_words *aw, const char *word, const struct rerun *r)
{
	const char *action = r->count != NULL ? "/confirm-deletion" : "/rerun";
	struct buf form = BUF_INIT;
	struct json_object *model;
	struct api *api = NULL;
	const char *source, *dest;
	enum ctl_exit code = api_open(ctl, aw, &api);

	if (code == CTL_OK)
		code = read_password(ctl, r->source_passfile, "the source", &source);
	if (code == CTL_OK)
		code = read_password(ctl, r->dest_passfile, "the destination", &dest);
	if (code == CTL_OK) {
		buf_reserve(&form, FORM_MAX_BYTES);
		add_wish(&form, r);
		api_field(&form, "source_password", source);
		api_field(&form, "dest_password", dest);
		code = api_post(api, arena_printf(ctl->a, "job %s", word), job_path(ctl, word, action), &form,
		    r->key != NULL ? r->key : api_new_key(ctl), &model);
		buf_wipe(&form);
	}
	if (code == CTL_OK)
		code = print_job(ctl, model, say(ctl, word, r), aw->json);
	api_close(&api);
	return code;
}

enum ctl_exit job_rerun(struct ctl *ctl, int count, char **words)
{
	struct api_words aw = {0};
	struct rerun r = {0};
	const struct word known[] = {
	    API_WORDS(&aw),
	    {.name = "--source-passfile", .text = &r.source_passfile},
	    {.name = "--dest-passfile", .text = &r.dest_passfile},
	    {.name = "--key", .text = &r.key},
	    {.name = "--real", .flag = &r.real},
	    {.name = "--dry-run", .flag = &r.dry_run},
	    {.name = "--delete2", .flag = &r.delete2},
	    {.name = "--no-delete2", .flag = &r.no_delete2},
	    {0},
	};

	if (words_read(known, count, words) != 1 || !job_kind_is_clear(r.real, r.dry_run) ||
	    (r.delete2 && r.no_delete2))
		return job_usage();
	if (job_path(ctl, words[0], "") == NULL)
		return CTL_USAGE;
	return rerun(ctl, &aw, words[0], &r);
}

enum ctl_exit job_confirm_deletion(struct ctl *ctl, int count, char **words)
{
	struct api_words aw = {0};
	struct rerun r = {0};
	const struct word known[] = {
	    API_WORDS(&aw),
	    {.name = "--count", .text = &r.count},
	    {.name = "--source-passfile", .text = &r.source_passfile},
	    {.name = "--dest-passfile", .text = &r.dest_passfile},
	    {.name = "--key", .text = &r.key},
	    {0},
	};

	if (words_read(known, count, words) != 1 || r.count == NULL)
		return job_usage();
	if (job_path(ctl, words[0], "") == NULL)
		return CTL_USAGE;
	return rerun(ctl, &aw, words[0], &r);
}
