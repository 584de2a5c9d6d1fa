#include "sql/job_say.h"

#include <stddef.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/say.h"

/* Of what is done about messages that only the destination has, where that is asked for; "" where it is not.
 */
static const char *deletion(struct arena *a, const struct job *j)
{
	int64_t n = j->dry_run ? j->counters.messages_to_delete : j->counters.messages_deleted;

	if (!j->delete2 || n < 0)
		return "";
	return arena_printf(a,
	    j->dry_run ? ", and could delete %s on the destination" : "; %s deleted on the destination",
	    say_plural(a, (uint64_t)n, "message"));
}

static const char *good_sentence(struct arena *a, const struct job *j)
{
	const struct job_counters *c = &j->counters;
	int64_t n = c->messages_to_copy >= 0 ? c->messages_to_copy : c->messages_total;

	if (j->dry_run)
		return n < 0 ? "The dry run ended well."
			     : arena_printf(a, "A real run would copy %s%s.",
				   say_plural(a, (uint64_t)n, "message"), deletion(a, j));
	if (c->messages_copied < 0)
		return "The migration ended well.";
	return arena_printf(a, "%s copied%s%s.", say_plural(a, (uint64_t)c->messages_copied, "message"),
	    c->messages_skipped > 0 ? arena_printf(a, "; %s were there already or skipped",
					  say_number(a, (uint64_t)c->messages_skipped))
				    : "",
	    deletion(a, j));
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
	    {"change_options", "Run it with other options."},
	    {"free_space", "Make room in the destination mailbox, then run it again."},
	    {"view_log", "Read the log."},
	    {"contact_admin", "Read the log, then tell the administrator."},
	};

	for (size_t i = 0; code != NULL && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], code) == 0)
			return words[i][1];
	return NULL;
}

static const char *figures(struct arena *a, const struct job_verify *v)
{
	return arena_printf(a, "%s of %s verified on the destination",
	    say_number(a, v->verified < 0 ? 0 : (uint64_t)v->verified),
	    say_plural(a, (uint64_t)v->messages, "message"));
}

static void add_part(struct buf *b, struct arena *a, int64_t n, const char *what)
{
	if (n > 0)
		buf_addf(b, "%s%s %s", b->len > 0 ? ", " : "", say_number(a, (uint64_t)n), what);
}

static const char *faults(struct arena *a, const struct job_verify *v, const char *doubled)
{
	AUTO_BUF struct buf text = BUF_INIT;

	add_part(&text, a, v->missing, "missing");
	add_part(&text, a, v->altered, "altered");
	add_part(&text, a, v->doubled, doubled);
	return text.len > 0 ? arena_strndup(a, text.data, text.len) : NULL;
}

const char *job_say_faults(struct arena *a, const struct job_verify *v)
{
	return faults(a, v, "doubled");
}

const char *job_say_verification(struct arena *a, const struct job *j)
{
	const struct job_verify *v = &j->verify;
	const char *told = faults(a, v, "there more often than on the source");

	switch (v->state) {
	case VERIFY_RUNNING:
		return "Everything is copied. The destination is being compared with the source.";
	case VERIFY_VERIFIED: return v->messages < 0 ? NULL : arena_printf(a, "%s.", figures(a, v));
	case VERIFY_FAULTS:
		return v->messages < 0
			   ? NULL
			   : arena_printf(a, "%s: %s.", figures(a, v), told != NULL ? told : "faulty");
	case VERIFY_UNVERIFIED:
		return arena_printf(a, "Not verified: %s",
		    v->note != NULL ? v->note : "the verification did not come to its end.");
	default: return NULL;
	}
}
