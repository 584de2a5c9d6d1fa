#include "engine/copy.h"

#include "lib/arena.h"
#include "lib/buf.h"
#include "engine/listing.h"
#include "engine/output.h"
#include "engine/stop.h"

static void say_folder(const struct copy *c, unsigned side, unsigned number, const char *name,
    const struct folder_size *size, const char *instead)
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_BUF struct buf shown = BUF_INIT;
	const char *place = arena_printf(a, "%u/%u", number, c->plan->count);
	out_folder(&shown, name);
	if (size != NULL)
		out_later("Host%u folder %7s %-35s Size: %9llu Messages: %5llu Biggest: %9llu", side + 1,
		    place, shown.data, (unsigned long long)size->bytes, (unsigned long long)size->messages,
		    (unsigned long long)size->biggest);
	else
		out_later("Host%u folder %7s %-35s %s", side + 1, place, shown.data, instead);
}

/* ---- asking ---- */

/* One folder of one side alone, reconnecting as needed. */
static enum err size_alone(struct job *job, struct link *l)
{
	const char *name = l->side == 0 ? job->pair->source->name : job->pair->to;
	enum err e = link_select(l, name, true);
	if (e == ERR_OK)
		e = listing_size(l, &job->size[l->side]);
	job->sized[l->side] = e == ERR_OK;
	if (stop_signal() != 0 || l->session == NULL || !imap_session_alive(l->session))
		return ERR_CLOSED;
	return ERR_OK;
}

#define BATCH (IMAP_LISTINGS_MAX / 2)

/* known_r: which folders of the side are as they were when they were sized. */
static void find_unchanged(struct pair *p, struct job **jobs, unsigned count, unsigned side, bool *known_r)
{
	const char *names[BATCH];
	struct imap_status statuses[BATCH];
	enum err results[BATCH];
	unsigned asked[BATCH];
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		known_r[i] = false;
		if (!jobs[i]->sized[side] || jobs[i]->seen[side].uidnext == 0)
			continue;
		names[n] = side == 0 ? jobs[i]->pair->source->name : jobs[i]->pair->to;
		asked[n++] = i;
	}
	if (n == 0 || p->links[side].session == NULL ||
	    imap_folders_run(p->links[side].session, IMAP_STATUS, names, n, results, statuses) != ERR_OK)
		return;
	for (unsigned k = 0; k < n; k++) {
		const struct imap_mailbox *seen = &jobs[asked[k]]->seen[side];
		known_r[asked[k]] = results[k] == ERR_OK && statuses[k].messages == seen->exists &&
				    statuses[k].uidnext == seen->uidnext &&
				    statuses[k].uidvalidity == seen->uidvalidity;
	}
}

static enum err size_batch(struct pair *p, struct job **jobs, unsigned count)
{
	bool known[2][BATCH];
	enum err e = ERR_OK;
	for (unsigned side = 0; side < 2; side++) {
		find_unchanged(p, jobs, count, side, known[side]);
		for (unsigned i = 0; i < count; i++) {
			const char *name = side == 0 ? jobs[i]->pair->source->name : jobs[i]->pair->to;
			if (known[side][i])
				continue;
			jobs[i]->sized[side] = (side == 0 || jobs[i]->pair->exists) &&
					       listing_ask(&p->links[side], name, true, false) == ERR_OK;
		}
	}
	for (unsigned side = 0; side < 2; side++) {
		struct link *l = &p->links[side];
		struct imap_mailbox mailbox;
		for (unsigned i = 0; i < count; i++) {
			struct job *job = jobs[i];
			const char *name = side == 0 ? job->pair->source->name : job->pair->to;
			if (job->sized[side] && !known[side][i])
				job->sized[side] =
				    listing_take_size(l, name, &mailbox, &job->size[side]) == ERR_OK;
		}
		link_unselect(l);
		for (unsigned i = 0; i < count && e == ERR_OK; i++) {
			if (!jobs[i]->sized[side] && (side == 0 || jobs[i]->pair->exists))
				e = size_alone(jobs[i], l);
		}
	}
	return e;
}

static enum err size_some(void *ctx, struct pair *p)
{
	struct copy *c = ctx;
	struct job *jobs[BATCH];
	unsigned count;
	while ((count = copy_take(c, jobs, BATCH)) > 0) {
		enum err e = size_batch(p, jobs, count);
		if (e == ERR_CLOSED && stop_signal() == 0 && crew_give_up(p)) {
			copy_give_back(c, jobs, count);
			return ERR_OK;
		}
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* ---- saying ---- */

static void say_totals(const struct copy *c, const struct folder_size sums[2])
{
	for (unsigned side = 0; side < 2; side++)
		out_later("Host%u Nb folders:           %11u folders", side + 1, c->plan->count);
	for (unsigned side = 0; side < 2; side++)
		out_later("Host%u Nb messages:          %11llu messages", side + 1,
		    (unsigned long long)sums[side].messages);
	for (unsigned side = 0; side < 2; side++) {
		AUTO_BUF struct buf human = BUF_INIT;
		out_bytes(&human, (double)sums[side].bytes);
		out_later("Host%u Total size:           %11llu bytes (%s)", side + 1,
		    (unsigned long long)sums[side].bytes, human.data);
	}
	for (unsigned side = 0; side < 2; side++) {
		AUTO_BUF struct buf human = BUF_INIT;
		out_bytes(&human, (double)sums[side].biggest);
		out_later("Host%u Biggest message:      %11llu bytes (%s)", side + 1,
		    (unsigned long long)sums[side].biggest, human.data);
	}
	out_flush();
}

static void add_up(struct folder_size *sum, const struct folder_size *size)
{
	sum->messages += size->messages;
	sum->bytes += size->bytes;
	if (size->biggest > sum->biggest)
		sum->biggest = size->biggest;
}

void copy_say_sizes(struct copy *c, bool at_end)
{
	struct folder_size sums[2] = {0};
	struct report *r = c->report;

	out("++++ Calculating sizes of %u folders on host1 and host2", c->plan->count);
	for (unsigned i = 0; i < c->jobs.count; i++) {
		const struct job *job = &c->jobs.items[i];
		for (unsigned side = 0; side < 2; side++) {
			const char *name = side == 0 ? job->pair->source->name : job->pair->to;
			bool exists = side == 0 || job->pair->exists;
			say_folder(c, side, job->number, name, job->sized[side] ? &job->size[side] : NULL,
			    exists ? "can not be sized" : " does not exist yet");
			if (job->sized[side])
				add_up(&sums[side], &job->size[side]);
		}
	}
	say_totals(c, sums);
	for (unsigned side = 0; side < 2; side++) {
		(at_end ? r->end_messages : r->start_messages)[side] = sums[side].messages;
		(at_end ? r->end_bytes : r->start_bytes)[side] = sums[side].bytes;
	}
	if (at_end)
		r->sized_at_end = true;
	else
		r->sized_at_start = true;
}

enum err copy_sizes(struct copy *c, bool at_end)
{
	c->next = 0;
	for (unsigned i = 0; i < c->jobs.count; i++)
		c->jobs.items[i].taken = false;
	enum err e = crew_run(c->crew, c->jobs.count, false, size_some, c);
	if (e == ERR_OK)
		copy_say_sizes(c, at_end);
	return e;
}
