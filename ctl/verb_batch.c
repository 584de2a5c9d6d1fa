/* mailconvoyctl batch: the list of batches, and the report of one. */
#include <stdio.h>
#include <string.h>

#include "ctl/api.h"
#include "ctl/batch_find.h"
#include "ctl/job.h"
#include "ctl/model.h"
#include "ctl/options.h"
#include "ctl/table.h"

static enum ctl_exit usage(void)
{
	ctl_complain("usage: mailconvoyctl batch list\n"
		     "       mailconvoyctl batch report ID|TAG [--csv]\n" API_USAGE);
	return CTL_USAGE;
}

/* What to do with each item of a list that goes over several pages. */
struct walk {
	const char *list; /* its name in the model */
	const char *next; /* where the next page's address stands */
	bool as_json;
	struct table *t;
	void (*add)(struct table *t, struct json_object *item);
};

static enum ctl_exit walk_pages(struct ctl *ctl, struct api *api, const char *path, const struct walk *w)
{
	struct json_object *model;
	enum ctl_exit code;
	const char *next;

	while (path != NULL) {
		code = api_get(api, NULL, path, &model);
		if (code != CTL_OK)
			return code;
		for (size_t i = 0; i < model_count(model, w->list); i++) {
			struct json_object *item = model_item(model, w->list, i);

			if (w->as_json)
				model_print(item);
			else
				w->add(w->t, item);
		}
		next = model_text(model, w->next);
		path = next != NULL ? arena_strdup(ctl->a, next) : NULL;
		json_object_put(model);
		if (!ctl_flush())
			path = NULL;
	}
	if (!w->as_json)
		table_print(w->t);
	return CTL_OK;
}

static void add_batch(struct table *t, struct json_object *b)
{
	const char *cells[] = {
	    arena_printf(t->a, "%lld", (long long)model_number(b, "id")),
	    model_text(b, "created_iso"),
	    model_text(b, "account_name"),
	    model_text(b, "tag"),
	    model_text(b, "bar.text"),
	};

	table_row(t, cells);
}

static enum ctl_exit list(struct ctl *ctl, struct api *api, bool as_json)
{
	static const char *const heading[] = {"ID", "MADE", "ACCOUNT", "TAG", "STANDING"};
	struct table t;
	const struct walk w = {
	    .list = "batches", .next = "next_url", .as_json = as_json, .t = &t, .add = add_batch};

	table_begin(&t, ctl->a, sizeof(heading) / sizeof(heading[0]), heading);
	return walk_pages(ctl, api, "/batches", &w);
}

static void add_mailbox(struct table *t, struct json_object *row)
{
	struct json_object *job = model_at(row, "job");
	const char *verified = model_text(row, "verification.sentence"),
		   *how = model_text(job, "reason_text");
	const char *cells[] = {
	    arena_printf(t->a, "%lld", (long long)model_number(job, "id")),
	    model_text(job, "state"),
	    model_is(job, "dry_run") ? "dry" : "real",
	    job_route(t->a, job),
	    model_text(job, "progress_text"),
	    verified != NULL ? verified : how,
	};

	table_row(t, cells);
}

static void print_summary(struct ctl *ctl, struct json_object *m)
{
	printf("%s: %s\n", table_text(ctl->a, model_text(m, "batch.tag")),
	    table_text(ctl->a, model_text(m, "bar.text")));
	options_print(ctl, model_at(m, "batch"));
	for (size_t i = 0; i < model_count(m, "causes"); i++) {
		struct json_object *c = model_item(m, "causes", i);
		const char *mend = model_text(c, "action.label");

		printf("  %lld × %s%s%s\n", (long long)model_number(c, "count"),
		    table_text(ctl->a, model_text(c, "text")), mend != NULL ? "  → " : "",
		    table_text(ctl->a, mend));
	}
	putchar('\n');
}

static enum ctl_exit report(struct ctl *ctl, struct api *api, const char *id, bool as_json)
{
	static const char *const heading[] = {"ID", "STATE", "KIND", "MAILBOXES", "PROGRESS", "RESULT"};
	struct json_object *model;
	struct table t;
	const struct walk w = {
	    .list = "rows", .next = "next_url", .as_json = as_json, .t = &t, .add = add_mailbox};
	enum ctl_exit code = CTL_OK;

	table_begin(&t, ctl->a, sizeof(heading) / sizeof(heading[0]), heading);
	if (!as_json) {
		code = api_get(api, NULL, arena_printf(ctl->a, "/batches/%s", id), &model);
		if (code != CTL_OK)
			return code;
		print_summary(ctl, model);
		json_object_put(model);
	}
	return walk_pages(ctl, api, arena_printf(ctl->a, "/batches/%s/report", id), &w);
}

enum ctl_exit verb_batch(struct ctl *ctl, int count, char **words)
{
	struct api_words aw = {0};
	bool as_csv = false, is_list = count > 0 && strcmp(words[0], "list") == 0;
	const struct word known[] = {API_WORDS(&aw), {.name = "--csv", .flag = &as_csv}, {0}};
	const char *id = NULL;
	struct api *api = NULL;
	enum ctl_exit code;

	if (count == 0 || (!is_list && strcmp(words[0], "report") != 0) ||
	    words_read(known, count - 1, words + 1) != (is_list ? 0 : 1) || (as_csv && (is_list || aw.json)))
		return usage();
	code = api_open(ctl, &aw, &api);
	if (code == CTL_OK && !is_list)
		code = batch_find(ctl, api, words[1], &id);
	if (code == CTL_OK && as_csv)
		code = api_copy(api, NULL, arena_printf(ctl->a, "/batches/%s/report.csv", id));
	else if (code == CTL_OK)
		code = is_list ? list(ctl, api, aw.json) : report(ctl, api, id, aw.json);
	api_close(&api);
	return code;
}
