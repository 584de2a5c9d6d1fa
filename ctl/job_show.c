/* mailconvoyctl job show: all that is known of one job. */
#include <stdio.h>

#include "ctl/job.h"
#include "ctl/model.h"
#include "ctl/table.h"

static void line(struct ctl *ctl, const char *label, const char *text)
{
	if (text != NULL && text[0] != '\0')
		printf("%-14s %s\n", label, table_text(ctl->a, text));
}

static void side(struct ctl *ctl, const char *label, struct json_object *s)
{
	const char *user = model_text(s, "user"), *host = model_text(s, "host"),
		   *name = model_text(s, "server_name"), *how = model_text(s, "security_text");

	line(ctl, label,
	    arena_printf(ctl->a, "%s on %s (%s:%lld, %s)", user ? user : "", name ? name : "",
		host ? host : "", (long long)model_number(s, "port"), how ? how : ""));
}

static void moments(struct ctl *ctl, struct json_object *job)
{
	const char *took = model_text(job, "duration_text");

	line(ctl, "queued", model_text(job, "created_iso"));
	line(ctl, "started", model_text(job, "started_iso"));
	line(ctl, "ended", model_text(job, "ended_iso"));
	line(ctl, "took", took);
}

static void family(struct ctl *ctl, struct json_object *m)
{
	int64_t waits = model_number(m, "waits_for.id"), parent = model_number(m, "lineage.parent.id");

	if (waits >= 0)
		line(ctl, "waits for", arena_printf(ctl->a, "job %lld", (long long)waits));
	if (parent >= 0)
		line(ctl, "rerun of", arena_printf(ctl->a, "job %lld", (long long)parent));
	for (size_t i = 0; i < model_count(m, "lineage.children"); i++) {
		struct json_object *c = model_item(m, "lineage.children", i);
		const char *state = model_text(c, "state");

		line(ctl, "run again as",
		    arena_printf(
			ctl->a, "job %lld, %s", (long long)model_number(c, "id"), state ? state : ""));
	}
}

static void print(struct ctl *ctl, struct json_object *m)
{
	struct json_object *job = model_at(m, "job");

	line(ctl, "job", arena_printf(ctl->a, "%lld", (long long)model_number(job, "id")));
	line(ctl, "name", model_text(job, "name"));
	line(ctl, "state", model_text(job, "state_text"));
	line(ctl, "kind", model_text(job, "kind_text"));
	line(ctl, "account", model_text(job, "account_name"));
	line(ctl, "batch", model_text(job, "batch"));
	side(ctl, "from", model_at(job, "source"));
	side(ctl, "to", model_at(job, "destination"));
	moments(ctl, job);
	line(ctl, "progress", model_text(job, "progress_text"));
	line(ctl, "remaining", model_text(m, "progress.eta_text"));
	line(ctl, "outcome", model_text(m, "outcome.sentence"));
	line(ctl, "cause", model_text(m, "outcome.cause"));
	line(ctl, "next step", model_text(m, "outcome.action.label"));
	line(ctl, "verification", model_text(m, "verification.sentence"));
	line(ctl, "", model_text(m, "verification.faults_text"));
	line(ctl, "", model_text(m, "verification.note"));
	line(ctl, "deleting", model_text(job, "delete2_text"));
	line(ctl, "to delete", model_text(job, "messages_to_delete_text"));
	line(ctl, "deleted", model_text(job, "messages_deleted_text"));
	line(ctl, "run by", model_text(m, "program_text"));
	family(ctl, m);
	line(ctl, "passwords", model_is(job, "has_passwords") ? model_text(m, "passwords_text") : "removed");
	line(ctl, "log", model_text(m, "log.size_text"));
}

enum ctl_exit job_show(struct ctl *ctl, int count, char **words)
{
	struct api_words aw = {0};
	const struct word known[] = {API_WORDS(&aw), {0}};
	struct json_object *model;
	struct api *api = NULL;
	const char *path;
	enum ctl_exit code;

	if (words_read(known, count, words) != 1)
		return job_usage();
	path = job_path(ctl, words[0], "");
	if (path == NULL)
		return CTL_USAGE;
	code = api_open(ctl, &aw, &api);
	if (code == CTL_OK)
		code = api_get(api, arena_printf(ctl->a, "job %s", words[0]), path, &model);
	if (code == CTL_OK) {
		if (aw.json)
			model_print(model);
		else
			print(ctl, model);
		json_object_put(model);
	}
	api_close(&api);
	return code;
}
