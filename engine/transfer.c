#include "config.h"

#include "engine/transfer.h"

#include <stdlib.h>

#include "lib/mem.h"
#include "engine/flow.h"
#include "engine/output.h"
#include "engine/passage.h"
#include "engine/selection.h"
#include "engine/single.h"
#include "engine/stop.h"

static bool wanted(const struct transfer *t, const struct message *m)
{
	return m->partner == MESSAGE_UNPAIRED && selection_takes_size(t->report->options, m->size);
}

static void say_skipped(struct transfer *t)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct options *o = t->report->options;
	for (uint32_t i = 0; i < t->messages->count; i++) {
		const struct message *m = &t->messages->items[i];
		if (m->partner != MESSAGE_UNPAIRED || selection_takes_size(o, m->size))
			continue;
		out_later("msg %s/%u skipped (%s)", t->from, m->uid, selection_why(o, m->size, a));
		t->report->skipped++;
		t->report->processed++;
		t->report->bytes_skipped += m->size;
	}
}

static void prepare(struct transfer *t)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < t->messages->count; i++)
		count += wanted(t, &t->messages->items[i]);
	t->items = mem_array(count + 1, sizeof(*t->items));
	t->count = 0;
	for (uint32_t i = 0; i < t->messages->count; i++) {
		if (wanted(t, &t->messages->items[i]))
			t->items[t->count++] = (struct item){.message = &t->messages->items[i]};
	}
}

void transfer_ask_ahead(struct transfer *t)
{
	prepare(t);
	flow_ask_ahead(t);
}

void transfer_moved(struct transfer *t)
{
	flow_moved(t);
}

void transfer_forget(struct transfer *t)
{
	flow_forget(t);
	free(t->items);
	t->items = NULL;
}

enum err transfer_missing(struct transfer *t)
{
	if (t->items == NULL)
		prepare(t);
	say_skipped(t);
	enum err e = flow_run(t);
	if (e == ERR_OK)
		e = single_run(t);
	if (e == ERR_OK && passage_must_end(t, 0))
		e = stop_signal() != 0 ? ERR_CLOSED : ERR_TOO_BIG;
	transfer_forget(t);
	return e;
}
