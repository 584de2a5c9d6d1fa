/* mailconvoyctl import: a CSV file of mailboxes becomes a batch. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/api.h"
#include "ctl/job.h"
#include "ctl/model.h"
#include "ctl/options.h"
#include "ctl/table.h"

enum { FILE_MAX_BYTES = 20 * 1024 * 1024, READ_BYTES = 64 * 1024 };

struct wish {
	const char *path, *tag;
	struct word_values options; /* NAME or NAME=VALUE, each, for all rows */
	bool check, skip_bad, real, dry_run;
};

static enum ctl_exit usage(void)
{
	ctl_complain(
	    "usage: mailconvoyctl import FILE|- [--check] [--dry-run|--real] [--batch TAG] [--skip-bad]\n"
	    "                            [--option NAME[=VALUE]]…\n"
	    "--check only looks at the file; without it the rows are queued, as dry runs unless --real "
	    "is\n"
	    "given or a row says otherwise\n" API_USAGE);
	return CTL_USAGE;
}

static bool read_words(int count, char **words, struct api_words *aw, struct wish *w)
{
	const struct word known[] = {
	    API_WORDS(aw),
	    {.name = "--batch", .text = &w->tag},
	    {.name = "--option", .values = &w->options},
	    {.name = "--check", .flag = &w->check},
	    {.name = "--skip-bad", .flag = &w->skip_bad},
	    {.name = "--real", .flag = &w->real},
	    {.name = "--dry-run", .flag = &w->dry_run},
	    {0},
	};

	if (words_read(known, count, words) != 1 || !job_kind_is_clear(w->real, w->dry_run))
		return false;
	w->path = words[0];
	return true;
}

/* The whole file, which holds passwords: the buffer never grows. */
static enum ctl_exit read_file(const char *path, struct buf *text)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC), saved;
	ssize_t n = fd >= 0 ? 1 : -1;

	buf_reserve(text, FILE_MAX_BYTES + READ_BYTES);
	while (n > 0 && text->len <= FILE_MAX_BYTES) {
		n = read(fd, text->data + text->len, READ_BYTES);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			text->len += (size_t)n;
	}
	saved = errno;
	text->data[text->len] = '\0';
	if (fd >= 0 && !is_stdin)
		(void)close(fd);
	if (n < 0) {
		ctl_complain("cannot read %s: %s", path, strerror(saved));
		return CTL_NO_INPUT;
	}
	if (text->len > FILE_MAX_BYTES) {
		ctl_complain("%s is larger than 20 MB: split it, and import one part after the other", path);
		return CTL_REFUSED;
	}
	return CTL_OK;
}

static void print_problem(struct ctl *ctl, const char *path, struct json_object *p)
{
	const char *column = model_text(p, "column"), *reason = model_text(p, "reason");

	fprintf(stderr, "%s:%lld: %s%s%s\n", path, (long long)model_number(p, "line"),
	    table_text(ctl->a, column), column != NULL ? ": " : "", table_text(ctl->a, reason));
}

/* Every problem of every row, in the order of the file. */
static enum ctl_exit print_problems(
    struct ctl *ctl, struct api *api, const char *path, struct json_object *preview)
{
	struct json_object *page = json_object_get(preview);
	enum ctl_exit code = CTL_OK;
	const char *next;

	while (page != NULL) {
		for (size_t i = 0; i < model_count(page, "problems"); i++)
			print_problem(ctl, path, model_item(page, "problems", i));
		next = model_text(page, "problems_next_url");
		next = next != NULL ? arena_strdup(ctl->a, next) : NULL;
		json_object_put(page);
		page = NULL;
		if (next != NULL)
			code = api_get(api, NULL, next, &page);
	}
	return code;
}

/* What is not confirmed would be forgotten within the hour; nobody needs it that long. */
static enum ctl_exit discard(struct api *api, struct json_object *preview)
{
	return api_post(api, NULL, model_text(preview, "discard_url"), &(struct buf)BUF_INIT, NULL, NULL);
}

static void print_preview(struct ctl *ctl, struct json_object *m)
{
	for (size_t i = 0; i < model_count(m, "pairs"); i++) {
		struct json_object *p = model_item(m, "pairs", i);

		printf("%s → %s: %lld\n", table_text(ctl->a, model_text(p, "source")),
		    table_text(ctl->a, model_text(p, "destination")), (long long)model_number(p, "rows"));
	}
	options_print(ctl, m);
	printf("%lld good, %lld bad; nothing was queued.\n", (long long)model_number(m, "good"),
	    (long long)model_number(m, "bad"));
}

static enum ctl_exit confirm(
    struct ctl *ctl, struct api *api, const struct wish *w, struct json_object *preview, bool as_json)
{
	AUTO_BUF struct buf form = BUF_INIT;
	struct json_object *model, *batch;
	enum ctl_exit code;

	api_field(&form, "tag", w->tag != NULL ? w->tag : model_text(preview, "form.tag.value"));
	api_field(&form, "dry_run_present", "1");
	api_field(&form, "dry_run", w->real ? NULL : "1");
	api_field(&form, "skip_bad", w->skip_bad ? "1" : NULL);
	/* confirming twice is confirming once */
	code = api_post(api, w->path, model_text(preview, "confirm_url"), &form, api_new_key(ctl), &model);
	if (code != CTL_OK)
		return code;
	batch = model_at(model, "batch");
	if (as_json) {
		model_print(batch);
	} else {
		options_print(ctl, preview);
		printf("Batch %lld, “%s”: %lld queued%s, %lld left out.\n",
		    (long long)model_number(batch, "id"), table_text(ctl->a, model_text(batch, "tag")),
		    (long long)model_number(preview, "good"),
		    w->real ? "" : " as dry runs unless their row says otherwise",
		    (long long)model_number(preview, "bad"));
	}
	json_object_put(model);
	return CTL_OK;
}

/* What is to happen with the rows that the panel has looked at. */
static enum ctl_exit settle(
    struct ctl *ctl, struct api *api, const struct wish *w, struct json_object *m, bool as_json)
{
	bool has_bad = model_number(m, "bad") > 0, is_refused = has_bad && !w->skip_bad;
	enum ctl_exit code = print_problems(ctl, api, w->path, m), after;

	if (code == CTL_OK && !w->check && !is_refused) {
		code = confirm(ctl, api, w, m, as_json);
		if (code == CTL_OK)
			return code;
	}
	after = discard(api, m);
	if (code != CTL_OK || after != CTL_OK)
		return code != CTL_OK ? code : after;
	if (w->check && as_json)
		model_print(m);
	else if (w->check)
		print_preview(ctl, m);
	else
		ctl_complain("%lld rows cannot be imported, so nothing was queued: mend them, or leave them "
			     "out with --skip-bad",
		    (long long)model_number(m, "bad"));
	return is_refused || model_number(m, "good") == 0 ? CTL_REFUSED : CTL_OK;
}

/* The file, and its options beside it. */
static enum ctl_exit upload(struct ctl *ctl, struct api *api, const struct wish *w, const struct buf *text,
    struct json_object **preview_r)
{
	const char **values = arena_array(ctl->a, 2 * (size_t)w->options.count + 1, sizeof(*values));
	size_t n = 0;

	for (unsigned i = 0; i < w->options.count; i++)
		if (options_field(ctl, &w->options, i, &values[n], &values[n + 1]))
			n += 2;
	values[n] = NULL;
	return api_upload(api, "/import", text, values, preview_r);
}

enum ctl_exit verb_import(struct ctl *ctl, int count, char **words)
{
	struct buf text = BUF_INIT;
	struct api_words aw = {0};
	struct wish w = {.options.list = arena_array(ctl->a, (size_t)count + 1, sizeof(char *))};
	struct json_object *preview;
	struct api *api = NULL;
	enum ctl_exit code;

	if (!read_words(count, words, &aw, &w))
		return usage();
	code = api_open(ctl, &aw, &api);
	if (code == CTL_OK)
		code = api_demand_account(api);
	if (code == CTL_OK)
		code = read_file(w.path, &text);
	if (code == CTL_OK)
		code = upload(ctl, api, &w, &text, &preview);
	buf_wipe(&text);
	if (code == CTL_OK) {
		code = settle(ctl, api, &w, preview, aw.json);
		json_object_put(preview);
	}
	api_close(&api);
	return code;
}
