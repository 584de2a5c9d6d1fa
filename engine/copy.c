#include "engine/copy.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "engine/content.h"
#include "engine/flags.h"
#include "engine/listing.h"
#include "engine/match.h"
#include "engine/output.h"
#include "engine/stop.h"
#include "engine/transfer.h"

static const char *display(struct arena *a, const char *name)
{
	AUTO_BUF struct buf shown = BUF_INIT;
	out_folder(&shown, name);
	return arena_strndup(a, shown.data, shown.len);
}

/* A folder that could not be gone through: its messages count as missing. */
static enum err give_up_folder(struct copy *c, struct link *l, const char *folder, enum err e)
{
	AUTO_ARENA struct arena *a = arena_new();
	c->report->folders_failed++;
	if (stop_signal() != 0)
		return ERR_CLOSED;
	report_error(c->report, ERROR_SELECT, "%s folder %s: Could not select: %s", link_name(l), folder,
	    link_why(l, a));
	if (l->session == NULL || !imap_session_alive(l->session)) {
		report_error(c->report, l->side == 0 ? ERROR_CONNECTION_HOST1 : ERROR_CONNECTION_HOST2,
		    "%s failure: can not open imap connection on host%u [%s] with user [%s]: lost and not to "
		    "be had again",
		    link_name(l), l->side + 1, l->options->host, l->options->user);
		return ERR_CLOSED;
	}
	if (e == ERR_TOO_BIG || report_is_full(c->report))
		return ERR_TOO_BIG;
	return ERR_OK;
}

/* The side whose connection is gone, else the source. */
static struct link *broken(struct copy *c)
{
	const struct imap_session *to = c->destination->session;
	return to == NULL || !imap_session_alive(to) ? c->destination : c->source;
}

/* ---- creating ---- */

static enum err create_one(struct link *l, const char *name)
{
	for (;;) {
		enum err e = l->session == NULL ? ERR_CLOSED : imap_create(l->session, name);
		if (e == ERR_OK || e == ERR_CONFLICT ||
		    (l->session != NULL && imap_session_alive(l->session)))
			return e;
		e = link_revive(l);
		if (e != ERR_OK)
			return e;
	}
}

/* name, with what is above it where the server does not make that itself. */
static enum err create_folder(struct copy *c, const char *name, struct arena *a)
{
	struct link *l = c->destination;
	enum err e = create_one(l, name);
	if (e == ERR_OK || e == ERR_CONFLICT || c->separator == '\0' || !imap_session_alive(l->session))
		return e;
	for (const char *at = strchr(name, c->separator); at != NULL; at = strchr(at + 1, c->separator)) {
		if (at != name)
			(void)!create_one(l, arena_strndup(a, name, (size_t)(at - name)));
	}
	return create_one(l, name);
}

/* *made_r: whether the folder can be worked in now. */
static enum err make_folder(struct copy *c, struct folder_pair *p, bool *made_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct link *l = c->destination;
	const struct options *o = c->report->options;

	*made_r = true;
	if (!p->exists) {
		out("Creating folder %s on host2", display(a, p->to));
		if (o->dry) {
			out("Created folder %s on host2 \t(not really since --dry mode)", display(a, p->to));
			return ERR_OK;
		}
		enum err e = create_folder(c, p->to, a);
		if (e != ERR_OK) {
			*made_r = false;
			c->report->folders_failed++;
			if (stop_signal() != 0)
				return ERR_CLOSED;
			report_error(c->report, ERROR_CREATE, "Could not create folder [%s] from [%s]: %s",
			    p->to, p->source->name, link_why(l, a));
			if (l->session == NULL || !imap_session_alive(l->session))
				return ERR_CLOSED;
			return report_is_full(c->report) ? ERR_TOO_BIG : ERR_OK;
		}
		out("Created folder %s on host2", display(a, p->to));
		p->exists = true;
	}
	if (o->dry || !(o->subscribe_all || (o->subscribe && p->source->subscribed)))
		return ERR_OK;
	out("Host2: Subscribing to folder %s", p->to);
	if (imap_subscribe(l->session, p->to) != ERR_OK)
		out("Host2: folder [%s] can not be subscribed: %s", p->to, link_why(l, a));
	return ERR_OK;
}

/* ---- one folder ---- */

struct folder_lists {
	struct message_list here;
	struct message_list there;
};

static void free_lists(struct folder_lists *f)
{
	message_list_free(&f->here);
	message_list_free(&f->there);
}

static void count_matched(struct copy *c, struct folder_lists *f)
{
	struct report *r = c->report;
	uint32_t duplicates[2] = {match_duplicates(&f->here), match_duplicates(&f->there)};
	uint32_t paired = 0;
	for (uint32_t i = 0; i < f->here.count; i++)
		paired += f->here.items[i].partner != MESSAGE_UNPAIRED;
	r->identified[0] += f->here.count;
	r->identified[1] += f->there.count;
	r->duplicates[0] += duplicates[0];
	r->duplicates[1] += duplicates[1];
	r->processed += paired;
	r->skipped += paired;
	r->extra += f->there.count - paired;
	out("Host1: folder [%s] selected %u messages, duplicates %u", c->source->selected, f->here.count,
	    duplicates[0]);
	out("Host2: folder [%s] selected %u messages, duplicates %u",
	    c->destination->selected != NULL ? c->destination->selected : "", f->there.count, duplicates[1]);
}

static void say_dry(struct copy *c, const struct folder_pair *p, const struct message_list *l)
{
	uint64_t maxsize = c->report->options->maxsize;
	for (uint32_t i = 0; i < l->count && stop_signal() == 0; i++) {
		const struct message *m = &l->items[i];
		if (m->partner != MESSAGE_UNPAIRED)
			continue;
		c->report->processed++;
		if (maxsize > 0 && m->size > maxsize) {
			out("msg %s/%u skipped (%llu exceeds maxsize limit %llu bytes)", p->source->name,
			    m->uid, (unsigned long long)m->size, (unsigned long long)maxsize);
			c->report->skipped++;
			c->report->bytes_skipped += m->size;
			continue;
		}
		out("msg %s/%u {%llu} copying to %s \t(not really since --dry mode)", p->source->name, m->uid,
		    (unsigned long long)m->size, p->to);
		c->report->would_be++;
		c->report->would_be_bytes += m->size;
	}
}

/* Both sides listed and matched; a missing destination folder (a dry run's) is empty. */
static enum err list_both(struct copy *c, const struct folder_pair *p, struct folder_lists *f, bool *failed_r)
{
	uint32_t unlisted;
	enum err e = link_select(c->source, p->source->name, true);
	*failed_r = true;
	if (e != ERR_OK)
		return give_up_folder(c, c->source, p->source->name, e);
	out("Host1: folder [%s] has %u messages in total (mentioned by SELECT)", p->source->name,
	    c->source->mailbox.exists);
	if (p->exists) {
		e = link_select(c->destination, p->to, c->report->options->dry);
		if (e == ERR_OK) {
			out("Host2: folder [%s] has %u messages in total (mentioned by SELECT)", p->to,
			    c->destination->mailbox.exists);
			out("Host2: folder [%s] permanentflags: %s", p->to,
			    c->destination->mailbox.permanent);
			e = listing_read(c->destination, &c->destination->mailbox, 1, &f->there, &unlisted);
		}
		if (e != ERR_OK)
			return give_up_folder(c, c->destination, p->to, e);
	}
	e = listing_read(c->source, p->exists ? &c->destination->mailbox : NULL, 1, &f->here, &unlisted);
	if (e != ERR_OK)
		return give_up_folder(c, c->source, p->source->name, e);
	c->report->unlisted += unlisted;
	match_messages(&f->here, &f->there);
	if (p->exists) {
		e = content_settle(c->source, c->destination, &f->here, &f->there);
		if (e != ERR_OK)
			return give_up_folder(c, broken(c), p->source->name, e);
	}
	*failed_r = false;
	return ERR_OK;
}

static enum err move_messages(struct copy *c, const struct folder_pair *p, struct folder_lists *f)
{
	struct transfer t = {
	    .source = c->source,
	    .destination = c->destination,
	    .report = c->report,
	    .messages = &f->here,
	    .from = p->source->name,
	    .to = p->to,
	    .numbered = true,
	    .first_new_uid = f->there.count == 0 ? 1 : f->there.items[f->there.count - 1].uid + 1,
	};
	enum err e = transfer_missing(&t);
	if (e != ERR_OK || !c->report->options->resync_flags)
		return e;
	e = flags_resync(c->source, c->destination, &f->here, &f->there);
	return e == ERR_OK || e == ERR_TOO_BIG ? e : give_up_folder(c, broken(c), p->source->name, e);
}

static enum err copy_folder(struct copy *c, struct folder_pair *p, unsigned number)
{
	AUTO_ARENA struct arena *a = arena_new();
	__attribute__((cleanup(free_lists))) struct folder_lists f = {0};
	const struct options *o = c->report->options;
	bool made = false;
	bool failed = false;

	out("Folder %7s %-35s -> %-35s", arena_printf(a, "%u/%u", number, c->plan->count),
	    display(a, p->source->name), display(a, p->to));
	if (p->renamed)
		out("Host2: folder [%s] takes this name because another folder of host1 goes to the plain "
		    "one",
		    p->to);
	enum err e = make_folder(c, p, &made);
	if (e != ERR_OK || !made || o->just_folders)
		return e;
	e = list_both(c, p, &f, &failed);
	if (e != ERR_OK || failed)
		return e;
	count_matched(c, &f);
	if (o->dry)
		say_dry(c, p, &f.here);
	else
		e = move_messages(c, p, &f);
	for (uint32_t i = 0; i < f.here.count; i++)
		c->report->missing += f.here.items[i].partner == MESSAGE_UNPAIRED;
	if (e == ERR_LOST) {
		c->report->folders_failed++;
		e = ERR_OK;
	}
	return e;
}

enum err copy_folders(struct copy *c)
{
	enum err e = ERR_OK;
	c->report->transfer_started = mono_now();
	out("++++ Looping on each one of %u folders to sync", c->plan->count);
	for (unsigned i = 0; i < c->plan->count && e == ERR_OK; i++) {
		AUTO_ARENA struct arena *a = arena_new();
		const char *eta = report_eta(c->report, a);
		if (eta[0] != '\0')
			out("%s", eta);
		c->report->folders_done++;
		e = copy_folder(c, &c->plan->pairs[i], i + 1);
		if (stop_signal() != 0)
			return ERR_CLOSED;
	}
	out("++++ End looping on each folder");
	return e;
}
