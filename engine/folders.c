#include "engine/folders.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/special.h"

static bool is_inbox(const char *name)
{
	return strcasecmp(name, "INBOX") == 0;
}

static bool same_name(const char *a, const char *b)
{
	return strcmp(a, b) == 0 || (is_inbox(a) && is_inbox(b));
}

const struct folder *folder_find(const struct folder_set *set, const char *name)
{
	for (unsigned i = 0; i < set->count; i++) {
		if (same_name(set->items[i].name, name))
			return &set->items[i];
	}
	return NULL;
}

static enum err compile(const char *option, const char *pattern, regex_t *re, struct buf *reason)
{
	int rc = regcomp(re, pattern, REG_EXTENDED | REG_NOSUB);
	if (rc == 0)
		return ERR_OK;
	char why[128];
	regerror(rc, re, why, sizeof(why));
	buf_addf(reason, "Value \"%s\" invalid for option %s (%s)\n", pattern, option, why);
	return ERR_INVALID;
}

struct patterns {
	regex_t *items;
	unsigned count;
};

static void patterns_free(struct patterns *p)
{
	for (unsigned i = 0; i < p->count; i++)
		regfree(&p->items[i]);
}

static enum err patterns_compile(struct patterns *p, const char *option, const struct word_list *words,
    struct arena *a, struct buf *reason)
{
	p->items = arena_array(a, words->count, sizeof(*p->items));
	for (; p->count < words->count; p->count++) {
		enum err e = compile(option, words->words[p->count], &p->items[p->count], reason);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static bool patterns_match(const struct patterns *p, const char *name)
{
	for (unsigned i = 0; i < p->count; i++) {
		if (regexec(&p->items[i], name, 0, NULL, 0) == 0)
			return true;
	}
	return false;
}

static bool listed(const struct word_list *l, const char *name)
{
	for (unsigned i = 0; i < l->count; i++) {
		if (same_name(l->words[i], name))
			return true;
	}
	return false;
}

/* The destination of name by --f1f2, NULL without one. */
static const char *renamed_to(const struct word_list *renames, const char *name)
{
	size_t len = strlen(name);
	for (unsigned i = 0; i < renames->count; i++) {
		const char *word = renames->words[i];
		if (strncmp(word, name, len) == 0 && word[len] == '=')
			return word + len + 1;
	}
	return NULL;
}

/* name as the destination would call it. */
static const char *translate(
    const struct folder_set *from, const struct folder_set *to, const struct folder *f, struct arena *a)
{
	AUTO_BUF struct buf out = BUF_INIT;
	const char *name = f->name;
	size_t prefix = strlen(from->prefix);
	char separator = f->separator != '\0' ? f->separator : from->separator;

	if (is_inbox(name))
		return "INBOX";
	if (prefix > 0 && strncasecmp(name, from->prefix, prefix) == 0 && name[prefix] != '\0')
		name += prefix;
	/* A child of INBOX is one on the destination too, whatever its prefix. */
	bool below_inbox = separator != '\0' && strncasecmp(name, "INBOX", 5) == 0 && name[5] == separator;
	if (!below_inbox)
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
		if (plan->pairs[i].to != NULL && same_name(plan->pairs[i].to, name))
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

static void place(const struct options *o, struct folder_plan *plan, const struct folder_set *source,
    const struct folder_set *destination, struct arena *a)
{
	const char **translated = arena_array(a, plan->count, sizeof(*translated));

	for (unsigned i = 0; i < plan->count; i++) {
		const char *asked = renamed_to(&o->renames, plan->pairs[i].source->name);
		if (asked != NULL && !taken(plan, asked))
			plan->pairs[i].to = asked;
	}
	for (unsigned i = 0; i < plan->count; i++) {
		translated[i] = translate(source, destination, plan->pairs[i].source, a);
		if (plan->pairs[i].to == NULL && folder_find(destination, translated[i]) != NULL &&
		    !taken(plan, translated[i]))
			plan->pairs[i].to = translated[i];
	}
	if (o->automap)
		automap(plan, source, destination);
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

enum err folder_plan_make(const struct options *o, const struct folder_set *source,
    const struct folder_set *destination, struct arena *a, struct folder_plan *plan_r, struct buf *reason)
{
	struct patterns includes = {0};
	struct patterns excludes = {0};
	struct folder_plan plan = {.pairs = arena_array(a, source->count, sizeof(*plan.pairs))};

	enum err e = patterns_compile(&includes, "include", &o->includes, a, reason);
	if (e == ERR_OK)
		e = patterns_compile(&excludes, "exclude", &o->excludes, a, reason);
	for (unsigned i = 0; e == ERR_OK && i < o->renames.count; i++) {
		const char *eq = strchr(o->renames.words[i], '=');
		if (eq == NULL || eq == o->renames.words[i] || eq[1] == '\0') {
			buf_addf(reason,
			    "Value \"%s\" invalid for option f1f2 (source=destination expected)\n",
			    o->renames.words[i]);
			e = ERR_INVALID;
		}
	}
	for (unsigned i = 0; e == ERR_OK && i < source->count; i++) {
		const struct folder *f = &source->items[i];
		bool wanted = (o->folders.count == 0 && includes.count == 0) ||
			      listed(&o->folders, f->name) || patterns_match(&includes, f->name);
		if (f->selectable && wanted && !patterns_match(&excludes, f->name))
			plan.pairs[plan.count++].source = f;
	}
	patterns_free(&includes);
	patterns_free(&excludes);
	if (e != ERR_OK)
		return e;
	if (plan.count > 0)
		qsort(plan.pairs, plan.count, sizeof(*plan.pairs), compare_pairs);
	place(o, &plan, source, destination, a);
	*plan_r = plan;
	return ERR_OK;
}
