#include "engine/surplus.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "imap/search.h"
#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/token.h"
#include "engine/listing.h"
#include "engine/output.h"
#include "engine/spare.h"
#include "engine/stop.h"
#include "engine/survey.h"

/* Of one folder: what the source has not. */
struct extras {
	struct job *job;
	struct message_list list;
	uint32_t uidvalidity;
	uint32_t exists;
	uint8_t print[SPARE_PRINT_BYTES]; /* of all that is in it */
};

struct surplus {
	struct copy *copy;
	struct pair *pair;
	struct extras *folders; /* one for each job */
	uint64_t count;
};

static void surplus_free(struct surplus *s)
{
	for (unsigned i = 0; i < s->copy->jobs.count; i++)
		message_list_free(&s->folders[i].list);
	free(s->folders);
}

static void refuse(struct surplus *s, const char *why)
{
	report_error(s->copy->report, ERROR_UNCLASSIFIED, "Host2: nothing is deleted (--delete2): %s", why);
}

/* ---- finding ---- */

/* A folder that shows what is in others (RFC 6154): a message that goes from it goes from all of them. */
static bool is_view(const struct surplus *s, const char *name)
{
	const struct folder *f = folder_find(s->copy->destination, name);
	return f != NULL && (f->special == SPECIAL_ALL || f->special == SPECIAL_FLAGGED);
}

static enum err find_in(struct surplus *s, struct extras *x, bool *sure_r)
{
	const char *name = x->job->pair->to;
	uint32_t spared = 0;
	enum err e = survey_again(s->pair, x->job, &x->list, &spared, sure_r);

	if (e != ERR_OK)
		return e;
	x->uidvalidity = x->job->seen[1].uidvalidity;
	x->exists = x->list.count;
	e = spare_print(&x->list, x->print);
	message_list_keep_unpaired(&x->list);
	if (spared > 0)
		out("Host2: folder [%s]: %u messages that host1 may have stay, though none there is alike in "
		    "all",
		    name, spared);
	if (x->list.count > 0 && is_view(s, name)) {
		out("Host2: folder [%s]: it shows what is in other folders, so nothing is deleted from it",
		    name);
		message_list_free(&x->list);
	}
	s->count += x->list.count;
	return e;
}

static enum err find(struct surplus *s, bool *sure_r)
{
	*sure_r = true;
	for (unsigned i = 0; i < s->copy->jobs.count && *sure_r; i++) {
		struct extras *x = &s->folders[i];
		x->job = &s->copy->jobs.items[i];
		enum err e = x->job->pair->exists ? find_in(s, x, sure_r) : ERR_OK;
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/*
 * Two folders of host1 whose names are one to the server of host2 (case, or another Unicode form): what the
 * one brought there is not the other's.  NULL: there are none, else what to say.
 */
static const char *same_folder(const struct surplus *s, struct arena *a)
{
	for (unsigned i = 0; i < s->copy->jobs.count; i++) {
		const struct extras *x = &s->folders[i];
		for (unsigned k = i + 1; k < s->copy->jobs.count && x->exists > 0; k++) {
			const struct extras *y = &s->folders[k];
			if (x->exists == y->exists && x->uidvalidity == y->uidvalidity &&
			    memcmp(x->print, y->print, sizeof(x->print)) == 0)
				return arena_printf(a, "its folders [%s] and [%s] are one and the same",
				    x->job->pair->to, y->job->pair->to);
		}
	}
	return NULL;
}

static int compare_key(const void *a, const void *b)
{
	const struct message *x = a;
	const struct message *y = b;
	return memcmp(x->id.key, y->id.key, sizeof(x->id.key));
}

/* What is in a folder of the source that was not asked for is no surplus, whatever brought it here. */
static void spare(struct surplus *s, struct message_list *elsewhere)
{
	if (elsewhere->count > 0)
		qsort(elsewhere->items, elsewhere->count, sizeof(*elsewhere->items), compare_key);
	s->count = 0;
	for (unsigned i = 0; i < s->copy->jobs.count; i++) {
		struct message_list *l = &s->folders[i].list;
		for (uint32_t k = 0; k < l->count && elsewhere->count > 0; k++) {
			if (bsearch(&l->items[k], elsewhere->items, elsewhere->count,
				sizeof(*elsewhere->items), compare_key) != NULL)
				l->items[k].partner = 0;
		}
		message_list_keep_unpaired(l);
		s->count += l->count;
	}
}

static bool planned(const struct copy *c, const struct folder *f)
{
	for (unsigned i = 0; i < c->plan->count; i++) {
		if (c->plan->pairs[i].source == f)
			return true;
	}
	return false;
}

static enum err look_elsewhere(struct surplus *s)
{
	const struct folder_set *set = s->copy->source;
	struct link *from = &s->pair->links[0];
	enum err e = ERR_OK;

	for (unsigned i = 0; i < set->count && s->count > 0 && e == ERR_OK; i++) {
		const struct folder *f = &set->items[i];
		struct message_list list = {0};
		uint32_t unlisted = 0;
		if (!f->selectable || planned(s->copy, f))
			continue;
		e = stop_signal() != 0 ? ERR_CLOSED : link_select(from, f->name, true);
		if (e == ERR_OK)
			e = listing_read(from, NULL, 1, &list, &unlisted);
		if (e == ERR_OK)
			spare(s, &list);
		message_list_free(&list);
		/* what cannot be read may hold anything */
		if (e != ERR_OK && from->session != NULL && imap_session_alive(from->session)) {
			AUTO_ARENA struct arena *a = arena_new();
			report_error(s->copy->report, ERROR_SELECT, "Host1 folder %s: Could not select: %s",
			    f->name, link_why(from, a));
			return ERR_OK;
		}
	}
	return e;
}

/* ---- what it is ---- */

static int compare_names(const void *a, const void *b)
{
	const struct extras *const *x = a;
	const struct extras *const *y = b;
	return strcmp((*x)->job->pair->to, (*y)->job->pair->to);
}

/* As surplus.h says. */
static void digest(const struct surplus *s, char hex_r[TOKEN_HEX_LEN + 1])
{
	const struct extras **sorted = mem_array(s->copy->jobs.count + 1, sizeof(*sorted));
	AUTO_BUF struct buf all = BUF_INIT;
	unsigned char hash[TOKEN_HASH_BYTES];
	unsigned count = 0;

	for (unsigned i = 0; i < s->copy->jobs.count; i++) {
		if (s->folders[i].list.count > 0)
			sorted[count++] = &s->folders[i];
	}
	qsort(sorted, count, sizeof(*sorted), compare_names);
	for (unsigned i = 0; i < count; i++) {
		const struct extras *x = sorted[i];
		buf_addf(&all, "%s\n%u", x->job->pair->to, x->uidvalidity);
		for (uint32_t k = 0; k < x->list.count; k++)
			buf_addf(&all, " %u", x->list.items[k].uid);
		buf_adds(&all, "\n");
	}
	token_hash(all.data != NULL ? all.data : "", all.len, hash);
	token_hex(hash, sizeof(hash), hex_r);
	free(sorted);
}

/* ---- deleting ---- */

static enum err remove_some(struct link *to, const uint32_t *uids, unsigned count)
{
	for (;;) {
		enum err e = imap_remove(to->session, uids, count);
		if (e == ERR_OK)
			link_worked(to);
		if (e == ERR_OK || imap_session_alive(to->session))
			return e;
		e = link_revive(to);
		if (e != ERR_OK)
			return e;
	}
}

static void tell(struct report *r, unsigned count)
{
	r->deleted += count;
	r->extra -= r->extra < count ? r->extra : count;
	r->identified[1] -= r->identified[1] < count ? r->identified[1] : count;
}

static enum err remove_folder(struct surplus *s, const struct extras *x)
{
	struct link *to = &s->pair->links[1];
	uint32_t uids[IMAP_RANGES_MAX];
	const char *folder = x->job->pair->to;
	enum err e = link_select(to, folder, false);

	if (e == ERR_OK && (to->mailbox.uidvalidity != x->uidvalidity || x->uidvalidity == 0))
		e = ERR_LOST;
	for (uint32_t at = 0; at < x->list.count && e == ERR_OK;) {
		unsigned count = 0;
		for (; at < x->list.count && count < IMAP_RANGES_MAX; at++)
			uids[count++] = x->list.items[at].uid;
		e = stop_signal() != 0 ? ERR_CLOSED : remove_some(to, uids, count);
		for (unsigned i = 0; i < count && e == ERR_OK; i++)
			out_later("Host2: msg %s/%u deleted on host2", folder, uids[i]);
		if (e == ERR_OK)
			tell(s->copy->report, count);
	}
	return e;
}

static enum err remove_all(struct surplus *s)
{
	struct link *to = &s->pair->links[1];

	for (unsigned i = 0; i < s->copy->jobs.count; i++) {
		const struct extras *x = &s->folders[i];
		enum err e = x->list.count > 0 ? remove_folder(s, x) : ERR_OK;
		if (e == ERR_OK)
			continue;
		if (stop_signal() != 0 || to->session == NULL || !imap_session_alive(to->session))
			return ERR_CLOSED;
		AUTO_ARENA struct arena *a = arena_new();
		report_error(s->copy->report, ERROR_UNCLASSIFIED,
		    "Host2: folder [%s]: what host1 has not can not be deleted: %s", x->job->pair->to,
		    e == ERR_LOST ? "the folder was made anew meanwhile" : link_why(to, a));
	}
	return ERR_OK;
}

static void say_dry(const struct surplus *s)
{
	for (unsigned i = 0; i < s->copy->jobs.count; i++) {
		const struct extras *x = &s->folders[i];
		for (uint32_t k = 0; k < x->list.count; k++)
			out_later("Host2: msg %s/%u deleted on host2 \t(not really since --dry mode)",
			    x->job->pair->to, x->list.items[k].uid);
	}
	out("Host2: %llu messages would be deleted", (unsigned long long)s->count);
	s->copy->report->would_delete = s->count;
	s->copy->report->counted_deletions = true;
}

/* With --dry alone no limit need be given: nothing is deleted, and the limit is what is to be found out. */
static bool is_over(const struct surplus *s, const struct options *o)
{
	return s->count > o->max_delete && !(o->dry && o->max_delete == 0);
}

static bool had_no_error(const struct copy *c)
{
	for (unsigned i = 0; i < c->jobs.count; i++) {
		if (c->jobs.items[i].state != JOB_DONE)
			return false;
	}
	return c->report->error_count == 0 && c->report->folders_failed == 0 && c->report->unlisted == 0;
}

static enum err decide(struct surplus *s)
{
	const struct options *o = s->copy->report->options;
	AUTO_ARENA struct arena *a = arena_new();
	bool sure = had_no_error(s->copy);

	if (!sure) {
		refuse(s, "the run had errors");
		return ERR_OK;
	}
	enum err e = find(s, &sure);
	if (e == ERR_OK && sure)
		e = look_elsewhere(s);
	if (e != ERR_OK)
		return e;
	if (!sure || !had_no_error(s->copy)) {
		refuse(s, "host1 has messages that are not on host2, or could not be read whole");
		return ERR_OK;
	}
	const char *twice = s->count > 0 ? same_folder(s, a) : NULL;
	if (twice != NULL) {
		refuse(s, twice);
		return ERR_OK;
	}
	if (is_over(s, o)) {
		refuse(s, arena_printf(a, "%llu messages are not on host1, more than --maxdelete %u",
			      (unsigned long long)s->count, o->max_delete));
		return ERR_OK;
	}
	digest(s, s->copy->report->deletions);
	if (o->delete_digest != NULL && strcasecmp(o->delete_digest, s->copy->report->deletions) != 0) {
		refuse(s, "what is not on host1 is not what was confirmed (--deletedigest)");
		return ERR_OK;
	}
	if (s->count > 0 && !imap_session_can(s->pair->links[1].session, "UIDPLUS")) {
		refuse(s, "the server can not remove single messages (UIDPLUS)");
		return ERR_OK;
	}
	if (o->dry) {
		say_dry(s);
		return ERR_OK;
	}
	return s->count > 0 ? remove_all(s) : ERR_OK;
}

enum err surplus_delete(struct copy *c)
{
	struct surplus s = {.copy = c, .pair = &c->crew->pairs[0]};
	const struct options *o = c->report->options;

	if (!o->delete2 || o->just_folders)
		return ERR_OK;
	s.folders = mem_array(c->jobs.count + 1, sizeof(*s.folders));
	enum err e = decide(&s);
	surplus_free(&s);
	return e;
}
