#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "sql/store_queue.h"
#include "lib/parse.h"

enum ctl_exit verb_slots(struct ctl *ctl, int count, char **words)
{
	unsigned total = 0, used = 0, wanted = 0;
	enum ctl_exit code;
	enum err e;

	if (count == 1) {
		uint64_t n;

		if (parse_u64(words[0], 0, QUEUE_SLOTS_MAX, &n) != ERR_OK) {
			ctl_complain("slots is a number from 0 (nothing starts) to %d", QUEUE_SLOTS_MAX);
			return CTL_USAGE;
		}
		wanted = (unsigned)n;
	} else if (count > 1) {
		ctl_complain("usage: mailconvoyctl slots [N]");
		return CTL_USAGE;
	}
	code = ctl_connect(ctl, false);
	if (code != CTL_OK)
		return code;
	e = count == 1 ? store_queue_slots_set(ctl->db, wanted, &total) : ERR_OK;
	if (e == ERR_OK && count == 1)
		ctl_audit(ctl, "slots", NULL, words[0]);
	if (e == ERR_OK)
		e = store_queue_slots(ctl->db, &total, &used);
	if (e != ERR_OK)
		return ctl_failed(ctl, "slots", e);
	printf("%u migration%s may run at once; %u running now.\n", total, total == 1 ? "" : "s", used);
	if (count == 1 && total > wanted) {
		printf("%u more than asked for are in use: run this again when they have ended.\n",
		    total - wanted);
		return CTL_PROBLEMS;
	}
	return CTL_OK;
}
