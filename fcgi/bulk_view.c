#include "fcgi/bulk_view.h"

#include "fcgi/url.h"
#include "fcgi/view.h"

/* Each sentence goes on from a number: "12 …"; the first of a pair is for one. */
static const struct words {
	const char *will[2], *has[2]; /* before and after */
	const char *row;              /* of one job in the list */
} words[BULK_OUTCOME__MAX] = {
    [BULK_REQUEUED] = {{"will be queued again", "will be queued again"},
	{"is queued again", "are queued again"}, "Queued again"},
    [BULK_CANCELLED] = {{"queued will not start", "queued will not start"},
	{"was cancelled before it started", "were cancelled before they started"},
	"Cancelled before it started"},
    [BULK_STOPPING] = {{"running will be stopped", "running will be stopped"},
	{"running is being stopped", "running are being stopped"}, "Being stopped"},
    [BULK_DELETED] = {{"will be deleted with its log, for good", "will be deleted with their logs, for good"},
	{"is deleted with its log", "are deleted with their logs"}, "Deleted"},
    [BULK_PASSWORDS_REMOVED] = {{"will have its stored passwords removed, and need them to run again",
				    "will have their stored passwords removed, and need them to run again"},
	{"has no stored passwords any more", "have no stored passwords any more"}, "Passwords removed"},
    [BULK_NEEDS_PASSWORDS] =
	{{"needs its passwords again, which were removed: run it from its own page",
	     "need their passwords again, which were removed: run them from their own pages"},
	    {"needs its passwords again, which were removed: run it from its own page",
		"need their passwords again, which were removed: run them from their own pages"},
	    "Not touched: its passwords were removed; run it from its own page"},
    [BULK_NO_PASSWORDS] = {{"has no stored passwords any more", "have no stored passwords any more"},
	{"had no stored passwords any more", "had no stored passwords any more"},
	"Not touched: it had no stored passwords any more"},
    [BULK_NOT_ENDED] = {{"is queued or running already", "are queued or running already"},
	{"was queued or running already", "were queued or running already"},
	"Not touched: it was queued or running already"},
    [BULK_MAILBOXES_BUSY] = {{"has another job of the same mailboxes queued or running",
				 "have another job of the same mailboxes queued or running"},
	{"had another job of the same mailboxes queued or running",
	    "had another job of the same mailboxes queued or running"},
	"Not touched: another job of the same mailboxes was queued or running"},
    [BULK_OLDER_RUN] = {{"was run again since, and that later run is among the selected",
			    "were run again since, and those later runs are among the selected"},
	{"was run again since, and that later run was among the selected",
	    "were run again since, and those later runs were among the selected"},
	"Not touched: a later run of the same mailboxes was among the selected"},
    [BULK_ENDED] = {{"has ended: there is nothing to cancel", "have ended: there is nothing to cancel"},
	{"had ended: there was nothing to cancel", "had ended: there was nothing to cancel"},
	"Not touched: it had ended"},
    [BULK_STOPPING_ALREADY] = {{"is being stopped already", "are being stopped already"},
	{"was being stopped already", "were being stopped already"},
	"Not touched: it was being stopped already"},
    [BULK_RUNNING] = {{"is running: cancel it first", "are running: cancel them first"},
	{"was running: cancel it first", "were running: cancel them first"}, "Not touched: it was running"},
    [BULK_DELETES] = {{"has to do with deleting on the destination: run it from its own page",
			  "have to do with deleting on the destination: run them from their own pages"},
	{"has to do with deleting on the destination: run it from its own page",
	    "have to do with deleting on the destination: run them from their own pages"},
	"Not touched: it has to do with deleting on the destination; run it from its own page"},
    [BULK_GONE] = {{"was deleted meanwhile", "were deleted meanwhile"},
	{"was deleted meanwhile", "were deleted meanwhile"}, "Deleted meanwhile"},
};

const char *bulk_action_text(enum bulk_action action)
{
	static const char *const texts[BULK_ACTION__MAX] = {
	    [BULK_DRY_RUN] = "Dry run",
	    [BULK_RUN_REAL] = "Run real",
	    [BULK_RETRY] = "Retry",
	    [BULK_CANCEL] = "Cancel",
	    [BULK_DELETE] = "Delete",
	    [BULK_REMOVE_PASSWORDS] = "Remove passwords",
	};

	return texts[action];
}

/* What kind of run a rerun makes, to end a sentence. */
static const char *as_kind(enum bulk_action action)
{
	switch (action) {
	case BULK_DRY_RUN: return " as a dry run, which changes nothing anywhere";
	case BULK_RUN_REAL: return " as a real run, which copies mail";
	case BULK_RETRY: return ", a dry run as a dry run and a real one as a real one";
	default: return "";
	}
}

struct json_object *bulk_view(struct arena *a, const struct bulk *b, int64_t now_s)
{
	struct json_object *o = json_object_new_object();
	bool is_done = b->done >= b->total;

	view_int(o, "id", (int64_t)b->id);
	view_str(o, "url", url_bulk(a, b->id));
	view_str(o, "action", bulk_action_name(b->action));
	view_str(o, "action_text", bulk_action_text(b->action));
	view_count(o, a, "total", b->total, true);
	view_str(o, "total_jobs_text", view_plural_text(a, b->total, "job"));
	view_count(o, a, "done", b->done, true);
	view_count(o, a, "left", b->total - b->done, true);
	view_bool(o, "is_picked", b->picked);
	view_bool(o, "is_asked", b->confirmed_at == 0);
	view_bool(o, "is_done", is_done);
	view_bool(o, "is_partial", b->confirmed_at != 0 && !is_done);
	view_bool(o, "is_expired", b->is_expired);
	view_moment(o, a, "counted", b->created_at, now_s);
	view_moment(o, a, "confirmed", b->confirmed_at, now_s);
	view_moment(o, a, "finished", b->finished_at, now_s);
	return o;
}

struct json_object *bulk_view_counts(
    struct arena *a, const struct bulk *b, const uint64_t counts[BULK_OUTCOME__MAX], bool is_asked)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < BULK_OUTCOME__MAX; i++) {
		const char *const *text = is_asked ? words[i].will : words[i].has;
		struct json_object *o;

		if (counts[i] == 0)
			continue;
		o = json_object_new_object();
		view_str(o, "outcome", bulk_outcome_name((enum bulk_outcome)i));
		view_bool(o, "is_touched", bulk_outcome_touches((enum bulk_outcome)i));
		view_count(o, a, "count", counts[i], true);
		view_str(o, "text",
		    arena_printf(a, "%s %s%s", view_number_text(a, counts[i]), text[counts[i] != 1],
			i == BULK_REQUEUED ? as_kind(b->action) : ""));
		view_str(o, "url",
		    url_with(a, url_bulk(a, b->id), "outcome", bulk_outcome_name((enum bulk_outcome)i)));
		json_object_array_add(list, o);
	}
	return list;
}

uint64_t bulk_touched(const uint64_t counts[BULK_OUTCOME__MAX])
{
	uint64_t n = 0;

	for (unsigned i = 0; i < BULK_OUTCOME__MAX; i++)
		n += bulk_outcome_touches((enum bulk_outcome)i) ? counts[i] : 0;
	return n;
}

struct json_object *bulk_view_job(struct arena *a, const struct bulk_job *j)
{
	struct json_object *o = json_object_new_object();
	bool is_there = j->is_done && j->outcome != BULK_DELETED && j->outcome != BULK_GONE;

	view_int(o, "n", (int64_t)j->n);
	view_int(o, "job_id", (int64_t)j->job_id);
	view_str(o, "label", j->label);
	view_str(o, "url", is_there ? url_job(a, j->job_id, NULL) : NULL);
	view_str(o, "outcome", j->is_done ? bulk_outcome_name(j->outcome) : NULL);
	view_str(o, "text", j->is_done ? words[j->outcome].row : "Not yet");
	view_bool(o, "is_touched", j->is_done && bulk_outcome_touches(j->outcome));
	view_add(o, "other_id", j->other_job_id ? json_object_new_int64((int64_t)j->other_job_id) : NULL);
	view_str(o, "other_url", j->other_job_id ? url_job(a, j->other_job_id, NULL) : NULL);
	return o;
}
