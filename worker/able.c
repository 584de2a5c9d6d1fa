#include "worker/able.h"

#include <stdio.h>

#include "worker/option_words.h"

static void say_why(struct output *o, const char *why)
{
	(void)snprintf(o->progress.detail, sizeof(o->progress.detail), "%s", why);
	output_say(o, why);
}

/* Why imapsync cannot do what is asked for; NULL: it can. */
static const char *unfit(const struct launch *l)
{
	return l->delete2.wanted ? "it knows no limit to what it deletes" : option_words_unfit(&l->options);
}

static void say_options(struct output *o, const struct launch *l, struct arena *a)
{
	const char *all = joboptions_say_all(&l->options, a);

	if (all != NULL)
		output_say(o, arena_printf(a, "options: %s", all));
	if (l->delete2.wanted)
		output_say(o,
		    l->dry_run ? "to be counted: what the destination has and the source has not"
			       : arena_printf(a,
				     "to be deleted: what the destination has and the source has not, %lld "
				     "messages at most, else none",
				     (long long)l->delete2.max));
	if (l->options_why != NULL)
		say_why(o, l->options_why);
}

enum start_failure able_program(struct output *o, const struct launch *l, struct program *preferred,
    struct program *engine, const struct program **program_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	const char *work_dir = l->conf->state_dir;
	const char *why = NULL;

	*program_r = engine;
	if (preferred != NULL && program_find(preferred, l->conf, work_dir) != ERR_OK)
		return START_NO_PROGRAM;
	say_options(o, l, a);
	if (preferred != NULL) {
		why = program_is_engine(preferred->path) ? NULL : unfit(l);
		*program_r = why == NULL ? preferred : engine;
	}
	if (*program_r == preferred)
		return START_OK;
	if (program_find_engine(engine, l->conf, work_dir) == ERR_OK) {
		if (why != NULL)
			output_say(o, arena_printf(a, "run by %s: not by %s, since %s", program_name(engine),
					  program_name(preferred), why));
		return START_OK;
	}
	if (why == NULL)
		return START_NO_PROGRAM;
	say_why(o, arena_printf(a,
		       "%s: %s. Change the options, or ask the administrator to install the built-in engine.",
		       program_name(preferred), why));
	return START_OPTIONS;
}
