#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "imap/command.h"
#include "lib/mem.h"

/* Longest folder name taken from a server. */
#define NAME_MAX_BYTES 4096

/* And of all of them together. */
#define NAMES_MAX_BYTES (32 * 1024 * 1024)

/* ---- LIST ---- */

enum found_by { BY_LIST, BY_LSUB, BY_STATUS };

struct found {
	struct imap_folder folder;
	size_t position;
	enum found_by by;
};

struct lister {
	struct imap_session *s;
	struct arena *arena;
	struct found *found;
	size_t count, cap;
	uint64_t name_bytes; /* of those kept */
	size_t unusable;
	bool lsub;
};

static const struct {
	const char *attribute;
	unsigned flag;
} attributes[] = {
    {"\\Noselect", IMAP_FOLDER_NOSELECT},
    {"\\NonExistent", IMAP_FOLDER_NOSELECT},
    {"\\Noinferiors", IMAP_FOLDER_NOINFERIORS},
    {"\\Subscribed", IMAP_FOLDER_SUBSCRIBED},
    {"\\All", IMAP_FOLDER_ALL},
    {"\\AllMail", IMAP_FOLDER_ALL}, /* XLIST's word for it */
    {"\\Archive", IMAP_FOLDER_ARCHIVE},
    {"\\Drafts", IMAP_FOLDER_DRAFTS},
    {"\\Flagged", IMAP_FOLDER_FLAGGED},
    {"\\Starred", IMAP_FOLDER_FLAGGED},
    {"\\Junk", IMAP_FOLDER_JUNK},
    {"\\Spam", IMAP_FOLDER_JUNK},
    {"\\Sent", IMAP_FOLDER_SENT},
    {"\\Trash", IMAP_FOLDER_TRASH},
    {"\\Important", IMAP_FOLDER_IMPORTANT},
};

static unsigned flags_of(const struct imap_node *list)
{
	unsigned flags = 0;

	if (list == NULL || list->type != IMAP_NODE_LIST)
		return 0;
	for (const struct imap_node *n = list->child; n != NULL; n = n->next)
		for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
			if (imap_node_is(n, attributes[i].attribute))
				flags |= attributes[i].flag;
	return flags;
}

static bool usable_name(const struct imap_node *n)
{
	const char *text = imap_node_text(n);

	return n != NULL && text != NULL && n->len > 0 && n->len <= NAME_MAX_BYTES && !n->cut &&
	       memchr(text, '\0', n->len) == NULL && strpbrk(text, "\r\n") == NULL;
}

/* NULL for a name that cannot be said in modified UTF-7. */
static struct found *add_found(struct lister *l, const char *told, enum found_by by)
{
	const char *name = imap_name_taken(l->s, l->arena, told);

	if (name == NULL)
		return NULL;
	if (l->count == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->found = mem_resize(l->found, l->cap, sizeof(*l->found));
	}
	struct found *f = &l->found[l->count];
	*f = (struct found){.position = l->count++, .by = by};
	l->name_bytes += strlen(name);
	f->folder.name = strcasecmp(name, "INBOX") == 0 ? "INBOX" : arena_strdup(l->arena, name);
	return f;
}

/* The rows of LIST-STATUS between those of LIST. */
static void on_counted(struct lister *l, const struct imap_response *resp)
{
	struct imap_status *status = arena_alloc(l->arena, sizeof(*status));
	struct imap_status_query q = {.status = status};

	*status = (struct imap_status){0};
	if (!usable_name(resp->nodes) || imap_on_status(&q, resp) != ERR_OK || !q.told)
		return;
	struct found *f = add_found(l, resp->nodes->bytes, BY_STATUS);
	if (f != NULL)
		f->folder.status = status;
}

static enum err on_list(void *ctx, const struct imap_response *resp)
{
	struct lister *l = ctx;
	const struct imap_node *delimiter, *name;
	bool counted = strcasecmp(resp->word, "STATUS") == 0;

	if (resp->numbered || (!counted && strcasecmp(resp->word, l->lsub ? "LSUB" : "LIST") != 0) ||
	    resp->nodes == NULL)
		return ERR_OK;
	if (l->count + l->unusable >= 2 * (size_t)IMAP_FOLDERS_MAX || l->name_bytes > NAMES_MAX_BYTES)
		return imap_session_fail(l->s, IMAP_LIMIT_EXCEEDED, "more folders than are accepted");
	if (counted) {
		on_counted(l, resp);
		return ERR_OK;
	}
	delimiter = resp->nodes->next;
	name = delimiter != NULL ? delimiter->next : NULL;
	struct found *added =
	    usable_name(name) ? add_found(l, name->bytes, l->lsub ? BY_LSUB : BY_LIST) : NULL;
	if (added == NULL) {
		l->unusable += !l->lsub;
		return ERR_OK;
	}
	struct imap_folder *f = &added->folder;
	const char *mark = imap_node_text(delimiter);
	f->delimiter = mark != NULL ? mark[0] : '\0';
	f->flags = l->lsub ? IMAP_FOLDER_SUBSCRIBED : flags_of(resp->nodes);
	return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int d = strcmp(x->folder.name, y->folder.name);

	if (d == 0)
		d = (int)x->by - (int)y->by;
	if (d == 0)
		d = x->position < y->position ? -1 : 1;
	return d;
}

static int by_position(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->position < y->position ? -1 : x->position > y->position;
}

static void add_told(struct imap_folder *f, const struct imap_folder *other)
{
	f->flags |= other->flags;
	if (other->status != NULL)
		f->status = other->status;
}

/* Each name LIST told once, subscribed ones marked; what only LSUB told need not exist. */
static void merge(struct lister *l, struct imap_folder_list *list_r)
{
	size_t kept = 0;

	if (l->count > 0)
		qsort(l->found, l->count, sizeof(*l->found), by_name);
	for (size_t i = 0; i < l->count; i++) {
		struct found *f = &l->found[i];
		if (kept > 0 && strcmp(l->found[kept - 1].folder.name, f->folder.name) == 0)
			add_told(&l->found[kept - 1].folder, &f->folder);
		else if (f->by == BY_LIST)
			l->found[kept++] = *f;
	}
	if (kept > 0)
		qsort(l->found, kept, sizeof(*l->found), by_position);
	*list_r = (struct imap_folder_list){.count = kept, .unusable = l->unusable};
	list_r->folders = arena_array(l->arena, kept > 0 ? kept : 1, sizeof(*list_r->folders));
	for (size_t i = 0; i < kept; i++)
		list_r->folders[i] = l->found[i].folder;
}

static enum err run_list(struct imap_session *s, const char *line, struct lister *l)
{
	struct imap_command c AUTO_COMMAND;
	struct imap_handler h = {.untagged = on_list, .ctx = l, .taken = &l->name_bytes};

	imap_command_init(&c, s, line);
	return imap_command_run(s, &c, &h);
}

const char *imap_count_items(const struct imap_session *s)
{
	return imap_session_can(s, "CONDSTORE") ? "MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ"
						: "MESSAGES UIDNEXT UIDVALIDITY";
}

/* LIST with all the server can tell beside the names. */
static enum err run_extended(struct imap_session *s, struct lister *l, bool counted)
{
	char line[160];

	snprintf(line, sizeof(line), "LIST \"\" \"*\" RETURN (SUBSCRIBED%s%s%s%s)",
	    imap_session_can(s, "SPECIAL-USE") ? " SPECIAL-USE" : "", counted ? " STATUS (" : "",
	    counted ? imap_count_items(s) : "", counted ? ")" : "");
	return run_list(s, line, l);
}

static enum err list_all(
    struct imap_session *s, struct arena *a, bool counted, struct imap_folder_list *list_r)
{
	struct lister l = {.s = s, .arena = a};
	enum err e = imap_session_ready(s);

	if (e != ERR_OK)
		return e;
	if (imap_session_can(s, "LIST-EXTENDED")) {
		e = run_extended(s, &l, counted && imap_session_can(s, "LIST-STATUS"));
	} else {
		e = run_list(s, "LIST \"\" \"*\"", &l);
		l.lsub = true;
		/* who cannot tell subscriptions still has folders */
		if (e == ERR_OK)
			e = run_list(s, "LSUB \"\" \"*\"", &l);
		if (e != ERR_OK && l.count > 0 && s->alive && s->failure.cause != IMAP_LIMIT_EXCEEDED)
			e = ERR_OK;
	}
	if (e == ERR_OK)
		merge(&l, list_r);
	free(l.found);
	if (e == ERR_OK && list_r->count > IMAP_FOLDERS_MAX)
		e = imap_session_fail(s, IMAP_LIMIT_EXCEEDED, "more folders than are accepted");
	return e;
}

enum err imap_list(struct imap_session *s, struct arena *a, struct imap_folder_list *list_r)
{
	return list_all(s, a, false, list_r);
}

enum err imap_list_counted(struct imap_session *s, struct arena *a, struct imap_folder_list *list_r)
{
	return list_all(s, a, true, list_r);
}

/* ---- NAMESPACE ---- */

struct namespace_query {
	const struct imap_session *s;
	struct arena *arena;
	struct imap_namespace *ns;
};

static enum err on_namespace(void *ctx, const struct imap_response *resp)
{
	struct namespace_query *q = ctx;
	const struct imap_node *first, *prefix;

	if (resp->numbered || strcasecmp(resp->word, "NAMESPACE") != 0 || resp->nodes == NULL)
		return ERR_OK;
	first = resp->nodes->child;
	prefix = first != NULL ? first->child : NULL;
	if (prefix == NULL || imap_node_text(prefix) == NULL)
		return ERR_OK;
	const char *mark = imap_node_text(prefix->next);
	const char *told = arena_strndup(q->arena, prefix->bytes, prefix->len);
	const char *taken = imap_name_taken(q->s, q->arena, told);
	q->ns->known = taken != NULL;
	q->ns->prefix = taken != NULL ? taken : "";
	q->ns->delimiter = mark != NULL ? mark[0] : '\0';
	return ERR_OK;
}

/* What a server refuses here is only something we then do without. */
static enum err optional(const struct imap_session *s, enum err e)
{
	return s->alive ? ERR_OK : e;
}

enum err imap_namespace(struct imap_session *s, struct arena *a, struct imap_namespace *ns_r)
{
	struct imap_command c AUTO_COMMAND;
	struct namespace_query q = {.s = s, .arena = a, .ns = ns_r};
	struct imap_handler h = {.untagged = on_namespace, .ctx = &q};

	*ns_r = (struct imap_namespace){.prefix = ""};
	imap_command_init(&c, s, "NAMESPACE");
	enum err e = imap_session_ready(s);
	if (e != ERR_OK || !imap_session_can(s, "NAMESPACE"))
		return e;
	return optional(s, imap_command_run(s, &c, &h));
}

/* ---- STATUS ---- */

/* Dovecot and others refuse a folder that is not there without a response code: only the words tell. */
enum err imap_explain_missing(struct imap_session *s, enum err e)
{
	static const char *const words[] = {
	    "doesn't exist", "does not exist", "not exist", "no such", "not found", "unknown mailbox"};

	for (size_t i = 0; s->failure.cause == IMAP_COMMAND_REFUSED && i < sizeof(words) / sizeof(words[0]);
	     i++)
		if (strcasestr(s->failure.text, words[i]) != NULL) {
			s->failure.cause = IMAP_NO_SUCH_FOLDER;
			s->failure.err = e = imap_cause_err(IMAP_NO_SUCH_FOLDER);
		}
	return e;
}

enum err imap_on_status(void *ctx, const struct imap_response *resp)
{
	struct imap_status_query *q = ctx;
	const struct imap_node *items;
	uint64_t n;

	if (resp->numbered || strcasecmp(resp->word, "STATUS") != 0 || resp->nodes == NULL)
		return ERR_OK;
	items = resp->nodes->next;
	if (items == NULL || items->type != IMAP_NODE_LIST)
		return ERR_OK;
	q->told = true;
	for (const struct imap_node *k = items->child; k != NULL && k->next != NULL; k = k->next->next) {
		if (!imap_node_number(k->next, UINT64_MAX, &n))
			continue;
		if (imap_node_is(k, "SIZE")) {
			q->status->size_bytes = n;
			q->status->size_known = true;
			continue;
		}
		if (imap_node_is(k, "HIGHESTMODSEQ")) {
			q->status->modseq = n > INT64_MAX ? 0 : n;
			continue;
		}
		uint32_t small = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
		if (imap_node_is(k, "MESSAGES"))
			q->status->messages = small;
		else if (imap_node_is(k, "UIDNEXT"))
			q->status->uidnext = small;
		else if (imap_node_is(k, "UIDVALIDITY"))
			q->status->uidvalidity = small;
		else if (imap_node_is(k, "UNSEEN"))
			q->status->unseen = small;
	}
	return ERR_OK;
}

enum err imap_status(struct imap_session *s, const char *folder, struct imap_status *st_r)
{
	struct imap_command c AUTO_COMMAND;
	struct imap_status_query q = {.status = st_r};
	struct imap_handler h = {.untagged = imap_on_status, .ctx = &q};

	*st_r = (struct imap_status){0};
	imap_command_init(&c, s, "STATUS");
	imap_command_folder(&c, s, folder);
	imap_command_add(&c, " (MESSAGES UIDNEXT UIDVALIDITY UNSEEN%s)",
	    imap_session_can(s, "STATUS=SIZE") ? " SIZE" : "");
	enum err e = imap_session_ready(s);
	if (e == ERR_OK)
		e = imap_command_run(s, &c, &h);
	if (e == ERR_OK && !q.told)
		e = imap_session_fail(s, IMAP_PROTOCOL_ERROR, "no STATUS came");
	return e == ERR_OK ? ERR_OK : imap_explain_missing(s, e);
}

/* ---- SELECT, CREATE, SUBSCRIBE ---- */

void imap_on_selected(void *ctx, const struct imap_response *resp)
{
	struct imap_session *s = ctx;

	s->selected = true;
	if (strcmp(resp->code, "READ-ONLY") == 0)
		s->mailbox.read_only = true;
	else if (strcmp(resp->code, "READ-WRITE") == 0)
		s->mailbox.read_only = false;
}

enum err imap_select_send(struct imap_session *s, const char *folder, bool read_only)
{
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, read_only ? "EXAMINE" : "SELECT");
	imap_command_folder(&c, s, folder);
	enum err e = imap_session_ready(s);
	if (e != ERR_OK)
		return e;
	s->selected = false;
	s->mailbox = (struct imap_mailbox){.read_only = read_only};
	e = imap_command_send(s, &c, false);
	if (e == ERR_OK)
		s->selecting = c.tag;
	return e;
}

enum err imap_select_wait(struct imap_session *s, struct imap_mailbox *m_r)
{
	struct imap_handler h = {.ok = imap_on_selected, .ctx = s};
	unsigned tag = s->selecting;

	s->selecting = 0;
	if (!s->alive)
		return imap_session_ready(s);
	if (tag == 0)
		return imap_session_fail(s, IMAP_INTERNAL, "no SELECT is under way");
	enum err e = imap_command_wait(s, tag, &h);
	if (e != ERR_OK)
		return imap_explain_missing(s, e);
	*m_r = s->mailbox;
	return ERR_OK;
}

enum err imap_select(struct imap_session *s, const char *folder, bool read_only, struct imap_mailbox *m_r)
{
	enum err e = imap_select_send(s, folder, read_only);

	return e == ERR_OK ? imap_select_wait(s, m_r) : e;
}

static enum err on_folder(struct imap_session *s, const char *verb, const char *folder)
{
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, verb);
	imap_command_folder(&c, s, folder);
	enum err e = imap_session_ready(s);
	return e == ERR_OK ? imap_command_run(s, &c, NULL) : e;
}

enum err imap_create(struct imap_session *s, const char *folder)
{
	return on_folder(s, "CREATE", folder);
}

enum err imap_subscribe(struct imap_session *s, const char *folder)
{
	return on_folder(s, "SUBSCRIBE", folder);
}

/* ---- QUOTA ---- */

static enum err on_quota(void *ctx, const struct imap_response *resp)
{
	struct imap_quota *q = ctx;
	const struct imap_node *items;

	if (resp->numbered || strcasecmp(resp->word, "QUOTA") != 0 || resp->nodes == NULL || q->known)
		return ERR_OK;
	items = resp->nodes->next;
	if (items == NULL || items->type != IMAP_NODE_LIST)
		return ERR_OK;
	for (const struct imap_node *n = items->child; n != NULL; n = n->next) {
		uint64_t used, limit;
		if (imap_node_is(n, "STORAGE") && n->next != NULL &&
		    imap_node_number(n->next, UINT64_MAX / 1024, &used) &&
		    imap_node_number(n->next->next, UINT64_MAX / 1024, &limit))
			*q = (struct imap_quota){
			    .known = true, .used_bytes = used * 1024, .limit_bytes = limit * 1024};
	}
	return ERR_OK;
}

enum err imap_quota(struct imap_session *s, const char *folder, struct imap_quota *q_r)
{
	struct imap_command c AUTO_COMMAND;
	struct imap_handler h = {.untagged = on_quota, .ctx = q_r};

	*q_r = (struct imap_quota){0};
	imap_command_init(&c, s, "GETQUOTAROOT");
	imap_command_folder(&c, s, folder);
	enum err e = imap_session_ready(s);
	if (e != ERR_OK || !imap_session_can(s, "QUOTA"))
		return e;
	e = imap_command_run(s, &c, &h);
	return e == ERR_INVALID ? e : optional(s, e);
}
