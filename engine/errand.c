#include "engine/errand.h"

#include "lib/arena.h"
#include "lib/buf.h"
#include "engine/output.h"
#include "engine/selection.h"
#include "engine/stop.h"
#include "engine/survey.h"
#include "engine/transfer.h"

/* How long what was seen of a destination's folder may be relied on without another look. */
#define FRESH_MS 10000

struct errand {
	struct copy *copy;
	struct pair *pair;
	struct job *job;  /* the folder in hand */
	struct job *next; /* taken already, or NULL */
	struct transfer now;
	struct transfer ahead; /* of next, where asked */
	bool asked;
};

static const char *display(struct arena *a, const char *name)
{
	AUTO_BUF struct buf shown = BUF_INIT;
	out_folder(&shown, name);
	return arena_strndup(a, shown.data, shown.len);
}

/* ---- saying ---- */

/* What the survey counted goes to the report; where it had something of this folder before, the difference.
 */
static void tell(struct copy *c, struct job *job)
{
	struct report *r = c->report;
	struct job_counts *now = &job->counts;
	struct job_counts *told = &job->told;
	uint32_t paired = now->paired - told->paired - told->copied;
	for (unsigned side = 0; side < 2; side++) {
		r->identified[side] += (uint64_t)now->listed[side] - told->listed[side];
		r->duplicates[side] += (uint64_t)now->duplicates[side] - told->duplicates[side];
	}
	r->identified[1] -= told->copied;
	r->processed += paired;
	r->skipped += paired;
	r->extra += (uint64_t)(now->listed[1] - now->paired) - (told->listed[1] - told->paired);
	r->unlisted += now->unlisted - told->unlisted;
	*told = *now;
	told->copied = 0;
	out("Host1: folder [%s] selected %u messages, duplicates %u", job->pair->source->name, now->listed[0],
	    now->duplicates[0]);
	out("Host2: folder [%s] selected %u messages, duplicates %u", job->pair->to, now->listed[1],
	    now->duplicates[1]);
}

static void say_dry(struct copy *c, const struct job *job)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct options *o = c->report->options;
	const char *from = job->pair->source->name;
	for (uint32_t i = 0; i < job->here.count && stop_signal() == 0; i++) {
		const struct message *m = &job->here.items[i];
		c->report->processed++;
		if (!selection_takes_size(o, m->size)) {
			out_later("msg %s/%u skipped (%s)", from, m->uid, selection_why(o, m->size, a));
			c->report->skipped++;
			c->report->bytes_skipped += m->size;
			continue;
		}
		out_later("msg %s/%u {%llu} copying to %s \t(not really since --dry mode)", from, m->uid,
		    (unsigned long long)m->size, job->pair->to);
		c->report->would_be++;
		c->report->would_be_bytes += m->size;
	}
}

static void say_begin(struct copy *c, const struct job *job)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct folder_pair *p = job->pair;
	(void)pthread_mutex_lock(&c->report->lock);
	const char *eta = report_eta(c->report, a);
	if (eta[0] != '\0')
		out_later("%s", eta);
	unsigned number = ++c->report->folders_done;
	out_later("Folder %7s %-35s -> %-35s", arena_printf(a, "%u/%u", number, c->plan->count),
	    display(a, p->source->name), display(a, p->to));
	(void)pthread_mutex_unlock(&c->report->lock);
	if (p->renamed)
		out("Host2: folder [%s] takes this name because another folder of host1 goes to the plain "
		    "one",
		    p->to);
}

bool errand_is_idle(const struct copy *c, const struct job *job)
{
	return job->state == JOB_SURVEYED &&
	       (c->report->options->dry || (job->here.count == 0 && job->changes.count == 0));
}

/* ---- ahead ---- */

static bool is_fresh(const struct job *job)
{
	return job->state == JOB_SURVEYED && job->seen[1].uidvalidity != 0 && job->changes.count == 0 &&
	       mono_diff_ms(job->looked, mono_now()) < FRESH_MS;
}

static struct transfer transfer_of(struct errand *e, struct job *job, const struct imap_mailbox *there)
{
	uint32_t behind = there->uidnext;
	return (struct transfer){
	    .source = &e->pair->links[0],
	    .destination = &e->pair->links[1],
	    .report = e->copy->report,
	    .messages = &job->here,
	    .from = job->pair->source->name,
	    .to = job->pair->to,
	    .there = *there,
	    .first_new_uid = behind > job->last_there ? behind : job->last_there + 1,
	    .numbered = true,
	};
}

/* The folder in hand needs the source no more, but for what may still go wrong. */
static bool lend_source(void *ctx)
{
	struct errand *e = ctx;
	if (e->next != NULL || e->job->changes.count > 0 || copy_take(e->copy, &e->next, 1) == 0)
		return false;
	if (e->copy->report->options->just_folders || errand_is_idle(e->copy, e->next) || !is_fresh(e->next))
		return false;
	if (link_select_ahead(&e->pair->links[0], e->next->pair->source->name, true) != ERR_OK)
		return true;
	e->ahead = transfer_of(e, e->next, &e->next->seen[1]);
	transfer_ask_ahead(&e->ahead);
	e->asked = true;
	return true;
}

static void drop_ahead(struct errand *e)
{
	struct link *from = &e->pair->links[0];
	if (!e->asked)
		return;
	e->asked = false;
	transfer_forget(&e->ahead);
	if (from->session == NULL)
		return;
	if (from->selected == NULL)
		(void)!imap_select_wait(from->session, &from->mailbox);
	(void)!imap_fetch_bodies_drop(from->session);
	link_unselect(from);
}

static enum err reclaim_source(void *ctx)
{
	struct errand *e = ctx;
	struct link *from = &e->pair->links[0];
	drop_ahead(e);
	enum err r = link_select(from, e->now.from, true);
	if (r == ERR_OK && from->mailbox.uidvalidity != e->job->seen[0].uidvalidity)
		r = ERR_LOST;
	return r;
}

/* What was asked for ahead is on its way, and the folder as it was: nothing needs to be asked again. */
static bool ahead_holds(struct errand *e)
{
	struct link *from = &e->pair->links[0];
	if (!e->asked)
		return false;
	if (link_select_arrived(from, e->job->pair->source->name, true) == ERR_OK &&
	    survey_holds(e->job, 0, &from->mailbox))
		return true;
	drop_ahead(e);
	return false;
}

/* ---- one folder ---- */

/*
 * The source's folder selected, and the survey of how both are now; the destination's is selected, too,
 * unless it was seen a moment ago.
 */
static enum err select_folders(struct errand *e, struct imap_mailbox *there_r)
{
	struct pair *p = e->pair;
	struct job *job = e->job;
	const struct link_choice choices[2] = {
	    {.link = &p->links[0], .folder = job->pair->source->name, .read_only = true},
	    {.link = &p->links[1], .folder = job->pair->to, .read_only = false},
	};
	bool fresh = is_fresh(job);
	enum err r = fresh ? link_select(&p->links[0], choices[0].folder, true) : link_select_both(choices);

	if (fresh)
		link_unselect(&p->links[1]);
	*there_r = fresh ? job->seen[1] : p->links[1].mailbox;
	if (r != ERR_OK)
		return survey_give_up(p, job, &p->links[p->links[0].selected == NULL ? 0 : 1], r);
	if (job->state == JOB_SURVEYED && survey_holds(job, 0, &p->links[0].mailbox) &&
	    survey_holds(job, 1, there_r))
		return ERR_OK;
	if (job->state == JOB_SURVEYED)
		out("Folder [%s] has changed since it was listed", job->pair->source->name);
	r = survey_one(p, job);
	*there_r = p->links[1].mailbox;
	return r;
}

static enum err resync_flags(struct errand *e)
{
	struct link *links = e->pair->links;
	if (e->job->changes.count == 0)
		return ERR_OK;
	enum err r = flags_resync(&links[0], &links[1], &e->job->changes);
	if (r == ERR_OK || r == ERR_TOO_BIG || r == ERR_CLOSED)
		return r;
	bool there = links[1].session != NULL && imap_session_alive(links[1].session);
	return survey_give_up(e->pair, e->job, &links[there ? 0 : 1], r);
}

static enum err move_messages(struct errand *e)
{
	struct job *job = e->job;
	e->now.idle = lend_source;
	e->now.reclaim = reclaim_source;
	e->now.ctx = e;
	enum err r = transfer_missing(&e->now);
	for (uint32_t i = 0; i < job->here.count; i++)
		job->told.copied += job->here.items[i].partner == MESSAGE_COPIED;
	if (!job->identified) {
		/* only now, as they passed by, it was seen which they are */
		uint32_t duplicates = match_duplicates(&job->here);
		e->copy->report->duplicates[0] += duplicates - job->counts.duplicates[0];
		job->counts.duplicates[0] = job->told.duplicates[0] = duplicates;
	}
	return r == ERR_OK ? resync_flags(e) : r;
}

static enum err prepare(struct errand *e)
{
	struct imap_mailbox there = {0};
	if (ahead_holds(e)) {
		/* bodies are under way in it */
		e->now = e->ahead;
		transfer_moved(&e->now);
		e->asked = false;
		return ERR_OK;
	}
	enum err r = select_folders(e, &there);
	e->now = transfer_of(e, e->job, &there);
	return r;
}

static enum err copy_folder(struct errand *e)
{
	struct job *job = e->job;
	const struct options *o = e->copy->report->options;
	enum err r = ERR_OK;

	say_begin(e->copy, job);
	if (job->state == JOB_FAILED || o->just_folders)
		return ERR_OK;
	if (!errand_is_idle(e->copy, job))
		r = o->dry ? survey_one(e->pair, job) : prepare(e);
	if (r != ERR_OK || job->state == JOB_FAILED)
		return r;
	tell(e->copy, job);
	if (o->dry)
		say_dry(e->copy, job);
	else if (job->here.count > 0 || job->changes.count > 0)
		r = move_messages(e);
	if (r == ERR_LOST) {
		e->copy->report->folders_failed++;
		r = ERR_OK;
	}
	if (r == ERR_OK)
		job->state = JOB_DONE;
	return r;
}

/* The pair is lost: what it had in hand is for others. */
static void give_back(struct errand *e)
{
	struct job *jobs[2] = {e->job, e->next};
	e->job->state = JOB_OPEN;
	e->copy->report->folders_done--;
	copy_give_back(e->copy, jobs, e->next != NULL ? 2 : 1);
}

static enum err one_after_the_other(struct errand *e)
{
	for (;;) {
		e->job = e->next;
		e->next = NULL;
		if (e->job == NULL && copy_take(e->copy, &e->job, 1) == 0)
			return ERR_OK;
		enum err r = copy_folder(e);
		if (r == ERR_CLOSED && stop_signal() == 0 && crew_give_up(e->pair)) {
			give_back(e);
			return ERR_OK;
		}
		if (r == ERR_OK && report_is_full(e->copy->report))
			r = ERR_TOO_BIG;
		if (r != ERR_OK)
			return r;
	}
}

enum err errand_run(void *ctx, struct pair *p)
{
	struct errand e = {.copy = ctx, .pair = p};
	enum err r = one_after_the_other(&e);
	if (e.asked)
		transfer_forget(&e.ahead);
	return r;
}
