#include <stdio.h>

#include "ctl/ctl.h"
#include "sql/store_check.h"

enum ctl_exit verb_check(struct ctl *ctl, int count, char **words)
{
	struct violation *list;
	size_t found;
	enum ctl_exit code;
	enum err e;

	(void)words;
	if (count != 0) {
		ctl_complain("usage: mailconvoyctl check");
		return CTL_USAGE;
	}
	code = ctl_connect(ctl, false);
	if (code != CTL_OK)
		return code;
	e = store_check(ctl->db, ctl->a, &list, &found);
	if (e != ERR_OK)
		return ctl_failed(ctl, "check", e);
	for (size_t i = 0; i < found; i++)
		printf("%s: %s\n", list[i].rule, list[i].text);
	if (found == 0)
		puts("Jobs, slots, leases and logs agree.");
	return found == 0 ? CTL_OK : CTL_PROBLEMS;
}
