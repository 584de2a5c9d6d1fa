#include "config.h"

#include "engine/crew.h"

#include <time.h>

#include "lib/clock.h"
#include "engine/output.h"

#define FLUSH_MS 100
#define END_MS 3000 /* what a thread is given to end after a signal */

/* One thread's pair; the thread may outlive the round when a signal came. */
struct place {
	struct crew *crew;
	struct pair *pair;
};

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
		p->opened = i == 0;
		for (unsigned side = 0; side < 2 && i > 0; side++)
			p->links[side] = (struct link){.options = c->pairs[0].links[side].options,
			    .report = r,
			    .password = c->pairs[0].links[side].password,
			    .password_len = c->pairs[0].links[side].password_len,
			    .side = side,
			    .pair = i,
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

static void open_more(struct pair *p)
{
	p->opened = true;
	p->lost = link_open_more(&p->links[0]) != ERR_OK || link_open_more(&p->links[1]) != ERR_OK;
	if (!p->lost)
		p->crew->report->pairs++;
	else if (p->links[0].session != NULL)
		link_close(&p->links[0]);
}

static void *work(void *ctx)
{
	struct pair *p = ctx;
	struct crew *c = p->crew;
	enum err e = ERR_OK;

	if (!p->opened)
		open_more(p);
	if (!p->lost)
		e = c->fn(c->ctx, p);
	crew_lock(c);
	if (c->result == ERR_OK)
		c->result = e;
	c->working--;
	(void)pthread_cond_signal(&c->changed);
	crew_unlock(c);
	return NULL;
}

/* Until all have ended, or do not although a signal came.  With the lock held. */
static void await(struct crew *c)
{
	mono_time patience = {0};
	while (c->working > 0) {
		struct timespec until;
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += FLUSH_MS * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000L;
		}
		(void)pthread_cond_timedwait(&c->changed, &c->lock, &until);
		out_flush();
		if (stop_signal() == 0)
			continue;
		if (patience.ms == 0)
			patience = mono_after(mono_now(), END_MS);
		else if (mono_left_ms(patience) == 0)
			return;
	}
}

static bool start(struct crew *c, struct pair *p)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool started;

	p->links[0].beside = p->links[1].beside = true;
	c->working++;
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	started = pthread_create(&thread, &attr, work, p) == 0;
	(void)pthread_attr_destroy(&attr);
	if (!started)
		c->working--;
	return started;
}

enum err crew_run(struct crew *c, unsigned useful, crew_fn fn, void *ctx)
{
	unsigned started = 0;
	bool abandoned;

	crew_lock(c);
	c->fn = fn;
	c->ctx = ctx;
	c->result = ERR_OK;
	for (unsigned i = 0; i < c->count && started < (useful > 0 ? useful : 1); i++) {
		if (!c->pairs[i].lost && start(c, &c->pairs[i]))
			started++;
	}
	if (started == 0)
		c->result = ERR_INTERNAL;
	await(c);
	abandoned = c->working > 0;
	enum err e = c->result;
	crew_unlock(c);
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
	p->lost = true;
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
	}
	return others;
}

void crew_close(struct crew *c)
{
	for (unsigned i = 1; i < c->count; i++) {
		for (unsigned side = 0; side < 2; side++)
			link_close(&c->pairs[i].links[side]);
	}
}
