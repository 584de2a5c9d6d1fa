#include "engine/verify.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "engine/content.h"
#include "engine/crowd.h"
#include "engine/listing.h"
#include "engine/output.h"
#include "engine/selection.h"
#include "engine/stop.h"
#include "engine/verify_group.h"

static void free_group(struct group *g)
{
	message_list_free(&g->here);
	message_list_free(&g->there);
	free(g->by_key);
	g->by_key = NULL;
}

/* A folder that could not be gone through. */
static enum err give_up(struct verify *v, struct link *l, const char *folder, enum err e)
{
	AUTO_ARENA struct arena *a = arena_new();
	v->tally.folders_unread++;
	if (stop_signal() != 0)
		return ERR_CLOSED;
	report_error(v->report, ERROR_SELECT, "%s folder %s: could not be compared: %s", link_name(l), folder,
	    link_why(l, a));
	if (l->session == NULL || !imap_session_alive(l->session)) {
		report_error(v->report, l->side == 0 ? ERROR_CONNECTION_HOST1 : ERROR_CONNECTION_HOST2,
		    "%s failure: can not open imap connection on host%u [%s] with user [%s]: lost and not to "
		    "be had again",
		    link_name(l), l->side + 1, l->options->host, l->options->user);
		return ERR_CLOSED;
	}
	return e == ERR_TOO_BIG || report_is_full(v->report) ? ERR_TOO_BIG : ERR_OK;
}

static struct link *broken(const struct verify *v)
{
	const struct imap_session *to = v->destination->session;
	return to == NULL || !imap_session_alive(to) ? v->destination : v->source;
}

/* ---- listing ---- */

/* Arrival from *from_r on, and before *until_r, is newer than the run. */
static void newer_span(const struct verify *v, int64_t *from_r, int64_t *until_r)
{
	int64_t began_s = (int64_t)v->report->options->newer_than_s;
	*from_r = began_s == 0 ? INT64_MAX : began_s - VERIFY_CLOCK_PLAY_S;
	*until_r = unix_now_s() + VERIFY_FUTURE_S;
}

static void find_newer(struct group *g, struct origin *o)
{
	int64_t from;
	int64_t until;

	newer_span(g->v, &from, &until);
	for (uint32_t i = o->first; i < o->first + o->count; i++) {
		const struct message *m = &g->here.items[i];
		if (m->date_s >= from && m->date_s < until && (o->newer_uid == 0 || m->uid < o->newer_uid))
			o->newer_uid = m->uid;
	}
}

static void take_over(struct message_list *all, struct message_list *one)
{
	if (all->count == 0) {
		message_list_free(all);
		*all = *one;
		*one = (struct message_list){0};
		return;
	}
	for (uint32_t i = 0; i < one->count; i++) {
		const struct message m = one->items[i];
		*message_list_add(all, m.uid) = m;
	}
	message_list_free(one);
}

/* *failed_r: this pair of folders cannot be compared, which was said; the next one can. */
static enum err list_source(struct group *g, struct origin *o, bool *failed_r)
{
	struct verify *v = g->v;
	struct message_list list = {0};
	uint32_t unlisted = 0;
	enum err e = link_select(v->source, o->name, true);

	if (e == ERR_OK)
		e = listing_read(v->source, NULL, 1, &list, &unlisted);
	if (e == ERR_OK)
		e = selection_mark(v->source, &list, true);
	if (e != ERR_OK) {
		message_list_free(&list);
		*failed_r = true;
		return give_up(v, v->source, o->name, e);
	}
	g->count.unread += unlisted;
	o->uidvalidity = v->source->mailbox.uidvalidity;
	o->first = g->here.count;
	o->count = list.count;
	take_over(&g->here, &list);
	find_newer(g, o);
	return report_is_full(v->report) ? ERR_TOO_BIG : ERR_OK;
}

static enum err list_destination(struct group *g, bool *failed_r)
{
	struct verify *v = g->v;
	enum err e = link_select(v->destination, g->to, true);

	if (e == ERR_OK)
		e = listing_read(v->destination, NULL, 1, &g->there, &g->unlisted_there);
	if (e == ERR_OK)
		return ERR_OK;
	*failed_r = true;
	return give_up(v, v->destination, g->to, e);
}

/* ---- folders ---- */

static enum err judge_lists(struct group *g)
{
	enum err e = ERR_OK;
	match_messages(&g->here, &g->there);
	/* of several folders in one there is no UID that names a message */
	if (g->there.count > 0 && g->origin_count == 1)
		e = content_settle(g->v->source, g->v->destination, &g->here, &g->there, false);
	return e == ERR_OK ? verify_judge(g) : e;
}

static enum err judge_part(struct group *g, uint32_t *uids[2], const uint32_t counts[2])
{
	uint32_t unlisted = 0;
	uint32_t unlisted_there = 0;
	enum err e = listing_read_uids(g->v->source, uids[0], counts[0], &g->here, &unlisted);

	if (e == ERR_OK)
		e = selection_mark(g->v->source, &g->here, false);
	if (e == ERR_OK)
		e = listing_read_uids(g->v->destination, uids[1], counts[1], &g->there, &unlisted_there);
	g->count.unread += unlisted;
	g->unlisted_there += unlisted_there;
	g->origins[0].first = 0;
	g->origins[0].count = g->here.count;
	if (e == ERR_OK)
		e = judge_lists(g);
	free_group(g);
	return e;
}

/* Both folders are selected, and hold too many messages for lists. */
static enum err judge_crowd(struct group *g)
{
	struct verify *v = g->v;
	struct crowd sides[2] = {{0}, {0}};
	uint32_t at[2] = {0, 0};
	uint32_t *uids[2];
	uint32_t counts[2];
	uint64_t certain = 0;
	int64_t from;
	int64_t until;

	newer_span(v, &from, &until);
	enum err e = crowd_read(v->source, from, until, &sides[0]);
	if (e == ERR_OK)
		e = crowd_read(v->destination, from, until, &sides[1]);
	if (e == ERR_OK) {
		uint32_t told[2] = {sides[0].count, sides[1].count};
		g->origins[0].newer_uid = sides[0].newer_uid;
		crowd_pair(&sides[0], &sides[1], v->report->options->verify == VERIFY_CONTENT, &certain);
		g->count.compared += certain;
		g->count.verified += certain;
		if (told[0] < v->source->mailbox.exists)
			g->count.unread += v->source->mailbox.exists - told[0];
		if (told[1] < v->destination->mailbox.exists)
			g->unlisted_there += v->destination->mailbox.exists - told[1];
	}
	while (e == ERR_OK && crowd_part(sides, at, uids, counts)) {
		e = judge_part(g, uids, counts);
		free(uids[0]);
		free(uids[1]);
	}
	crowd_free(&sides[0]);
	crowd_free(&sides[1]);
	return e;
}

/* *crowd_r: it is left to judge_crowd(), and both folders are selected. */
static enum err select_crowd(struct group *g, const struct folder_pair *p, bool *crowd_r)
{
	struct verify *v = g->v;
	enum err e = ERR_OK;

	*crowd_r = false;
	if (g->origin_count > 1 || !p->exists)
		return ERR_OK;
	e = link_select(v->source, g->origins[0].name, true);
	if (e == ERR_OK && v->source->mailbox.exists < CROWD_FROM / 2)
		return ERR_OK;
	if (e == ERR_OK)
		e = link_select(v->destination, g->to, true);
	*crowd_r =
	    e == ERR_OK && (uint64_t)v->source->mailbox.exists + v->destination->mailbox.exists >= CROWD_FROM;
	g->origins[0].uidvalidity = v->source->mailbox.uidvalidity;
	/* what fails here fails again where it is told */
	return ERR_OK;
}

static enum err list_group(struct group *g, const struct folder_pair *p, bool *failed_r)
{
	enum err e = ERR_OK;
	for (unsigned i = 0; i < g->origin_count && e == ERR_OK && !*failed_r; i++)
		e = list_source(g, &g->origins[i], failed_r);
	if (e == ERR_OK && !*failed_r && p->exists)
		e = list_destination(g, failed_r);
	return e;
}

static enum err compare_group(struct group *g, const struct folder_pair *p, unsigned number)
{
	struct verify *v = g->v;
	bool failed = false;
	bool crowd;
	enum err e = select_crowd(g, p, &crowd);

	if (e == ERR_OK && !crowd)
		e = list_group(g, p, &failed);
	if (e != ERR_OK || failed)
		return e;
	e = crowd ? judge_crowd(g) : judge_lists(g);
	if (e != ERR_OK)
		return give_up(v, broken(v), p->source->name, e);
	g->count.compared -= g->count.newer + g->count.left_out;
	for (unsigned i = 1; i < g->origin_count; i++)
		out("Host1: folder [%s] went to the same folder as [%s]", g->origins[i].name,
		    g->origins[0].name);
	tally_folder(&v->tally, number, v->plan->count, g->origins[0].name, g->to, &g->count);
	return ERR_OK;
}

static bool is_first_to(const struct folder_plan *plan, unsigned index)
{
	for (unsigned i = 0; i < index; i++) {
		if (strcmp(plan->pairs[i].to, plan->pairs[index].to) == 0)
			return false;
	}
	return true;
}

enum err verify_folders(struct verify *v)
{
	const struct folder_plan *plan = v->plan;
	enum err e = ERR_OK;

	out("++++ Verifying %u folders", plan->count);
	for (unsigned i = 0; i < plan->count && e == ERR_OK; i++) {
		__attribute__((cleanup(free_group))) struct group g = {.v = v, .to = plan->pairs[i].to};
		AUTO_ARENA struct arena *a = arena_new();
		if (!is_first_to(plan, i))
			continue;
		g.origins = arena_array(a, plan->count, sizeof(*g.origins));
		for (unsigned j = i; j < plan->count; j++) {
			if (strcmp(plan->pairs[j].to, g.to) == 0)
				g.origins[g.origin_count++] =
				    (struct origin){.name = plan->pairs[j].source->name};
		}
		e = compare_group(&g, &plan->pairs[i], i + 1);
	}
	return e;
}
