/* mailconvoyctl job list: the jobs list, newest first. */
#include <stdio.h>
#include <string.h>

#include "ctl/batch_find.h"
#include "ctl/job.h"
#include "ctl/model.h"
#include "ctl/table.h"
#include "lib/parse.h"

enum { LIMIT_DEFAULT = 50 };

struct filter {
	const char *states, *text, *batch, *kind, *reason, *limit;
	bool latest;
};

static bool read_words(int count, char **words, struct api_words *aw, struct filter *f, uint64_t *limit_r)
{
	const struct word known[] = {
	    API_WORDS(aw),
	    {.name = "--state", .text = &f->states},
	    {.name = "--text", .text = &f->text},
	    {.name = "--batch", .text = &f->batch},
	    {.name = "--kind", .text = &f->kind},
	    {.name = "--reason", .text = &f->reason},
	    {.name = "--limit", .text = &f->limit},
	    {.name = "--latest", .flag = &f->latest},
	    {0},
	};

	*limit_r = LIMIT_DEFAULT;
	if (words_read(known, count, words) != 0)
		return false;
	if (f->limit != NULL && strcmp(f->limit, "all") == 0)
		*limit_r = UINT64_MAX;
	else if (f->limit != NULL)
		return parse_u64(f->limit, 1, INT64_MAX, limit_r) == ERR_OK;
	return true;
}

static const char *path_of(struct api *api, const struct filter *f, const char *batch_id)
{
	const char *path = api_query(api, "/jobs", "state", f->states);

	path = api_query(api, path, "q", f->text);
	path = api_query(api, path, "batch", batch_id);
	path = api_query(api, path, "kind", f->kind);
	path = api_query(api, path, "reason", f->reason);
	path = api_query(api, path, "latest", f->latest ? "1" : NULL);
	return api_query(api, api_query(api, path, "sort", "created"), "dir", "desc");
}

static void add_row(struct table *t, struct json_object *job)
{
	const char *how = model_text(job, "reason_text");
	const char *cells[] = {
	    arena_printf(t->a, "%lld", (long long)model_number(job, "id")),
	    model_is(job, "is_stopping") ? "stopping" : model_text(job, "state"),
	    model_is(job, "dry_run") ? "dry" : "real",
	    model_text(job, "created_iso"),
	    model_text(job, "account_name"),
	    model_text(job, "batch"),
	    job_route(t->a, job),
	    how != NULL ? how : model_text(job, "progress_text"),
	};

	table_row(t, cells);
}

/* Take up to limit jobs of one page; how many that are. */
static uint64_t take_page(struct table *t, struct json_object *model, uint64_t limit, bool as_json)
{
	uint64_t count = model_count(model, "jobs");

	if (count > limit)
		count = limit;
	for (size_t i = 0; i < count; i++) {
		struct json_object *job = model_item(model, "jobs", i);

		if (as_json)
			model_print(job);
		else
			add_row(t, job);
	}
	return count;
}

static enum ctl_exit list(
    struct ctl *ctl, struct api *api, const char *path, uint64_t limit, struct table *t, bool as_json)
{
	struct json_object *model;
	uint64_t taken = 0;

	while (path != NULL) {
		enum ctl_exit code = api_get(api, NULL, path, &model);
		const char *next;

		if (code != CTL_OK)
			return code;
		taken += take_page(t, model, limit - taken, as_json);
		next = model_text(model, "paging.next_url");
		path = next != NULL && taken < limit ? arena_strdup(ctl->a, next) : NULL;
		if (taken == limit && model_number(model, "matching") > (int64_t)taken && !as_json)
			ctl_complain("%llu of %s are listed: --limit N or all lists more",
			    (unsigned long long)taken, model_text(model, "matching_jobs_text"));
		json_object_put(model);
		if (!ctl_flush())
			path = NULL;
	}
	return CTL_OK;
}

enum ctl_exit job_list(struct ctl *ctl, int count, char **words)
{
	static const char *const heading[] = {
	    "ID", "STATE", "KIND", "QUEUED", "ACCOUNT", "BATCH", "MAILBOXES", "PROGRESS"};
	struct api_words aw = {0};
	struct filter f = {0};
	const char *batch_id = NULL;
	struct api *api = NULL;
	struct table t;
	uint64_t limit;
	enum ctl_exit code;

	if (!read_words(count, words, &aw, &f, &limit))
		return job_usage();
	code = api_open(ctl, &aw, &api);
	if (code == CTL_OK && f.batch != NULL)
		code = batch_find(ctl, api, f.batch, &batch_id);
	table_begin(&t, ctl->a, sizeof(heading) / sizeof(heading[0]), heading);
	if (code == CTL_OK)
		code = list(ctl, api, path_of(api, &f, batch_id), limit, &t, aw.json);
	if (code == CTL_OK && !aw.json)
		table_print(&t);
	api_close(&api);
	return code;
}
