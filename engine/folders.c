#include "engine/folders.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/chosen.h"
#include "engine/names.h"
#include "engine/special.h"

static bool is_inbox(const char *name)
{
	return strcasecmp(name, "INBOX") == 0;
}

const struct folder *folder_find(const struct folder_set *set, const char *name)
{
	for (unsigned i = 0; i < set->count; i++) {
		if (name_same(set->items[i].name, name))
			return &set->items[i];
	}
	return NULL;
}

/* What both sides' names have to do with each other. */
struct translation {
	const struct folder_set *from;
	const struct folder_set *to;
	const char *below; /* of the source, --subfolder1, or NULL */
	const char *under; /* on the destination, --subfolder2 with prefix and separator, or NULL */
};

const char *folder_renamed_to(const struct word_list *renames, const char *name, struct arena *a)
{
	for (unsigned i = 0; i < renames->count; i++) {
		const char *word = renames->words[i];
		for (const char *eq = strchr(word, '='); eq != NULL; eq = strchr(eq + 1, '=')) {
			if (name_is(name, arena_strndup(a, word, (size_t)(eq - word))))
				return eq + 1;
		}
	}
	return NULL;
}

/* A name given for the destination: the folder there that is meant, or what it is to be called. */
static const char *raw_there(const struct folder_set *to, const char *given, struct arena *a)
{
	for (unsigned i = 0; i < to->count; i++) {
		if (name_is(to->items[i].name, given))
			return to->items[i].name;
	}
	return name_raw(given, a);
}

/* --subfolder2 with what goes before and behind it; NULL without. */
static const char *under_of(const struct options *o, const struct folder_set *to, struct arena *a)
{
	const char *given = o->side[1].below;

	if (given == NULL)
		return NULL;
	char separator = to->separator != '\0' ? to->separator : '_';
	size_t prefix = strlen(to->prefix);
	const char *raw = name_raw(given, a);
	bool prefixed = prefix > 0 && strncasecmp(raw, to->prefix, prefix) == 0;
	bool ended = raw[strlen(raw) - 1] == separator;
	return arena_printf(
	    a, "%s%s%.*s", prefixed ? "" : to->prefix, raw, ended ? 0 : 1, (const char[]){separator, '\0'});
}

/* name as the destination would call it. */
static const char *translate(const struct translation *t, const struct folder *f, struct arena *a)
{
	AUTO_BUF struct buf out = BUF_INIT;
	const struct folder_set *to = t->to;
	const char *name = f->name;
	size_t prefix = strlen(t->from->prefix);
	char separator = f->separator != '\0' ? f->separator : t->from->separator;

	if (t->below != NULL)
		name += strlen(t->below) + (name[strlen(t->below)] != '\0');
	if (name[0] == '\0' || is_inbox(name))
		return t->under != NULL ? arena_printf(a, "%sINBOX", t->under) : "INBOX";
	if (prefix > 0 && strncasecmp(name, t->from->prefix, prefix) == 0 && name[prefix] != '\0')
		name += prefix;
	/* A child of INBOX is one on the destination too, whatever its prefix. */
	bool below_inbox = separator != '\0' && strncasecmp(name, "INBOX", 5) == 0 && name[5] == separator;
	if (t->under != NULL)
		buf_adds(&out, t->under);
	else if (!below_inbox)
		buf_adds(&out, to->prefix);
	for (; *name != '\0'; name++) {
		if (separator != '\0' && *name == separator)
			buf_addc(&out, to->separator != '\0' ? to->separator : '_');
		else
			buf_addc(&out, to->separator != '\0' && *name == to->separator ? '_' : *name);
	}
	return arena_strndup(a, out.data, out.len);
}

static bool taken(const struct folder_plan *plan, const char *name)
{
	for (unsigned i = 0; i < plan->count; i++) {
		if (plan->pairs[i].to != NULL && name_same(plan->pairs[i].to, name))
			return true;
	}
	return false;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct folder_pair *x = a;
	const struct folder_pair *y = b;
	return strcmp(x->source->name, y->source->name);
}

/* name, or name_2, name_3... whichever no other source folder goes to. */
static const char *free_name(const struct folder_plan *plan, const char *name, struct arena *a)
{
	const char *candidate = name;
	for (unsigned n = 2; taken(plan, candidate); n++)
		candidate = arena_printf(a, "%s_%u", name, n);
	return candidate;
}

/* Special folders among those that have no place yet, each to the free special folder of the destination. */
static void automap(
    struct folder_plan *plan, const struct folder_set *source, const struct folder_set *destination)
{
	for (enum special_use use = SPECIAL_ALL; use < SPECIAL__COUNT; use++) {
		const struct folder *from = special_folder(source, use);
		const struct folder *to = special_folder(destination, use);
		if (from == NULL || to == NULL || is_inbox(from->name) || taken(plan, to->name))
			continue;
		for (unsigned i = 0; i < plan->count; i++) {
			if (plan->pairs[i].source == from && plan->pairs[i].to == NULL) {
				plan->pairs[i].to = to->name;
				plan->pairs[i].mapped = true;
			}
		}
	}
}

static void place(
    const struct options *o, struct folder_plan *plan, const struct translation *t, struct arena *a)
{
	const struct folder_set *destination = t->to;
	const char **translated = arena_array(a, plan->count, sizeof(*translated));

	for (unsigned i = 0; i < plan->count; i++) {
		const char *asked = folder_renamed_to(&o->renames, plan->pairs[i].source->name, a);
		if (asked != NULL)
			asked = raw_there(destination, asked, a);
		if (asked != NULL && !taken(plan, asked))
			plan->pairs[i].to = asked;
	}
	for (unsigned i = 0; i < plan->count; i++) {
		translated[i] = translate(t, plan->pairs[i].source, a);
		if (plan->pairs[i].to == NULL && folder_find(destination, translated[i]) != NULL &&
		    !taken(plan, translated[i]))
			plan->pairs[i].to = translated[i];
	}
	if (o->automap)
		automap(plan, t->from, destination);
	for (unsigned i = 0; i < plan->count; i++) {
		struct folder_pair *p = &plan->pairs[i];
		if (p->to == NULL) {
			p->to = free_name(plan, translated[i], a);
			p->renamed = strcmp(p->to, translated[i]) != 0;
		}
		const struct folder *there = folder_find(destination, p->to);
		p->exists = there != NULL && there->selectable;
	}
}

static enum err check_renames(const struct options *o, struct buf *reason)
{
	for (unsigned i = 0; i < o->renames.count; i++) {
		const char *eq = strchr(o->renames.words[i], '=');
		if (eq != NULL && eq != o->renames.words[i] && eq[1] != '\0')
			continue;
		buf_addf(reason, "Value \"%s\" invalid for option f1f2 (source=destination expected)\n",
		    o->renames.words[i]);
		return ERR_INVALID;
	}
	return ERR_OK;
}

enum err folder_plan_make(const struct options *o, const struct folder_set *source,
    const struct folder_set *destination, struct arena *a, struct folder_plan *plan_r, struct buf *reason)
{
	struct chosen *chosen = NULL;
	struct folder_plan plan = {.pairs = arena_array(a, source->count, sizeof(*plan.pairs))};
	struct translation t = {.from = source, .to = destination, .under = under_of(o, destination, a)};

	enum err e = chosen_make(o, source, a, &chosen, reason);
	if (e == ERR_OK)
		e = check_renames(o, reason);
	for (unsigned i = 0; e == ERR_OK && i < source->count; i++) {
		if (chosen_has(chosen, &source->items[i]))
			plan.pairs[plan.count++].source = &source->items[i];
	}
	t.below = chosen_below(chosen);
	chosen_free(chosen);
	if (e != ERR_OK)
		return e;
	if (plan.count > 0)
		qsort(plan.pairs, plan.count, sizeof(*plan.pairs), compare_pairs);
	place(o, &plan, &t, a);
	*plan_r = plan;
	return ERR_OK;
}
