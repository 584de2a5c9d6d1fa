#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"
#include "sql/migrate.h"

enum ctl_exit ctl_migrate(struct ctl *ctl)
{
	const char *why;
	unsigned applied = 0;
	enum err e = migrate_run(ctl->db, ctl->a, ctl->conf->sql_dir, &applied, &why);

	if (e != ERR_OK) {
		ctl_complain("%s", *why ? why : err_text(e));
		return e == ERR_CONFLICT ? CTL_CONFLICT : e == ERR_INTERNAL ? CTL_INTERNAL : CTL_UNAVAILABLE;
	}
	if (applied == 0)
		puts("The schema is up to date.");
	else
		printf("Applied %u migration%s.\n", applied, applied == 1 ? "" : "s");
	return CTL_OK;
}

static void print_migration(const struct migration *m)
{
	char when[32] = "not applied";
	time_t at = (time_t)m->applied_at;
	struct tm tm;

	if (m->applied_at != 0 && gmtime_r(&at, &tm) != NULL)
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	printf("%04u %-24s %s%s%s\n", m->version, m->name, when, m->is_changed ? "  FILE CHANGED SINCE" : "",
	    m->is_unknown ? "  UNKNOWN TO THIS VERSION" : "");
}

static enum ctl_exit status(struct ctl *ctl)
{
	struct migration *list;
	size_t count;
	const char *why;
	enum ctl_exit code = CTL_OK;
	enum err e = migrate_status(ctl->db, ctl->a, ctl->conf->sql_dir, &list, &count, &why);

	if (e != ERR_OK) {
		ctl_complain("%s", *why ? why : err_text(e));
		return CTL_UNAVAILABLE;
	}
	for (size_t i = 0; i < count; i++) {
		print_migration(&list[i]);
		if (list[i].applied_at == 0 || list[i].is_changed || list[i].is_unknown)
			code = CTL_PROBLEMS;
	}
	return code;
}

enum ctl_exit verb_db(struct ctl *ctl, int count, char **words)
{
	enum ctl_exit code;

	if (count != 1 || (strcmp(words[0], "migrate") != 0 && strcmp(words[0], "status") != 0)) {
		ctl_complain("usage: mailconvoyctl db migrate|status");
		return CTL_USAGE;
	}
	code = ctl_connect(ctl, true);
	if (code != CTL_OK)
		return code;
	return strcmp(words[0], "migrate") == 0 ? ctl_migrate(ctl) : status(ctl);
}
