#include "engine/chosen.h"

#include <regex.h>
#include <string.h>
#include <strings.h>

#include "imap/mutf7.h"
#include "engine/names.h"
#include "engine/output.h"

struct patterns {
	regex_t *items;
	unsigned count;
};

struct chosen {
	const struct options *options;
	const struct folder_set *source;
	const char *below;
	struct patterns includes;
	struct patterns excludes;
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
		const char *pattern = words->words[p->count];
		regex_t *re = &p->items[p->count];
		char why[128];
		int rc = regcomp(re, pattern, REG_EXTENDED | REG_NOSUB);
		if (rc == 0)
			continue;
		regerror(rc, re, why, sizeof(why));
		buf_addf(reason, "Value \"%s\" invalid for option %s (%s)\n", pattern, option, why);
		return ERR_INVALID;
	}
	return ERR_OK;
}

/* The name as the server writes it, or as it reads. */
static bool patterns_match(const struct patterns *p, const char *name)
{
	AUTO_BUF struct buf read = BUF_INIT;

	mutf7_display(name, strlen(name), &read);
	for (unsigned i = 0; i < p->count; i++) {
		if (regexec(&p->items[i], name, 0, NULL, 0) == 0 ||
		    regexec(&p->items[i], read.data, 0, NULL, 0) == 0)
			return true;
	}
	return false;
}

static bool listed(const struct word_list *l, const char *name)
{
	for (unsigned i = 0; i < l->count; i++) {
		if (name_is(name, l->words[i]))
			return true;
	}
	return false;
}

static char separator_of(const struct chosen *c, const struct folder *f)
{
	return f->separator != '\0' ? f->separator : c->source->separator;
}

/* f itself, or a folder above it, is listed. */
static bool in_trees(const struct chosen *c, const struct word_list *l, const struct folder *f)
{
	AUTO_BUF struct buf above = BUF_INIT;
	char separator = separator_of(c, f);

	if (listed(l, f->name))
		return true;
	if (l->count == 0 || separator == '\0')
		return false;
	for (const char *at = strchr(f->name, separator); at != NULL; at = strchr(at + 1, separator)) {
		buf_clear(&above);
		buf_add(&above, f->name, (size_t)(at - f->name));
		if (listed(l, above.data))
			return true;
	}
	return false;
}

/* Without a separator at its end, which is no part of the name. */
static const char *trimmed(const char *name, char separator, struct arena *a)
{
	size_t len = strlen(name);

	if (len > 1 && separator != '\0' && name[len - 1] == separator)
		len--;
	return arena_strndup(a, name, len);
}

static enum err find_below(struct chosen *c, struct arena *a, struct buf *reason)
{
	const struct folder_set *set = c->source;
	const char *given = c->options->side[0].below;

	if (given == NULL)
		return ERR_OK;
	const char *plain = trimmed(given, set->separator, a);
	const char *prefixed = arena_printf(a, "%s%s", set->prefix, name_raw(plain, a));
	for (unsigned i = 0; i < set->count && c->below == NULL; i++) {
		if (name_is(set->items[i].name, plain))
			c->below = set->items[i].name;
	}
	for (unsigned i = 0; i < set->count && c->below == NULL; i++) {
		if (name_same(set->items[i].name, prefixed))
			c->below = set->items[i].name;
	}
	if (c->below != NULL)
		return ERR_OK;
	buf_addf(reason, "subfolder1 %s does not exist\n", plain);
	return ERR_NOT_FOUND;
}

static bool is_below(const struct chosen *c, const struct folder *f)
{
	size_t len;

	if (c->below == NULL || name_same(f->name, c->below))
		return true;
	len = strlen(c->below);
	return strncmp(f->name, c->below, len) == 0 && separator_of(c, f) != '\0' &&
	       f->name[len] == separator_of(c, f);
}

enum err chosen_make(const struct options *o, const struct folder_set *source, struct arena *a,
    struct chosen **c_r, struct buf *reason)
{
	struct chosen *c = arena_array(a, 1, sizeof(*c));

	*c = (struct chosen){.options = o, .source = source};
	*c_r = c;
	enum err e = patterns_compile(&c->includes, "include", &o->includes, a, reason);
	if (e == ERR_OK)
		e = patterns_compile(&c->excludes, "exclude", &o->excludes, a, reason);
	return e == ERR_OK ? find_below(c, a, reason) : e;
}

void chosen_free(struct chosen *c)
{
	if (c == NULL)
		return;
	patterns_free(&c->includes);
	patterns_free(&c->excludes);
}

bool chosen_has(const struct chosen *c, const struct folder *f)
{
	const struct options *o = c->options;
	bool all = o->folders.count == 0 && o->trees.count == 0 && c->includes.count == 0;

	if (!f->selectable || !is_below(c, f) || patterns_match(&c->excludes, f->name))
		return false;
	return all || listed(&o->folders, f->name) || in_trees(c, &o->trees, f) ||
	       patterns_match(&c->includes, f->name);
}

const char *chosen_below(const struct chosen *c)
{
	return c->below;
}

static void say_missing(const struct chosen *c, const struct word_list *l)
{
	for (unsigned i = 0; i < l->count; i++) {
		const struct folder *found = NULL;
		for (unsigned k = 0; k < c->source->count && found == NULL; k++) {
			if (name_is(c->source->items[k].name, l->words[i]))
				found = &c->source->items[k];
		}
		if (found == NULL)
			out("Host1: folder [%s] does not exist, ignored", l->words[i]);
		else if (!is_below(c, found))
			out("Host1: folder [%s] is not below subfolder1 [%s], ignored", l->words[i],
			    c->below);
	}
}

static void say_unmatched(
    const struct chosen *c, const char *option, const struct patterns *all, const struct word_list *words)
{
	for (unsigned i = 0; i < all->count; i++) {
		struct patterns one = {.items = &all->items[i], .count = 1};
		bool any = false;
		for (unsigned k = 0; k < c->source->count && !any; k++)
			any = patterns_match(&one, c->source->items[k].name);
		if (!any)
			out("Host1: no folder matches %s [%s]", option, words->words[i]);
	}
}

static void say_not_renamed(const struct chosen *c, struct arena *a)
{
	const struct word_list *l = &c->options->renames;

	for (unsigned i = 0; i < l->count; i++) {
		const struct word_list one = {.words = &l->words[i], .count = 1};
		bool any = false;
		for (unsigned k = 0; k < c->source->count && !any; k++)
			any = folder_renamed_to(&one, c->source->items[k].name, a) != NULL;
		if (!any)
			out("Host1: no folder is called as f1f2 [%s] says, ignored", l->words[i]);
	}
}

void chosen_say_missing(const struct options *o, const struct folder_set *source, struct arena *a)
{
	AUTO_BUF struct buf reason = BUF_INIT;
	struct chosen *c = NULL;

	if (chosen_make(o, source, a, &c, &reason) == ERR_OK) {
		say_missing(c, &o->folders);
		say_missing(c, &o->trees);
		say_unmatched(c, "include", &c->includes, &o->includes);
		say_unmatched(c, "exclude", &c->excludes, &o->excludes);
		say_not_renamed(c, a);
	}
	chosen_free(c);
}
