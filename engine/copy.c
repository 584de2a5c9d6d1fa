#include "engine/copy.h"

#include <stdlib.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/mem.h"
#include "engine/create.h"
#include "engine/output.h"
#include "engine/stop.h"
#include "engine/survey.h"
#include "engine/transfer.h"

/* What a message costs beside its bytes, in bytes: to share out the folders evenly. */
#define MESSAGE_COST 32768

static const char *display(struct arena *a, const char *name)
{
	AUTO_BUF struct buf shown = BUF_INIT;
	out_folder(&shown, name);
	return arena_strndup(a, shown.data, shown.len);
}

void copy_init(struct copy *c)
{
	c->jobs = (struct jobs){
	    .items = mem_array(c->plan->count + 1, sizeof(*c->jobs.items)), .count = c->plan->count};
	c->order = mem_array(c->plan->count + 1, sizeof(struct job *));
	for (unsigned i = 0; i < c->plan->count; i++) {
		c->jobs.items[i] = (struct job){.pair = &c->plan->pairs[i], .number = i + 1};
		c->order[i] = &c->jobs.items[i];
	}
}

void copy_free(struct copy *c)
{
	for (unsigned i = 0; i < c->jobs.count; i++)
		job_free(&c->jobs.items[i]);
	free(c->jobs.items);
	free(c->order);
}

/* ---- who does what ---- */

unsigned copy_take(struct copy *c, struct job **jobs_r, unsigned max)
{
	unsigned count = 0;
	crew_lock(c->crew);
	for (; c->next < c->jobs.count && count < max; c->next++) {
		struct job *job = c->order[c->next];
		if (job->taken)
			continue;
		job->taken = true;
		jobs_r[count++] = job;
	}
	crew_unlock(c->crew);
	return count;
}

void copy_give_back(struct copy *c, struct job **jobs, unsigned count)
{
	crew_lock(c->crew);
	for (unsigned i = 0; i < count; i++)
		jobs[i]->taken = false;
	c->next = 0;
	crew_unlock(c->crew);
}

static void set_cost(struct job *job)
{
	job->cost = 0;
	for (uint32_t i = 0; i < job->here.count; i++)
		job->cost += job->here.items[i].size + MESSAGE_COST;
}

static int compare_cost(const void *a, const void *b)
{
	const struct job *x = *(struct job *const *)a;
	const struct job *y = *(struct job *const *)b;
	if (x->cost != y->cost)
		return x->cost > y->cost ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* All jobs are to be taken again.  A pair lost on the way gives its jobs back after others were through. */
static enum err run_all(struct copy *c, crew_fn fn, unsigned useful, bool patient)
{
	enum err e = ERR_OK;
	c->next = 0;
	for (unsigned i = 0; i < c->jobs.count; i++)
		c->jobs.items[i].taken = false;
	while (e == ERR_OK && c->next < c->jobs.count)
		e = crew_run(c->crew, useful, patient, fn, c);
	return e;
}

/* ---- survey ---- */

static enum err survey_some(void *ctx, struct pair *p)
{
	struct copy *c = ctx;
	struct job *jobs[SURVEY_BATCH];
	unsigned share = c->jobs.count / c->crew->count;
	unsigned max = share < 1 ? 1 : share < SURVEY_BATCH ? share : SURVEY_BATCH;
	unsigned count;
	while ((count = copy_take(c, jobs, max)) > 0) {
		enum err e = survey_batch(p, jobs, count);
		if (e == ERR_CLOSED && stop_signal() == 0 && crew_give_up(p)) {
			copy_give_back(c, jobs, count);
			return ERR_OK;
		}
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err copy_survey(struct copy *c)
{
	return run_all(c, survey_some, c->jobs.count, false);
}

/* ---- one folder ---- */

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
	uint64_t maxsize = c->report->options->maxsize;
	const char *from = job->pair->source->name;
	for (uint32_t i = 0; i < job->here.count && stop_signal() == 0; i++) {
		const struct message *m = &job->here.items[i];
		c->report->processed++;
		if (maxsize > 0 && m->size > maxsize) {
			out_later("msg %s/%u skipped (%llu exceeds maxsize limit %llu bytes)", from, m->uid,
			    (unsigned long long)m->size, (unsigned long long)maxsize);
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

/* Both folders selected, and the survey of how they are now. */
static enum err select_both(struct pair *p, struct job *job)
{
	const struct link_choice choices[2] = {
	    {.link = &p->links[0], .folder = job->pair->source->name, .read_only = true},
	    {.link = &p->links[1], .folder = job->pair->to, .read_only = false},
	};
	enum err e = link_select_both(choices);
	if (e != ERR_OK)
		return survey_give_up(p, job, &p->links[p->links[0].selected == NULL ? 0 : 1], e);
	if (job->state == JOB_SURVEYED && survey_holds(p, job))
		return ERR_OK;
	if (job->state == JOB_SURVEYED)
		out("Folder [%s] has changed since it was listed", job->pair->source->name);
	return survey_one(p, job);
}

static enum err move_messages(struct copy *c, struct pair *p, struct job *job)
{
	uint32_t behind = p->links[1].mailbox.uidnext;
	struct transfer t = {
	    .source = &p->links[0],
	    .destination = &p->links[1],
	    .report = c->report,
	    .messages = &job->here,
	    .from = job->pair->source->name,
	    .to = job->pair->to,
	    .first_new_uid = behind > job->last_there ? behind : job->last_there + 1,
	    .numbered = true,
	};
	enum err e = transfer_missing(&t);
	for (uint32_t i = 0; i < job->here.count; i++)
		job->told.copied += job->here.items[i].partner == MESSAGE_COPIED;
	if (!job->identified) {
		/* only now, as they passed by, it was seen which they are */
		uint32_t duplicates = match_duplicates(&job->here);
		c->report->duplicates[0] += duplicates - job->counts.duplicates[0];
		job->counts.duplicates[0] = job->told.duplicates[0] = duplicates;
	}
	if (e != ERR_OK || job->changes.count == 0)
		return e;
	e = flags_resync(&p->links[0], &p->links[1], &job->changes);
	if (e == ERR_OK || e == ERR_TOO_BIG || e == ERR_CLOSED)
		return e;
	struct link *broken = p->links[1].session == NULL || !imap_session_alive(p->links[1].session)
				  ? &p->links[1]
				  : &p->links[0];
	return survey_give_up(p, job, broken, e);
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

/* Whether there is nothing to do but to say so. */
static bool is_idle(const struct copy *c, const struct job *job)
{
	return job->state == JOB_SURVEYED &&
	       (c->report->options->dry || (job->here.count == 0 && job->changes.count == 0));
}

static enum err copy_folder(struct copy *c, struct pair *p, struct job *job)
{
	enum err e = ERR_OK;
	say_begin(c, job);
	if (job->state == JOB_FAILED || c->report->options->just_folders)
		return ERR_OK;
	if (!is_idle(c, job))
		e = c->report->options->dry ? survey_one(p, job) : select_both(p, job);
	if (e != ERR_OK || job->state == JOB_FAILED)
		return e;
	tell(c, job);
	if (c->report->options->dry)
		say_dry(c, job);
	else if (job->here.count > 0 || job->changes.count > 0)
		e = move_messages(c, p, job);
	if (e == ERR_LOST) {
		c->report->folders_failed++;
		e = ERR_OK;
	}
	if (e == ERR_OK)
		job->state = JOB_DONE;
	return e;
}

static enum err copy_some(void *ctx, struct pair *p)
{
	struct copy *c = ctx;
	struct job *job;
	while (copy_take(c, &job, 1) > 0) {
		enum err e = copy_folder(c, p, job);
		if (e == ERR_CLOSED && stop_signal() == 0 && crew_give_up(p)) {
			job->state = JOB_OPEN;
			c->report->folders_done--;
			copy_give_back(c, &job, 1);
			return ERR_OK;
		}
		if (e == ERR_OK && report_is_full(c->report))
			e = ERR_TOO_BIG;
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err copy_folders(struct copy *c)
{
	unsigned useful = 0;
	enum err e = create_folders(c);
	c->report->transfer_started = mono_now();
	out("++++ Looping on each one of %u folders to sync", c->plan->count);
	for (unsigned i = 0; i < c->jobs.count; i++)
		set_cost(&c->jobs.items[i]);
	if (c->jobs.count > 0)
		qsort(c->order, c->jobs.count, sizeof(struct job *), compare_cost);
	for (unsigned i = 0; i < c->jobs.count; i++)
		useful += !c->report->options->just_folders && !is_idle(c, &c->jobs.items[i]);
	if (e == ERR_OK)
		e = run_all(c, copy_some, useful, useful > 1);
	for (unsigned i = 0; i < c->jobs.count; i++) {
		const struct message_list *l = &c->jobs.items[i].here;
		for (uint32_t k = 0; k < l->count; k++)
			c->report->missing += l->items[k].partner == MESSAGE_UNPAIRED;
	}
	if (stop_signal() != 0)
		return ERR_CLOSED;
	out("++++ End looping on each folder");
	return e;
}
