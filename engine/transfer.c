#include "config.h"

#include "engine/transfer.h"

#include <stdlib.h>

#include "lib/mem.h"
#include "engine/flow.h"
#include "engine/output.h"
#include "engine/passage.h"
#include "engine/single.h"
#include "engine/stop.h"

/* Whether the message is to be copied; if not, that is said and counted. */
static bool wanted(struct transfer *t, const struct message *m)
{
	uint64_t maxsize = t->report->options->maxsize;
	if (maxsize == 0 || m->size <= maxsize)
		return true;
	out("msg %s/%u skipped (%llu exceeds maxsize limit %llu bytes)", passage_from(t), m->uid,
	    (unsigned long long)m->size, (unsigned long long)maxsize);
	t->report->skipped++;
	t->report->processed++;
	t->report->bytes_skipped += m->size;
	return false;
}

enum err transfer_missing(struct transfer *t)
{
	uint32_t unpaired = 0;
	for (uint32_t i = 0; i < t->messages->count; i++)
		unpaired += t->messages->items[i].partner == MESSAGE_UNPAIRED;
	t->items = mem_array(unpaired + 1, sizeof(*t->items));
	t->count = 0;
	for (uint32_t i = 0; i < t->messages->count; i++) {
		struct message *m = &t->messages->items[i];
		if (m->partner == MESSAGE_UNPAIRED && wanted(t, m))
			t->items[t->count++] = (struct item){.message = m};
	}
	enum err e = flow_run(t);
	if (e == ERR_OK)
		e = single_run(t);
	if (e == ERR_OK && passage_must_end(t, 0))
		e = stop_signal() != 0 ? ERR_CLOSED : ERR_TOO_BIG;
	free(t->items);
	t->items = NULL;
	return e;
}
