#include "config.h"

#include "engine/survey.h"

#include "engine/content.h"
#include "engine/output.h"
#include "engine/recall.h"
#include "engine/selection.h"
#include "engine/spare.h"

/* Both sides of a folder. */
struct lists {
	struct message_list here;
	struct message_list there;
};

static void lists_free(struct lists *l)
{
	message_list_free(&l->here);
	message_list_free(&l->there);
}

void job_free(struct job *job)
{
	message_list_free(&job->here);
	flag_list_free(&job->changes);
}

static bool is_dry(const struct pair *p)
{
	return p->crew->report->options->dry;
}

/* The side whose connection is gone, else the source. */
static struct link *broken(struct pair *p)
{
	const struct imap_session *to = p->links[1].session;
	return to == NULL || !imap_session_alive(to) ? &p->links[1] : &p->links[0];
}

enum err survey_give_up(struct pair *p, struct job *job, struct link *l, enum err e)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct report *r = p->crew->report;
	const char *folder = l->side == 0 ? job->pair->source->name : job->pair->to;

	if (stop_signal() != 0 || e == ERR_CLOSED || l->session == NULL || !imap_session_alive(l->session))
		return ERR_CLOSED;
	job->state = JOB_FAILED;
	r->folders_failed++;
	report_error(
	    r, ERROR_SELECT, "%s folder %s: Could not select: %s", link_name(l), folder, link_why(l, a));
	return e == ERR_TOO_BIG || report_is_full(r) ? ERR_TOO_BIG : ERR_OK;
}

bool survey_holds(const struct job *job, unsigned side, const struct imap_mailbox *now)
{
	const struct imap_mailbox *seen = &job->seen[side];
	if (side == 1 && seen->uidvalidity == 0 && seen->exists == 0)
		return now->exists == 0;
	return now->exists == seen->exists && now->uidvalidity == seen->uidvalidity &&
	       now->uidnext == seen->uidnext;
}

/* The lists are whole: what is to be done follows from them, and they are not needed any more. */
static void conclude(struct pair *p, struct job *job, struct lists *l)
{
	struct job_counts *n = &job->counts;
	uint32_t unlisted = n->unlisted;

	*n = (struct job_counts){.listed = {l->here.count, l->there.count},
	    .duplicates = {match_duplicates(&l->here), match_duplicates(&l->there)},
	    .unlisted = unlisted};
	for (uint32_t i = 0; i < l->here.count; i++) {
		const struct message *m = &l->here.items[i];
		bool paired = m->partner != MESSAGE_UNPAIRED;
		/* what is not asked for counts on neither side */
		n->listed[0] -= m->unselected;
		n->listed[1] -= m->unselected && paired;
		n->paired += !m->unselected && paired;
	}
	listing_add_up(&l->here, &job->size[0]);
	listing_add_up(&l->there, &job->size[1]);
	job->sized[0] = true;
	job->sized[1] = job->pair->exists;
	job->last_there = l->there.count == 0 ? 0 : l->there.items[l->there.count - 1].uid;
	job_free(job);
	if (!is_dry(p) && p->crew->report->options->resync_flags)
		flags_compare(&l->here, &l->there, &job->changes);
	recall_keep(p, job, &l->here, &l->there, &job->changes);
	message_list_free(&l->there);
	message_list_keep_unpaired(&l->here);
	job->here = l->here;
	l->here = (struct message_list){0};
	job->looked = mono_now();
	job->state = JOB_SURVEYED;
}

/* Where both have messages: which are the same. */
static enum err pair_up(struct pair *p, struct job *job, struct lists *l, bool selected)
{
	const struct link_choice choices[2] = {
	    {.link = &p->links[0], .folder = job->pair->source->name, .read_only = true},
	    {.link = &p->links[1], .folder = job->pair->to, .read_only = is_dry(p)},
	};
	match_messages(&l->here, &l->there);
	if (!content_doubtful(&l->here, &l->there))
		return ERR_OK;
	enum err e = selected ? ERR_OK : link_select_both(choices);
	return e == ERR_OK ? content_settle(&p->links[0], &p->links[1], &l->here, &l->there, true) : e;
}

static enum err list_alone(struct pair *p, struct job *job, struct lists *l)
{
	struct link *from = &p->links[0];
	struct link *to = &p->links[1];
	uint32_t unlisted;
	enum err e = ERR_OK;

	if (job->pair->exists) {
		const struct link_choice choices[2] = {
		    {.link = from, .folder = job->pair->source->name, .read_only = true},
		    {.link = to, .folder = job->pair->to, .read_only = is_dry(p)},
		};
		e = link_select_both(choices);
		if (e == ERR_OK)
			e = listing_read(to, &to->mailbox, 1, &l->there, &unlisted);
		if (e != ERR_OK)
			return survey_give_up(p, job, from->selected == NULL ? from : to, e);
		job->seen[1] = to->mailbox;
	} else {
		e = link_select(from, job->pair->source->name, true);
		job->seen[1] = (struct imap_mailbox){0};
	}
	if (e == ERR_OK)
		e = listing_read(
		    from, job->pair->exists ? &to->mailbox : NULL, 1, &l->here, &job->counts.unlisted);
	if (e == ERR_OK)
		e = selection_mark(from, &l->here, true);
	if (e != ERR_OK)
		return survey_give_up(p, job, from, e);
	job->seen[0] = from->mailbox;
	job->identified = true;
	return ERR_OK;
}

enum err survey_one(struct pair *p, struct job *job)
{
	__attribute__((cleanup(lists_free))) struct lists l = {0};
	bool recalled = false;
	enum err e = recall_lists(p, job, &l.here, &l.there, &recalled);
	if (e != ERR_OK)
		return survey_give_up(p, job, broken(p), e);
	if (!recalled) {
		lists_free(&l);
		e = list_alone(p, job, &l);
	}
	if (e != ERR_OK || job->state == JOB_FAILED)
		return e;
	if (job->pair->exists)
		e = pair_up(p, job, &l, true);
	if (e != ERR_OK)
		return survey_give_up(p, job, broken(p), e);
	conclude(p, job, &l);
	return ERR_OK;
}

static bool is_whole(const struct pair *p, const struct job *job, const struct message_list *here)
{
	const struct options *o = p->crew->report->options;
	if (job->counts.unlisted > 0 || here->count < job->seen[0].exists)
		return false;
	for (uint32_t i = 0; i < here->count && !o->dry; i++) {
		const struct message *m = &here->items[i];
		if (m->partner == MESSAGE_UNPAIRED && !m->unselected && selection_takes_size(o, m->size))
			return false;
	}
	return true;
}

enum err survey_again(
    struct pair *p, struct job *job, struct message_list *there_r, uint32_t *spared_r, bool *sure_r)
{
	struct lists l = {0};
	enum err e = list_alone(p, job, &l);
	if (e == ERR_OK && job->state != JOB_FAILED)
		e = pair_up(p, job, &l, true);
	*sure_r = e == ERR_OK && job->state != JOB_FAILED && is_whole(p, job, &l.here);
	*spared_r = *sure_r ? spare_alike(p->crew->report->options, &l.here, &l.there) : 0;
	*there_r = l.there;
	message_list_free(&l.here);
	return e;
}

/* ---- several at once ---- */

struct asked {
	struct job *job;
	bool of[2];  /* asked for */
	bool got[2]; /* told, whole or not */
	struct lists lists;
};

static void ask_source(struct pair *p, struct asked *a)
{
	a->job->identified = a->job->pair->exists && a->lists.there.count > 0;
	a->of[0] = listing_ask(&p->links[0], a->job->pair->source->name, true, a->job->identified) == ERR_OK;
}

static void take_source(struct pair *p, struct asked *a)
{
	struct job *job = a->job;
	const struct imap_mailbox *keeper = job->pair->exists ? &job->seen[1] : NULL;
	a->got[0] = a->of[0] && listing_take(&p->links[0], job->pair->source->name, keeper, job->identified,
				    &job->seen[0], &a->lists.here) == ERR_OK;
}

static void take_destination(struct pair *p, struct asked *a)
{
	a->job->seen[1] = (struct imap_mailbox){0};
	a->got[1] =
	    !a->job->pair->exists || (a->of[1] && listing_take(&p->links[1], a->job->pair->to, NULL, true,
						      &a->job->seen[1], &a->lists.there) == ERR_OK);
}

/* Messages whose header has neither field, or that were left out, are asked for once more. */
static enum err complete(struct pair *p, struct asked *a, bool *done_r)
{
	const struct link_choice choices[2] = {
	    {.link = &p->links[0], .folder = a->job->pair->source->name, .read_only = true},
	    {.link = &p->links[1], .folder = a->job->pair->to, .read_only = is_dry(p)},
	};
	uint32_t unlisted;

	*done_r = false;
	if (link_select_both(choices) != ERR_OK || !survey_holds(a->job, 0, &p->links[0].mailbox) ||
	    !survey_holds(a->job, 1, &p->links[1].mailbox))
		return ERR_OK;
	enum err e = listing_complete(&p->links[1], NULL, &a->lists.there, &unlisted);
	if (e == ERR_OK)
		e = listing_complete(
		    &p->links[0], &p->links[1].mailbox, &a->lists.here, &a->job->counts.unlisted);
	if (e == ERR_OK)
		*done_r = true;
	return e == ERR_OK ? ERR_OK : survey_give_up(p, a->job, broken(p), e);
}

static enum err finish(struct pair *p, struct asked *a)
{
	struct job *job = a->job;
	bool whole = a->got[0] && a->got[1] && listing_is_whole(&a->lists.here, &job->seen[0]) &&
		     listing_is_whole(&a->lists.there, &job->seen[1]);
	enum err e = ERR_OK;

	if (!whole && a->got[0] && a->got[1] && job->identified) {
		e = complete(p, a, &whole);
		if (e != ERR_OK || job->state == JOB_FAILED)
			return e;
	}
	if (!whole)
		return survey_one(p, job);
	if (job->identified) {
		e = pair_up(p, job, &a->lists, false);
		if (e != ERR_OK)
			return survey_give_up(p, job, broken(p), e);
	}
	conclude(p, job, &a->lists);
	return ERR_OK;
}

/* Every destination folder, and the source's of those that are not there: in one go. */
static void list_batch(struct pair *p, struct asked *asked, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (asked[i].job->pair->exists)
			asked[i].of[1] =
			    listing_ask(&p->links[1], asked[i].job->pair->to, is_dry(p), true) == ERR_OK;
		else
			ask_source(p, &asked[i]);
	}
	for (unsigned i = 0; i < count; i++)
		take_destination(p, &asked[i]);
	for (unsigned i = 0; i < count; i++) {
		if (asked[i].job->pair->exists)
			ask_source(p, &asked[i]);
	}
	for (unsigned exists = 0; exists < 2; exists++) {
		for (unsigned i = 0; i < count; i++) {
			if (asked[i].job->pair->exists == (exists == 1))
				take_source(p, &asked[i]);
		}
	}
	link_unselect(&p->links[0]);
	link_unselect(&p->links[1]);
}

enum err survey_batch(struct pair *p, struct job **jobs, unsigned count)
{
	struct asked asked[SURVEY_BATCH] = {0};
	unsigned anew = 0;
	enum err e = ERR_OK;

	/* a search needs the folder selected */
	if (selection_searches(p->crew->report->options)) {
		for (unsigned i = 0; i < count && e == ERR_OK; i++)
			e = stop_signal() != 0 ? ERR_CLOSED : survey_one(p, jobs[i]);
		return e;
	}
	for (unsigned i = 0; i < count; i++) {
		if (jobs[i]->state != JOB_SURVEYED && !recall_knows(p, jobs[i]))
			asked[anew++].job = jobs[i];
	}
	list_batch(p, asked, anew);
	for (unsigned i = 0; i < anew && e == ERR_OK; i++)
		e = stop_signal() != 0 ? ERR_CLOSED : finish(p, &asked[i]);
	for (unsigned i = 0; i < anew; i++)
		lists_free(&asked[i].lists);
	for (unsigned i = 0; i < count && e == ERR_OK; i++) {
		if (jobs[i]->state == JOB_OPEN)
			e = stop_signal() != 0 ? ERR_CLOSED : survey_one(p, jobs[i]);
	}
	return e;
}
