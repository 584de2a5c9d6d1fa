#include "engine/copy.h"

#include <stdlib.h>

#include "lib/mem.h"
#include "engine/create.h"
#include "engine/errand.h"
#include "engine/output.h"
#include "engine/recall.h"
#include "engine/stop.h"
#include "engine/survey.h"

/* What a message costs beside its bytes, in bytes: to share out the folders evenly. */
#define MESSAGE_COST 32768

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
		useful += !c->report->options->just_folders && !errand_is_idle(c, &c->jobs.items[i]);
	if (e == ERR_OK)
		e = run_all(c, errand_run, useful, useful > 1);
	if (e != ERR_CLOSED && c->crew->state != NULL && !c->report->options->dry &&
	    !c->report->options->just_folders && stop_signal() == 0 &&
	    run_all(c, recall_keep_results, c->jobs.count, false) != ERR_OK)
		e = ERR_CLOSED;
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
