/* mailconvoyctl job: which of its words do what, and what these share. */
#include <stdio.h>
#include <string.h>

#include "ctl/job.h"
#include "ctl/model.h"
#include "lib/parse.h"

enum ctl_exit job_usage(void)
{
	ctl_complain(
	    "usage: mailconvoyctl job add --source SERVER --source-user USER --dest SERVER --dest-user USER\n"
	    "                  [--source-passfile FILE|-] [--dest-passfile FILE|-] [--name NAME]\n"
	    "                  [--dry-run|--real] [--delete2] [--key KEY] [--option NAME[=VALUE]]…\n"
	    "       mailconvoyctl job list [--state STATE,…] [--text TEXT] [--batch ID|TAG] [--kind "
	    "dry|real]\n"
	    "                  [--reason CODE] [--latest] [--limit N|all]\n"
	    "       mailconvoyctl job show ID\n"
	    "       mailconvoyctl job tail [-f|--follow] [-n LINES|--all] ID\n"
	    "       mailconvoyctl job cancel ID…\n"
	    "       mailconvoyctl job rerun ID [--dry-run|--real] [--delete2|--no-delete2]\n"
	    "                  [--source-passfile FILE|-] [--dest-passfile FILE|-] [--key KEY]\n"
	    "       mailconvoyctl job confirm-deletion ID --count N [--source-passfile FILE|-]\n"
	    "                  [--dest-passfile FILE|-] [--key KEY]\n"
	    "       mailconvoyctl job delete [--yes] ID…\n" API_USAGE);
	return CTL_USAGE;
}

const char *job_path(struct ctl *ctl, const char *word, const char *action)
{
	uint64_t id;

	if (parse_u64(word, 1, INT64_MAX, &id) != ERR_OK) {
		ctl_complain("%s is not the number of a job", word);
		return NULL;
	}
	return arena_printf(ctl->a, "/jobs/%llu%s", (unsigned long long)id, action);
}

static const char *or_nothing(const char *s)
{
	return s != NULL ? s : "";
}

const char *job_route(struct arena *a, struct json_object *job)
{
	return arena_printf(a, "%s@%s → %s@%s", or_nothing(model_text(job, "source.user")),
	    or_nothing(model_text(job, "source.host")), or_nothing(model_text(job, "destination.user")),
	    or_nothing(model_text(job, "destination.host")));
}

bool job_kind_is_clear(bool real, bool dry_run)
{
	if (real && dry_run)
		ctl_complain("is it to be --real or a --dry-run?");
	return !real || !dry_run;
}

enum ctl_exit verb_job(struct ctl *ctl, int count, char **words)
{
	static const struct {
		const char *name;
		job_fn *run;
	} table[] = {
	    {"add", job_add},
	    {"list", job_list},
	    {"show", job_show},
	    {"tail", job_tail},
	    {"cancel", job_cancel},
	    {"rerun", job_rerun},
	    {"confirm-deletion", job_confirm_deletion},
	    {"delete", job_delete},
	};

	for (size_t i = 0; count > 0 && i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(words[0], table[i].name) == 0)
			return table[i].run(ctl, count - 1, words + 1);
	return job_usage();
}
