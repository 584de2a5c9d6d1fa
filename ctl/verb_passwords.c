#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/parse.h"
#include "sql/store_expiry.h"
#include "sql/store_job.h"

static enum ctl_exit usage(void)
{
	ctl_complain("usage: mailconvoyctl passwords remove JOB…\n"
		     "       mailconvoyctl passwords remove --ended-before DAYS");
	return CTL_USAGE;
}

/* All that ended so long ago; a part at a time, as a worker does. */
static enum ctl_exit remove_old(struct ctl *ctl, unsigned days)
{
	const struct expiry x = {.days = days};
	unsigned removed = 1;
	uint64_t all = 0;

	while (removed > 0) {
		enum err e = store_expiry_passwords(ctl->db, &x, &removed);

		if (e != ERR_OK)
			return ctl_failed(ctl, "passwords", e);
		all += removed;
	}
	ctl_audit(ctl, "passwords_remove", NULL,
	    arena_printf(ctl->a, "%llu jobs, ended %u days ago or before", (unsigned long long)all, days));
	printf("Removed the passwords of %llu job%s.\n", (unsigned long long)all, all == 1 ? "" : "s");
	return CTL_OK;
}

static enum ctl_exit remove_one(struct ctl *ctl, uint64_t id)
{
	unsigned long long n = id;
	bool had = false;
	enum err e = store_job_remove_passwords(ctl->db, &ctl_viewer, id, &had);

	if (e == ERR_NOT_FOUND) {
		ctl_complain("there is no job %llu", n);
		return CTL_REFUSED;
	}
	if (e == ERR_CONFLICT) {
		ctl_complain("job %llu waits or runs and needs its passwords: cancel it first", n);
		return CTL_CONFLICT;
	}
	if (e != ERR_OK)
		return ctl_failed(ctl, "passwords", e);
	if (had)
		ctl_audit(ctl, "passwords_remove", arena_printf(ctl->a, "job %llu", n), NULL);
	printf(had ? "Removed the passwords of job %llu.\n" : "Job %llu has no passwords any more.\n", n);
	return CTL_OK;
}

enum ctl_exit verb_passwords(struct ctl *ctl, int count, char **words)
{
	enum ctl_exit code = CTL_OK;
	uint64_t n;

	if (count < 2 || strcmp(words[0], "remove") != 0)
		return usage();
	if (strcmp(words[1], "--ended-before") == 0) {
		if (count != 3 || parse_u64(words[2], 0, EXPIRY_DAYS_MAX, &n) != ERR_OK)
			return usage();
		code = ctl_connect(ctl, false);
		return code == CTL_OK ? remove_old(ctl, (unsigned)n) : code;
	}
	for (int i = 1; i < count; i++)
		if (parse_u64(words[i], 1, INT64_MAX, &n) != ERR_OK)
			return usage();
	code = ctl_connect(ctl, false);
	for (int i = 1; code == CTL_OK && i < count; i++)
		code = parse_u64(words[i], 1, INT64_MAX, &n) == ERR_OK ? remove_one(ctl, n) : usage();
	return code;
}
