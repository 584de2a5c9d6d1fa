#include "engine/copy.h"

#include "lib/arena.h"
#include "lib/buf.h"
#include "engine/listing.h"
#include "engine/output.h"
#include "engine/stop.h"

struct totals {
	struct folder_size sum;
	bool complete;
};

static void say_folder(const struct copy *c, unsigned side, unsigned number, const char *name,
    const struct folder_size *size, const char *instead)
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_BUF struct buf shown = BUF_INIT;
	const char *place = arena_printf(a, "%u/%u", number, c->plan->count);
	out_folder(&shown, name);
	if (size != NULL)
		out("Host%u folder %7s %-35s Size: %9llu Messages: %5llu Biggest: %9llu", side + 1, place,
		    shown.data, (unsigned long long)size->bytes, (unsigned long long)size->messages,
		    (unsigned long long)size->biggest);
	else
		out("Host%u folder %7s %-35s %s", side + 1, place, shown.data, instead);
}

static enum err size_one(struct copy *c, struct link *l, unsigned number, const char *name, struct totals *t)
{
	struct folder_size size = {0};
	AUTO_ARENA struct arena *a = arena_new();
	enum err e = link_select(l, name, true);
	if (e == ERR_OK)
		e = listing_size(l, &size);
	if (e == ERR_OK) {
		say_folder(c, l->side, number, name, &size, NULL);
		t->sum.messages += size.messages;
		t->sum.bytes += size.bytes;
		if (size.biggest > t->sum.biggest)
			t->sum.biggest = size.biggest;
		return ERR_OK;
	}
	t->complete = false;
	if (stop_signal() != 0 || l->session == NULL || !imap_session_alive(l->session))
		return ERR_CLOSED;
	say_folder(c, l->side, number, name, NULL, arena_printf(a, "can not be sized: %s", link_why(l, a)));
	return ERR_OK;
}

static void say_totals(const struct copy *c, const struct totals t[2])
{
	for (unsigned side = 0; side < 2; side++)
		out("Host%u Nb folders:           %11u folders", side + 1, c->plan->count);
	for (unsigned side = 0; side < 2; side++)
		out("Host%u Nb messages:          %11llu messages", side + 1,
		    (unsigned long long)t[side].sum.messages);
	for (unsigned side = 0; side < 2; side++) {
		AUTO_BUF struct buf human = BUF_INIT;
		out_bytes(&human, (double)t[side].sum.bytes);
		out("Host%u Total size:           %11llu bytes (%s)", side + 1,
		    (unsigned long long)t[side].sum.bytes, human.data);
	}
	for (unsigned side = 0; side < 2; side++) {
		AUTO_BUF struct buf human = BUF_INIT;
		out_bytes(&human, (double)t[side].sum.biggest);
		out("Host%u Biggest message:      %11llu bytes (%s)", side + 1,
		    (unsigned long long)t[side].sum.biggest, human.data);
	}
}

enum err copy_sizes(struct copy *c, bool at_end)
{
	struct totals t[2] = {{.complete = true}, {.complete = true}};
	enum err e = ERR_OK;

	out("++++ Calculating sizes of %u folders on host1 and host2", c->plan->count);
	for (unsigned i = 0; i < c->plan->count && e == ERR_OK; i++) {
		const struct folder_pair *p = &c->plan->pairs[i];
		if (stop_signal() != 0)
			return ERR_CLOSED;
		e = size_one(c, c->source, i + 1, p->source->name, &t[0]);
		if (e == ERR_OK && p->exists)
			e = size_one(c, c->destination, i + 1, p->to, &t[1]);
		else if (e == ERR_OK)
			say_folder(c, 1, i + 1, p->to, NULL, " does not exist yet");
	}
	if (e != ERR_OK)
		return e;
	say_totals(c, t);
	struct report *r = c->report;
	for (unsigned side = 0; side < 2; side++) {
		(at_end ? r->end_messages : r->start_messages)[side] = t[side].sum.messages;
		(at_end ? r->end_bytes : r->start_bytes)[side] = t[side].sum.bytes;
	}
	if (at_end)
		r->sized_at_end = true;
	else
		r->sized_at_start = true;
	return ERR_OK;
}
