/* mailconvoyctl job tail: what a job says, or said. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/job.h"
#include "ctl/model.h"
#include "lib/parse.h"
#include "lib/utf8.h"
#include "lib/visible.h"

enum { LINES_DEFAULT = 10, LINES_MAX = 1000000, WAIT_MS = 1000, PIECE_MAX_BYTES = 64 * 1024 };

/* The exit code tells how it ended. */
enum { ENDED_DONE = 0, ENDED_FAILED = 1, ENDED_CANCELLED = 2, ENDED_INTERRUPTED = 3 };

struct tail {
	struct ctl *ctl;
	struct api *api;
	const char *name; /* "job 17" */
	const char *path; /* "/jobs/17" */
	int64_t offset;   /* of the log, where to go on */
	uint64_t lines;   /* the last so many of the first piece; UINT64_MAX: all */
	bool follow;
	bool on_terminal;
};

/* s without all but its last lines lines. */
static const char *last_lines(const char *s, size_t *len, uint64_t lines)
{
	size_t at = *len;

	if (lines == UINT64_MAX)
		return s;
	if (at > 0 && s[at - 1] == '\n')
		at--;
	while (at > 0 && (s[at - 1] != '\n' || --lines > 0))
		at--;
	*len -= at;
	return s + at;
}

/* The text of one answer.  false: nobody reads us any more. */
static bool print_piece(const struct tail *t, const char *s, size_t len)
{
	AUTO_BUF struct buf shown = BUF_INIT;

	if (t->on_terminal && utf8_valid(s, len)) {
		visible_text(s, len, &shown);
		s = shown.data;
		len = shown.len;
	}
	return fwrite(s, 1, len, stdout) == len && ctl_flush();
}

static bool is_ended(const char *state)
{
	return strcmp(state, "queued") != 0 && strcmp(state, "running") != 0;
}

static void wait_a_little(void)
{
	const struct timespec t = {.tv_sec = WAIT_MS / 1000, .tv_nsec = WAIT_MS % 1000 * 1000000L};

	(void)nanosleep(&t, NULL);
}

/* How the job ended, in the panel's words; its exit code. */
static enum ctl_exit tell_end(struct tail *t, const char *state)
{
	struct json_object *model;
	enum ctl_exit code = api_get(t->api, t->name, t->path, &model);
	AUTO_BUF struct buf shown = BUF_INIT;
	const char *text;

	if (code != CTL_OK)
		return code;
	text = model_text(model, "outcome.sentence");
	if (text != NULL)
		visible_line(text, strlen(text), &shown);
	ctl_complain("%s: %s. %s", t->name, state, shown.data);
	json_object_put(model);
	return strcmp(state, "done") == 0        ? (enum ctl_exit)ENDED_DONE
	       : strcmp(state, "failed") == 0    ? (enum ctl_exit)ENDED_FAILED
	       : strcmp(state, "cancelled") == 0 ? (enum ctl_exit)ENDED_CANCELLED
						 : (enum ctl_exit)ENDED_INTERRUPTED;
}

/*
 * Ask for the piece at the offset and print it.  *more_r: there is reason to ask again; *state_r (16 bytes):
 * the job's.
 */
static enum ctl_exit read_piece(struct tail *t, char state_r[16], bool *more_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct json_object *model, *chunk;
	const char *state, *text;
	int64_t before = t->offset;
	size_t len;
	enum ctl_exit code =
	    api_get(t->api, t->name, arena_printf(a, "%s/tail?offset=%" PRId64, t->path, t->offset), &model);

	if (code != CTL_OK)
		return code;
	state = model_text(model, "status");
	chunk = model_at(model, "chunk");
	(void)snprintf(state_r, 16, "%s", state != NULL ? state : "");
	text = chunk != NULL ? json_object_get_string(chunk) : "";
	len = chunk != NULL ? (size_t)json_object_get_string_len(chunk) : 0;
	t->offset = model_number(model, "newOffset") > before ? model_number(model, "newOffset") : before;
	if (t->offset - before > PIECE_MAX_BYTES)
		ctl_complain("%s: a part of the log was left out here, it grew too long", t->name);
	*more_r = t->offset > before;
	text = last_lines(text, &len, t->lines);
	t->lines = UINT64_MAX;
	if (!print_piece(t, text, len))
		*more_r = t->follow = false;
	json_object_put(model);
	return CTL_OK;
}

static enum ctl_exit run(struct tail *t)
{
	bool at_end = t->lines != UINT64_MAX, follow = t->follow, more;
	char state[16];
	enum ctl_exit code;

	do {
		code = read_piece(t, state, &more);
		if (code != CTL_OK)
			return code;
		if (!t->follow && (at_end || follow))
			return CTL_OK;
		if (!more && t->follow && !is_ended(state))
			wait_a_little();
	} while (more || (t->follow && !is_ended(state)));
	return t->follow ? tell_end(t, state) : CTL_OK;
}

/* Where the last lines, or all, begin. */
static enum ctl_exit begin(struct tail *t)
{
	struct json_object *model;
	enum ctl_exit code = api_get(t->api, t->name, t->path, &model);

	if (code != CTL_OK)
		return code;
	if (model_number(model, "job.log_removed_at") > 0) {
		ctl_complain(
		    "%s: its log was removed at %s", t->name, model_text(model, "job.log_removed_iso"));
		code = CTL_REFUSED;
	}
	if (t->lines != UINT64_MAX && model_number(model, "log.start") > 0)
		t->offset = model_number(model, "log.start");
	json_object_put(model);
	return code;
}

static bool read_words(struct ctl *ctl, int count, char **words, struct api_words *aw, struct tail *t)
{
	const char *lines = NULL;
	bool all = false;
	const struct word known[] = {
	    API_WORDS(aw),
	    {.name = "--follow", .flag = &t->follow},
	    {.name = "-f", .flag = &t->follow},
	    {.name = "--all", .flag = &all},
	    {.name = "-n", .text = &lines},
	    {.name = "--lines", .text = &lines},
	    {0},
	};

	if (words_read(known, count, words) != 1 || (all && lines != NULL) || aw->json)
		return false;
	t->lines = all ? UINT64_MAX : LINES_DEFAULT;
	if (lines != NULL && parse_u64(lines, 1, LINES_MAX, &t->lines) != ERR_OK)
		return false;
	t->path = job_path(ctl, words[0], "");
	t->name = arena_printf(ctl->a, "job %s", words[0]);
	return t->path != NULL;
}

enum ctl_exit job_tail(struct ctl *ctl, int count, char **words)
{
	struct tail t = {.ctl = ctl, .on_terminal = isatty(STDOUT_FILENO) != 0};
	struct api_words aw = {0};
	enum ctl_exit code;

	if (!read_words(ctl, count, words, &aw, &t))
		return job_usage();
	code = api_open(ctl, &aw, &t.api);
	if (code == CTL_OK && t.lines == UINT64_MAX && !t.follow && !t.on_terminal)
		code = api_copy(t.api, t.name, job_path(ctl, words[0], "/log"));
	else if (code == CTL_OK) {
		code = begin(&t);
		if (code == CTL_OK)
			code = run(&t);
	}
	api_close(&t.api);
	return code;
}
