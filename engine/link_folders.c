#include "config.h"

#include "engine/link.h"

#include "engine/names.h"
#include "engine/output.h"

static enum special_use special_of(unsigned flags)
{
	static const struct {
		unsigned flag;
		enum special_use use;
	} uses[] = {
	    {IMAP_FOLDER_ALL, SPECIAL_ALL},
	    {IMAP_FOLDER_ARCHIVE, SPECIAL_ARCHIVE},
	    {IMAP_FOLDER_DRAFTS, SPECIAL_DRAFTS},
	    {IMAP_FOLDER_FLAGGED, SPECIAL_FLAGGED},
	    {IMAP_FOLDER_JUNK, SPECIAL_JUNK},
	    {IMAP_FOLDER_SENT, SPECIAL_SENT},
	    {IMAP_FOLDER_TRASH, SPECIAL_TRASH},
	};
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		if ((flags & uses[i].flag) != 0)
			return uses[i].use;
	}
	return SPECIAL_NONE;
}

static void fill_set(const struct imap_folder_list *list, const struct imap_namespace *ns,
    const struct side_options *o, struct arena *a, struct folder_set *set)
{
	*set = (struct folder_set){.items = arena_array(a, list->count, sizeof(*set->items)), .prefix = ""};
	for (size_t i = 0; i < list->count; i++) {
		const struct imap_folder *f = &list->folders[i];
		set->items[set->count++] = (struct folder){
		    .name = f->name,
		    .separator = f->delimiter,
		    .special = special_of(f->flags),
		    .selectable = (f->flags & IMAP_FOLDER_NOSELECT) == 0,
		    .subscribed = (f->flags & IMAP_FOLDER_SUBSCRIBED) != 0,
		    .status = f->status,
		};
		if (set->separator == '\0')
			set->separator = f->delimiter;
	}
	if (ns->known) {
		set->prefix = ns->prefix;
		if (ns->delimiter != '\0')
			set->separator = ns->delimiter;
	}
	if (o->prefix != NULL)
		set->prefix = name_raw(o->prefix, a);
	if (o->separator != NULL)
		set->separator = o->separator[0];
	for (unsigned i = 0; i < set->count && o->separator != NULL; i++)
		set->items[i].separator = o->separator[0];
}

enum err link_folders(struct link *l, struct arena *a, bool counted, struct folder_set *set_r)
{
	struct imap_namespace ns = {0};
	struct imap_folder_list list = {0};
	for (;;) {
		enum err e = l->session == NULL ? ERR_CLOSED : imap_namespace(l->session, a, &ns);
		if (e == ERR_OK)
			e = counted ? imap_list_counted(l->session, a, &list)
				    : imap_list(l->session, a, &list);
		if (e == ERR_OK) {
			if (list.unusable > 0)
				out("%s: %zu folders have names no command can carry; they are left out",
				    link_name(l), list.unusable);
			fill_set(&list, &ns, l->options, a, set_r);
			link_worked(l);
			return ERR_OK;
		}
		e = link_again(l, e);
		if (e != ERR_OK)
			return e;
	}
}
