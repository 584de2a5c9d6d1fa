#include "config.h"

#include "engine/crew.h"

#include <time.h>

#include "lib/clock.h"
#include "engine/output.h"

#define FLUSH_MS 100
#define END_MS 3000 /* what a thread is given to end after a signal */

void crew_init(struct crew *c, struct report *r, unsigned count)
{
	pthread_condattr_t attr;

	c->report = r;
	c->count = count < 1 ? 1 : count > CREW_PAIRS_MAX ? CREW_PAIRS_MAX : count;
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&c->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	for (unsigned i = 0; i < c->count; i++) {
		struct pair *p = &c->pairs[i];
		p->crew = c;
		p->state = i == 0 ? PAIR_READY : PAIR_UNOPENED;
		for (unsigned side = 0; side < 2 && i > 0; side++)
			p->links[side] = (struct link){.options = c->pairs[0].links[side].options,
			    .report = r,
			    .secret = c->pairs[0].links[side].secret,
			    .secret_len = c->pairs[0].links[side].secret_len,
			    .side = side,
			    .pair = i,
			    .far = c->pairs[0].links[side].far,
			    .beside = true};
	}
	r->pairs = 1;
}

void crew_lock(struct crew *c)
{
	(void)pthread_mutex_lock(&c->lock);
}

void crew_unlock(struct crew *c)
{
	(void)pthread_mutex_unlock(&c->lock);
}

/* ---- opening ---- */

struct opening {
	struct link *link;
	enum err (*open)(struct link *l);
	enum err result;
};

static void *open_one(void *ctx)
{
	struct opening *o = ctx;
	o->result = o->open(o->link);
	return NULL;
}

void crew_open_both(struct link links[2], enum err (*open)(struct link *l), enum err results_r[2])
{
	struct opening other = {.link = &links[1], .open = open};
	pthread_t thread;
	bool beside = pthread_create(&thread, NULL, open_one, &other) == 0;

	results_r[0] = open(&links[0]);
	if (beside)
		(void)pthread_join(thread, NULL);
	else
		(void)open_one(&other);
	results_r[1] = other.result;
}

static void *open_pair(void *ctx)
{
	struct pair *p = ctx;
	struct crew *c = p->crew;
	enum err results[2];

	crew_open_both(p->links, link_open_more, results);
	bool good = results[0] == ERR_OK && results[1] == ERR_OK;
	for (unsigned side = 0; side < 2 && !good; side++)
		link_close(&p->links[side]);
	crew_lock(c);
	p->state = good ? PAIR_READY : PAIR_LOST;
	c->report->pairs += good;
	(void)pthread_cond_broadcast(&c->changed);
	crew_unlock(c);
	return NULL;
}

void crew_open_ahead(struct crew *c)
{
	for (unsigned i = 1; i < c->count; i++) {
		struct pair *p = &c->pairs[i];
		p->state = PAIR_OPENING;
		p->has_opener = pthread_create(&p->opener, NULL, open_pair, p) == 0;
		if (!p->has_opener)
			p->state = PAIR_LOST;
	}
}

/* ---- working ---- */

static void *work(void *ctx)
{
	struct pair *p = ctx;
	struct crew *c = p->crew;
	enum err e = ERR_OK;

	crew_lock(c);
	while (p->state == PAIR_OPENING && c->through == 0)
		(void)pthread_cond_wait(&c->changed, &c->lock);
	bool good = p->state == PAIR_READY;
	crew_unlock(c);
	if (good)
		e = c->fn(c->ctx, p);
	crew_lock(c);
	if (c->result == ERR_OK)
		c->result = e;
	c->working--;
	c->through += good;
	(void)pthread_cond_broadcast(&c->changed);
	crew_unlock(c);
	return NULL;
}

/* Until something changes, or a tenth of a second is over.  With the lock held. */
static void wait_a_little(struct crew *c)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += FLUSH_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	(void)pthread_cond_timedwait(&c->changed, &c->lock, &until);
}

/* Until all have ended, or do not although a signal came.  With the lock held. */
static void await(struct crew *c)
{
	mono_time patience = {0};
	while (c->working > 0) {
		wait_a_little(c);
		out_flush();
		if (stop_signal() == 0)
			continue;
		if (patience.ms == 0)
			patience = mono_after(mono_now(), END_MS);
		else if (mono_left_ms(patience) == 0)
			return;
	}
}

enum err crew_run(struct crew *c, unsigned useful, bool patient, crew_fn fn, void *ctx)
{
	unsigned started = 0;
	bool abandoned;

	crew_lock(c);
	c->fn = fn;
	c->ctx = ctx;
	c->result = ERR_OK;
	c->through = 0;
	c->pairs[0].links[0].beside = c->pairs[0].links[1].beside = true;
	for (unsigned i = 0; i < c->count && started < (useful > 0 ? useful : 1); i++) {
		struct pair *p = &c->pairs[i];
		if (p->state != PAIR_READY && !(patient && p->state == PAIR_OPENING))
			continue;
		p->has_worker = pthread_create(&p->worker, NULL, work, p) == 0;
		c->working += p->has_worker;
		started += p->has_worker;
	}
	if (started == 0)
		c->result = ERR_INTERNAL;
	await(c);
	abandoned = c->working > 0;
	enum err e = c->result;
	crew_unlock(c);
	for (unsigned i = 0; i < c->count && !abandoned; i++) {
		if (c->pairs[i].has_worker)
			(void)pthread_join(c->pairs[i].worker, NULL);
		c->pairs[i].has_worker = false;
	}
	c->pairs[0].links[0].beside = c->pairs[0].links[1].beside = false;
	return abandoned || stop_signal() != 0 ? ERR_CLOSED : e;
}

bool crew_give_up(struct pair *p)
{
	struct crew *c = p->crew;
	struct report *r = c->report;
	bool others;

	crew_lock(c);
	others = r->pairs > 1;
	if (others)
		r->pairs--;
	p->state = PAIR_LOST;
	crew_unlock(c);
	for (unsigned side = 0; side < 2; side++) {
		const struct link *l = &p->links[side];
		if (stop_signal() != 0 || (l->session != NULL && imap_session_alive(l->session)))
			continue;
		if (others)
			out("%s: connection %u is lost and not to be had again; the others go on",
			    link_name(l), l->pair + 1);
		else
			report_error(r, side == 0 ? ERROR_CONNECTION_HOST1 : ERROR_CONNECTION_HOST2,
			    "%s failure: can not open imap connection on host%u [%s] with user [%s]: lost "
			    "and not to be had again",
			    link_name(l), side + 1, l->options->host, l->options->user);
		/* the other side's may have been closed because of this one's loss */
		break;
	}
	return others;
}

bool crew_close(struct crew *c)
{
	bool opening = false;
	for (unsigned i = 1; i < c->count; i++) {
		mono_time patience = mono_after(mono_now(), END_MS);
		crew_lock(c);
		while (c->pairs[i].state == PAIR_OPENING && mono_left_ms(patience) > 0)
			wait_a_little(c);
		bool busy = c->pairs[i].state == PAIR_OPENING;
		crew_unlock(c);
		opening = opening || busy;
		if (c->pairs[i].has_opener && !busy)
			(void)pthread_join(c->pairs[i].opener, NULL);
		for (unsigned side = 0; side < 2 && !busy; side++)
			link_close(&c->pairs[i].links[side]);
	}
	return !opening;
}
