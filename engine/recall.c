#include "engine/recall.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "engine/content.h"
#include "engine/output.h"
#include "engine/refresh.h"
#include "engine/state.h"
#include "engine/stop.h"
#include "engine/transfer.h"

static bool wants_flags(const struct pair *p)
{
	return p->crew->report->options->resync_flags;
}

/* A digest of which flags the destination's folder keeps (imap_flags_keepable()). */
static uint64_t keeper_of(const struct imap_mailbox *m)
{
	uint64_t digest = m->any_keyword;
	for (const char *at = m->permanent; *at != '\0'; at += strspn(at, " ")) {
		char word[sizeof(m->permanent)];
		size_t len = strcspn(at, " ");
		memcpy(word, at, len);
		word[len] = '\0';
		if (word[0] == '\\' || !m->any_keyword)
			digest = identity_of_words(digest, word);
		at += len;
	}
	return digest;
}

/* ---- nothing has changed ---- */

static bool is_as_kept(const struct state_side *s, const struct imap_status *now, bool flags)
{
	return s->listed && s->uidvalidity != 0 && now->uidvalidity == s->uidvalidity &&
	       now->messages == s->count && now->uidnext == s->uidnext &&
	       (!flags || (s->modseq != 0 && now->modseq == s->modseq));
}

/* The counts of one side's folders that LIST did not tell. */
static void ask_counts(
    struct link *l, const char **names, const unsigned *places, unsigned count, struct imap_status *status_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct imap_status *told = arena_array(a, count + 1, sizeof(*told));
	enum err *results = arena_array(a, count + 1, sizeof(*results));

	if (count == 0 || l->session == NULL ||
	    imap_folders_run(l->session, IMAP_STATUS_MODSEQ, names, count, results, told) != ERR_OK)
		return;
	for (unsigned i = 0; i < count; i++) {
		if (results[i] == ERR_OK)
			status_r[places[i]] = told[i];
	}
}

static void conclude_unchanged(struct job *job, const struct state_folder *f)
{
	for (unsigned side = 0; side < 2; side++) {
		const struct state_side *s = &f->sides[side];
		job->seen[side] = (struct imap_mailbox){.exists = s->count,
		    .uidvalidity = s->uidvalidity,
		    .uidnext = s->uidnext,
		    .modseq = s->modseq};
		job->size[side] = s->size;
		job->sized[side] = true;
		job->counts.listed[side] = s->count;
		job->counts.duplicates[side] = s->duplicates;
	}
	job->counts.paired = f->paired;
	job->identified = true;
	job->state = JOB_SURVEYED;
}

void recall_unchanged(struct copy *c, const struct folder_set *destination)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct pair *p = &c->crew->pairs[0];
	unsigned max = c->jobs.count + 1;
	struct state_folder *kept = arena_array(a, max, sizeof(*kept));
	struct imap_status *now[2];
	unsigned unchanged = 0;

	if (c->crew->state == NULL)
		return;
	for (unsigned i = 0; i < c->jobs.count; i++) {
		const struct folder_pair *fp = c->jobs.items[i].pair;
		kept[i] = (struct state_folder){0};
		if (fp->exists && !state_find(c->crew->state, fp->source->name, fp->to, &kept[i]))
			kept[i].settled = false;
	}
	for (unsigned side = 0; side < 2; side++) {
		const char **names = arena_array(a, max, sizeof(*names));
		unsigned *places = arena_array(a, max, sizeof(*places));
		unsigned count = 0;
		now[side] = arena_array(a, max, sizeof(*now[side]));
		for (unsigned i = 0; i < c->jobs.count; i++) {
			const struct folder_pair *fp = c->jobs.items[i].pair;
			const struct folder *f = side == 0 ? fp->source : folder_find(destination, fp->to);
			now[side][i] = (struct imap_status){0};
			if (!kept[i].settled || f == NULL)
				continue;
			if (f->status != NULL) {
				now[side][i] = *f->status;
				continue;
			}
			names[count] = f->name;
			places[count++] = i;
		}
		ask_counts(&p->links[side], names, places, count, now[side]);
	}
	for (unsigned i = 0; i < c->jobs.count; i++) {
		if (!kept[i].settled || !is_as_kept(&kept[i].sides[0], &now[0][i], wants_flags(p)) ||
		    !is_as_kept(&kept[i].sides[1], &now[1][i], wants_flags(p)))
			continue;
		conclude_unchanged(&c->jobs.items[i], &kept[i]);
		unchanged++;
	}
	if (unchanged > 0)
		out("State: %u of %u folders are as they were", unchanged, c->jobs.count);
}

/* ---- both sides ---- */

bool recall_knows(const struct pair *p, const struct job *job)
{
	struct state_folder f;
	return p->crew->state != NULL && job->pair->exists &&
	       state_find(p->crew->state, job->pair->source->name, job->pair->to, &f) && f.sides[0].listed &&
	       f.sides[1].listed;
}

static enum err read_both(struct pair *p, const struct job *job, struct message_list *lists[2])
{
	enum err e = ERR_OK;
	for (unsigned side = 0; e == ERR_OK && side < 2; side++)
		e = state_read(p->crew->state, job->pair->source->name, job->pair->to, side, lists[side]);
	return e;
}

static enum err refresh_both(struct pair *p, struct job *job, struct message_list *lists[2], bool *done_r)
{
	const struct link_choice choices[2] = {
	    {.link = &p->links[0], .folder = job->pair->source->name, .read_only = true},
	    {.link = &p->links[1], .folder = job->pair->to, .read_only = p->crew->report->options->dry},
	};
	struct imap_mailbox now[2];
	struct state_folder f;
	uint32_t unlisted[2] = {0};

	if (!state_find(p->crew->state, job->pair->source->name, job->pair->to, &f) ||
	    read_both(p, job, lists) != ERR_OK)
		return ERR_OK;
	enum err e = link_select_both(choices);
	if (e != ERR_OK)
		return e;
	/* which of the source's flags count is told by the destination's folder */
	if (f.sides[0].keeper != keeper_of(&p->links[1].mailbox))
		f.sides[0].modseq = 0;
	for (unsigned turn = 0; turn < 2; turn++) {
		unsigned side = 1 - turn;
		struct refresh r = {.link = &p->links[side],
		    .keeper = side == 0 ? &p->links[1].mailbox : NULL,
		    .list = lists[side]};
		e = refresh_side(&r, &f.sides[side], wants_flags(p), &now[side], &unlisted[side], done_r);
		if (e != ERR_OK || !*done_r)
			return e;
	}
	job->seen[0] = now[0];
	job->seen[1] = now[1];
	job->counts.unlisted = unlisted[0];
	job->identified = true;
	return ERR_OK;
}

enum err recall_lists(
    struct pair *p, struct job *job, struct message_list *here, struct message_list *there, bool *done_r)
{
	struct message_list *lists[2] = {here, there};

	*done_r = false;
	if (!recall_knows(p, job))
		return ERR_OK;
	enum err e = refresh_both(p, job, lists, done_r);
	if (e != ERR_OK)
		*done_r = false;
	if (!*done_r)
		out("State: folder [%s] is not as it was kept: everything is listed",
		    job->pair->source->name);
	/* what was refused is told by whoever lists everything */
	return e == ERR_CLOSED ? e : ERR_OK;
}

/* ---- keeping ---- */

static bool is_complete(const struct message_list *l, const struct imap_mailbox *seen)
{
	for (uint32_t i = 0; i < l->count; i++) {
		if (!l->items[i].identified)
			return false;
	}
	return seen->uidvalidity != 0 && seen->uidnext != 0 && l->count >= seen->exists;
}

static void fill_side(struct state_side *s, const struct message_list *l, const struct imap_mailbox *seen)
{
	*s = (struct state_side){.listed = is_complete(l, seen),
	    .uidvalidity = seen->uidvalidity,
	    .uidnext = seen->uidnext,
	    .modseq = seen->modseq,
	    .duplicates = match_duplicates(l)};
	if (l->count > 0 && l->items[l->count - 1].uid >= s->uidnext)
		s->uidnext = l->items[l->count - 1].uid + 1;
	listing_add_up(l, &s->size);
}

/* The lists are matched; here_flags: those of the source are up to date. */
static void keep(struct pair *p, const struct job *job, const struct message_list *here,
    const struct message_list *there, const struct imap_mailbox seen[2], bool settled)
{
	const struct message_list *const lists[2] = {here, there};
	struct state_folder f = {.settled = settled};

	for (unsigned side = 0; side < 2; side++)
		fill_side(&f.sides[side], lists[side], &seen[side]);
	f.sides[1].listed = f.sides[1].listed && job->pair->exists;
	f.sides[0].keeper = keeper_of(&job->seen[1]);
	if (!wants_flags(p))
		f.sides[0].modseq = f.sides[1].modseq = 0;
	for (uint32_t i = 0; i < here->count; i++)
		f.paired += here->items[i].partner != MESSAGE_UNPAIRED;
	f.settled = f.settled && f.paired == here->count && f.sides[0].listed && f.sides[1].listed;
	if (state_save(p->crew->state, job->pair->source->name, job->pair->to, &f, lists) != ERR_OK)
		out("State: folder [%s] cannot be kept", job->pair->source->name);
}

void recall_keep(struct pair *p, const struct job *job, const struct message_list *here,
    const struct message_list *there, const struct flag_list *changes)
{
	if (p->crew->state != NULL && !p->crew->report->options->dry)
		keep(p, job, here, there, job->seen, changes->count == 0);
}

/* The source's list as it was surveyed; of a folder of which only sizes were asked for, as it passed by. */
static bool take_source(struct pair *p, const struct job *job, struct message_list *list_r)
{
	if (job->identified)
		return state_read(p->crew->state, job->pair->source->name, job->pair->to, 0, list_r) ==
		       ERR_OK;
	*list_r = (struct message_list){0};
	for (uint32_t i = 0; i < job->here.count; i++) {
		const struct message *m = &job->here.items[i];
		if (m->partner != MESSAGE_COPIED || !m->identified)
			return false;
		*message_list_add(list_r, m->uid) = *m;
		list_r->items[i].partner = MESSAGE_UNPAIRED;
	}
	return true;
}

/* What the destination's folder has become. */
static bool take_destination(
    struct pair *p, const struct job *job, struct message_list *list_r, struct imap_mailbox *now_r)
{
	struct link *l = &p->links[1];
	struct refresh r = {.link = l, .list = list_r};
	struct state_folder f = {0};
	uint32_t unlisted = 0;
	bool done = false;

	if (link_select(l, job->pair->to, true) != ERR_OK)
		return false;
	if (job->made || !state_find(p->crew->state, job->pair->source->name, job->pair->to, &f)) {
		if (!job->made)
			return false;
		f.sides[1] = (struct state_side){
		    .uidvalidity = l->mailbox.uidvalidity, .uidnext = 1, .modseq = l->mailbox.modseq};
	} else if (state_read(p->crew->state, job->pair->source->name, job->pair->to, 1, list_r) != ERR_OK) {
		return false;
	}
	return refresh_side(&r, &f.sides[1], wants_flags(p), now_r, &unlisted, &done) == ERR_OK && done &&
	       unlisted == 0;
}

/* After a folder was copied: whether another survey would find nothing to do is seen by making it. */
static void keep_result(struct pair *p, struct job *job)
{
	struct message_list here = {0};
	struct message_list there = {0};
	struct imap_mailbox seen[2] = {job->seen[0], {0}};

	if (take_source(p, job, &here) && take_destination(p, job, &there, &seen[1])) {
		struct flag_list changes = {0};
		match_messages(&here, &there);
		if (wants_flags(p))
			flags_compare(&here, &there, &changes);
		keep(p, job, &here, &there, seen,
		    changes.count == 0 && !content_doubtful(&here, &there) && job->counts.unlisted == 0);
		flag_list_free(&changes);
		/* nobody need add them up again at the end */
		job->seen[1] = seen[1];
		listing_add_up(&there, &job->size[1]);
		job->sized[1] = true;
	}
	message_list_free(&here);
	message_list_free(&there);
	link_unselect(&p->links[1]);
}

enum err recall_keep_results(void *ctx, struct pair *p)
{
	struct copy *c = ctx;
	struct job *job;
	struct state_folder f;
	while (stop_signal() == 0 && copy_take(c, &job, 1) > 0) {
		bool known = state_find(p->crew->state, job->pair->source->name, job->pair->to, &f);
		bool alive = p->links[1].session != NULL && imap_session_alive(p->links[1].session);
		if (job->state == JOB_DONE && alive && !(known && f.settled))
			keep_result(p, job);
	}
	return ERR_OK;
}
