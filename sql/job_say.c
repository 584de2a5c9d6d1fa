#include "sql/job_say.h"

#include <stddef.h>
#include <string.h>

#include "lib/say.h"

static const char *good_sentence(struct arena *a, const struct job *j)
{
	const struct job_counters *c = &j->counters;
	int64_t n = c->messages_to_copy >= 0 ? c->messages_to_copy : c->messages_total;

	if (j->dry_run)
		return n < 0 ? "The dry run ended well."
			     : arena_printf(
				   a, "A real run would copy %s.", say_plural(a, (uint64_t)n, "message"));
	if (c->messages_copied < 0)
		return "The migration ended well.";
	return arena_printf(a, "%s copied%s.", say_plural(a, (uint64_t)c->messages_copied, "message"),
	    c->messages_skipped > 0 ? arena_printf(a, "; %s were there already or skipped",
					  say_number(a, (uint64_t)c->messages_skipped))
				    : "");
}

const char *job_say_outcome(struct arena *a, const struct job *j)
{
	if (j->state == JOB_DONE)
		return good_sentence(a, j);
	return j->reason_text != NULL ? j->reason_text : "It ended without a reason.";
}

const char *job_say_action(const char *code)
{
	static const char *const words[][2] = {
	    {"rerun", "Run it again: what was copied stays copied."},
	    {"run_real", "Run it for real."},
	    {"edit_source", "Correct the source's user and password."},
	    {"edit_destination", "Correct the destination's user and password."},
	    {"edit_server_source", "Look at the settings of the source server."},
	    {"edit_server_destination", "Look at the settings of the destination server."},
	    {"free_space", "Make room in the destination mailbox, then run it again."},
	    {"view_log", "Read the log."},
	    {"contact_admin", "Read the log, then tell the administrator."},
	};

	for (size_t i = 0; code != NULL && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], code) == 0)
			return words[i][1];
	return NULL;
}
