#include "engine/create.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "engine/output.h"
#include "engine/stop.h"

static const char *display(struct arena *a, const char *name)
{
	AUTO_BUF struct buf shown = BUF_INIT;
	out_folder(&shown, name);
	return arena_strndup(a, shown.data, shown.len);
}

static enum err create_one(struct link *l, const char *name)
{
	for (;;) {
		enum err e = l->session == NULL ? ERR_CLOSED : imap_create(l->session, name);
		if (e == ERR_OK || e == ERR_CONFLICT)
			return e;
		e = link_again(l, e);
		if (e != ERR_OK)
			return e;
	}
}

/* name, with what is above it where the server does not make that itself. */
static enum err create_folder(struct copy *c, const char *name, struct arena *a)
{
	struct link *l = &c->crew->pairs[0].links[1];
	enum err e = create_one(l, name);
	if (e == ERR_OK || e == ERR_CONFLICT || c->separator == '\0' || !imap_session_alive(l->session))
		return e;
	for (const char *at = strchr(name, c->separator); at != NULL; at = strchr(at + 1, c->separator)) {
		if (at != name)
			(void)!create_one(l, arena_strndup(a, name, (size_t)(at - name)));
	}
	return create_one(l, name);
}

/* What was not made with the others: alone, until it is clear why. */
static enum err make_sure(struct copy *c, struct job *job, struct arena *a)
{
	struct link *l = &c->crew->pairs[0].links[1];
	struct folder_pair *p = job->pair;
	enum err e = create_folder(c, p->to, a);

	if (e == ERR_OK || e == ERR_CONFLICT)
		return ERR_OK;
	job->state = JOB_FAILED;
	c->report->folders_failed++;
	if (stop_signal() != 0)
		return ERR_CLOSED;
	report_error(c->report, ERROR_CREATE, "Could not create folder [%s] from [%s]: %s", p->to,
	    p->source->name, link_why(l, a));
	if (l->session == NULL || !imap_session_alive(l->session))
		return ERR_CLOSED;
	return report_is_full(c->report) ? ERR_TOO_BIG : ERR_OK;
}

static enum err create_missing(struct copy *c, struct arena *a)
{
	struct link *l = &c->crew->pairs[0].links[1];
	const char **names = arena_array(a, c->jobs.count + 1, sizeof(*names));
	enum err *results = arena_array(a, c->jobs.count + 1, sizeof(*results));
	unsigned count = 0;
	enum err e = ERR_OK;

	for (unsigned i = 0; i < c->jobs.count; i++) {
		struct job *job = &c->jobs.items[i];
		if (job->pair->exists || job->state == JOB_FAILED)
			continue;
		out("Creating folder %s on host2", display(a, job->pair->to));
		if (c->report->options->dry)
			out("Created folder %s on host2 \t(not really since --dry mode)",
			    display(a, job->pair->to));
		names[count++] = job->pair->to;
	}
	if (c->report->options->dry || count == 0)
		return ERR_OK;
	if (l->session != NULL)
		(void)!imap_folders_run(l->session, IMAP_CREATE, names, count, results, NULL);
	count = 0;
	for (unsigned i = 0; e == ERR_OK && i < c->jobs.count; i++) {
		struct job *job = &c->jobs.items[i];
		if (job->pair->exists || job->state == JOB_FAILED)
			continue;
		enum err made = results[count++];
		if (made != ERR_OK && made != ERR_CONFLICT)
			e = make_sure(c, job, a);
		if (job->state == JOB_FAILED)
			continue;
		out("Created folder %s on host2", display(a, job->pair->to));
		job->pair->exists = true;
		job->made = true;
	}
	return e;
}

static enum err on_row(void *ctx, const struct imap_row *row)
{
	(void)row;
	*(bool *)ctx = true;
	return ERR_OK;
}

/* What was just made, as a SELECT shows it: later it need not be asked for again, folder by folder. */
static void look_at_new(struct copy *c)
{
	struct imap_session *to = c->crew->pairs[0].links[1].session;
	for (unsigned from = 0; to != NULL && from < c->jobs.count;) {
		struct job *asked[IMAP_LISTINGS_MAX];
		unsigned count = 0;
		for (; from < c->jobs.count && count < IMAP_LISTINGS_MAX; from++) {
			struct job *job = &c->jobs.items[from];
			if (job->made &&
			    imap_listing_ask(to, job->pair->to, false, IMAP_FETCH_SIZE, NULL) == ERR_OK)
				asked[count++] = job;
		}
		for (unsigned i = 0; i < count; i++) {
			struct imap_mailbox mailbox;
			bool any = false;
			if (imap_listing_take(to, &mailbox, on_row, &any) != ERR_OK || any ||
			    mailbox.exists != 0)
				continue;
			asked[i]->seen[1] = mailbox;
			asked[i]->looked = mono_now();
		}
	}
	link_unselect(&c->crew->pairs[0].links[1]);
}

static void subscribe(struct copy *c, struct arena *a)
{
	const struct options *o = c->report->options;
	struct link *l = &c->crew->pairs[0].links[1];
	const char **names = arena_array(a, c->jobs.count + 1, sizeof(*names));
	enum err *results = arena_array(a, c->jobs.count + 1, sizeof(*results));
	unsigned count = 0;

	for (unsigned i = 0; i < c->jobs.count; i++) {
		const struct job *job = &c->jobs.items[i];
		if (job->state == JOB_FAILED ||
		    !(o->subscribe_all || (o->subscribe && job->pair->source->subscribed)))
			continue;
		out("Host2: Subscribing to folder %s", job->pair->to);
		names[count++] = job->pair->to;
	}
	if (count == 0 || l->session == NULL)
		return;
	(void)!imap_folders_run(l->session, IMAP_SUBSCRIBE, names, count, results, NULL);
	for (unsigned i = 0; i < count; i++) {
		if (results[i] == ERR_OK || !imap_session_alive(l->session))
			continue;
		if (imap_subscribe(l->session, names[i]) != ERR_OK)
			out("Host2: folder [%s] can not be subscribed: %s", names[i], link_why(l, a));
	}
}

enum err create_folders(struct copy *c)
{
	AUTO_ARENA struct arena *a = arena_new();
	enum err e = create_missing(c, a);
	if (e == ERR_OK && !c->report->options->dry) {
		subscribe(c, a);
		look_at_new(c);
	}
	return e;
}
