/* mailconvoyctl job add: queue one job. */
#include <stdio.h>
#include <string.h>

#include "ctl/job.h"
#include "ctl/model.h"
#include "ctl/options.h"
#include "ctl/passfile.h"
#include "ctl/table.h"
#include "lib/parse.h"

enum { FORM_MAX_BYTES = 32 * 1024 };

struct side {
	const char *server, *user, *passfile; /* as given */
	const char *id, *password;            /* as found */
};

struct wish {
	struct side source, dest;
	const char *name, *key;
	struct word_values options; /* NAME or NAME=VALUE, each */
	bool real, dry_run, delete2;
};

static bool read_words(int count, char **words, struct api_words *aw, struct wish *w)
{
	const struct word known[] = {
	    API_WORDS(aw),
	    {.name = "--source", .text = &w->source.server},
	    {.name = "--source-user", .text = &w->source.user},
	    {.name = "--source-passfile", .text = &w->source.passfile},
	    {.name = "--dest", .text = &w->dest.server},
	    {.name = "--dest-user", .text = &w->dest.user},
	    {.name = "--dest-passfile", .text = &w->dest.passfile},
	    {.name = "--name", .text = &w->name},
	    {.name = "--key", .text = &w->key},
	    {.name = "--option", .values = &w->options},
	    {.name = "--real", .flag = &w->real},
	    {.name = "--dry-run", .flag = &w->dry_run},
	    {.name = "--delete2", .flag = &w->delete2},
	    {0},
	};

	return words_read(known, count, words) == 0 && w->source.server != NULL && w->source.user != NULL &&
	       w->dest.server != NULL && w->dest.user != NULL && job_kind_is_clear(w->real, w->dry_run);
}

/* The id of the server of that name, or of that number; NULL after a complaint. */
static const char *find_server(struct ctl *ctl, struct json_object *model, const char *word)
{
	const char *found = NULL;
	uint64_t number;
	bool is_number = parse_u64(word, 1, INT64_MAX, &number) == ERR_OK;

	for (size_t i = 0; i < model_count(model, "servers"); i++) {
		struct json_object *s = model_item(model, "servers", i);
		const char *name = model_text(s, "name");
		int64_t id = model_number(s, "id");

		if (is_number ? id != (int64_t)number : name == NULL || strcmp(name, word) != 0)
			continue;
		if (found != NULL) {
			ctl_complain("there are several servers %s: give the number of one", word);
			return NULL;
		}
		found = arena_printf(ctl->a, "%lld", (long long)id);
	}
	if (found == NULL)
		ctl_complain("there is no server %s", word);
	return found;
}

static enum ctl_exit find_servers(struct ctl *ctl, struct api *api, struct wish *w)
{
	struct json_object *model;
	enum ctl_exit code = api_get(api, NULL, "/servers", &model);

	if (code != CTL_OK)
		return code;
	w->source.id = find_server(ctl, model, w->source.server);
	w->dest.id = find_server(ctl, model, w->dest.server);
	json_object_put(model);
	return w->source.id != NULL && w->dest.id != NULL ? CTL_OK : CTL_REFUSED;
}

static enum ctl_exit read_password(struct ctl *ctl, struct side *s)
{
	return passfile_read(
	    ctl, s->passfile, arena_printf(ctl->a, "%s on %s", s->user, s->server), &s->password);
}

static enum ctl_exit queue(struct ctl *ctl, struct api *api, const struct wish *w, bool as_json)
{
	struct buf form = BUF_INIT;
	struct json_object *model, *job;
	const char *name, *value;
	enum ctl_exit code;

	buf_reserve(&form, FORM_MAX_BYTES);
	api_field(&form, "source_server_id", w->source.id);
	api_field(&form, "source_user", w->source.user);
	api_field(&form, "source_password", w->source.password);
	api_field(&form, "dest_server_id", w->dest.id);
	api_field(&form, "dest_user", w->dest.user);
	api_field(&form, "dest_password", w->dest.password);
	api_field(&form, "name", w->name);
	api_field(&form, "dry_run_present", "1");
	api_field(&form, "dry_run", w->real ? NULL : "1");
	api_field(&form, "delete2", w->delete2 ? "1" : NULL);
	for (unsigned i = 0; i < w->options.count; i++)
		if (options_field(ctl, &w->options, i, &name, &value))
			api_field(&form, name, value);
	code = api_post(api, NULL, "/jobs", &form, w->key != NULL ? w->key : api_new_key(ctl), &model);
	buf_wipe(&form);
	if (code != CTL_OK)
		return code;
	job = model_at(model, "job");
	if (as_json)
		model_print(job);
	else
		printf("Job %lld: %s, %s, %s.\n", (long long)model_number(job, "id"),
		    table_text(ctl->a, job_route(ctl->a, job)),
		    model_is(job, "dry_run") ? "a dry run" : "a real run",
		    table_text(ctl->a, model_text(job, "state")));
	json_object_put(model);
	return CTL_OK;
}

enum ctl_exit job_add(struct ctl *ctl, int count, char **words)
{
	struct api_words aw = {0};
	struct wish w = {.options.list = arena_array(ctl->a, (size_t)count + 1, sizeof(char *))};
	struct api *api = NULL;
	enum ctl_exit code;

	if (!read_words(count, words, &aw, &w))
		return job_usage();
	code = api_open(ctl, &aw, &api);
	if (code == CTL_OK)
		code = api_demand_account(api);
	if (code == CTL_OK)
		code = find_servers(ctl, api, &w);
	if (code == CTL_OK)
		code = read_password(ctl, &w.source);
	if (code == CTL_OK)
		code = read_password(ctl, &w.dest);
	if (code == CTL_OK)
		code = queue(ctl, api, &w, aw.json);
	api_close(&api);
	return code;
}
