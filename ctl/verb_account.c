#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/origin.h"
#include "lib/parse.h"
#include "sql/store_account.h"

static void print_names(struct ctl *ctl, const char *lines)
{
	char *copy = arena_strdup(ctl->a, lines), *save = NULL;

	for (char *one = strtok_r(copy, "\n", &save); one != NULL; one = strtok_r(NULL, "\n", &save))
		printf("  [%s]", one);
}

static enum ctl_exit account_list(struct ctl *ctl)
{
	struct account *list;
	size_t count;
	enum err e = store_account_list(ctl->db, ctl->a, &list, &count);

	if (e != ERR_OK)
		return ctl_failed(ctl, "account list", e);
	for (size_t i = 0; i < count; i++) {
		printf("%-30s %llu users, %llu running", list[i].name, (unsigned long long)list[i].users,
		    (unsigned long long)list[i].running);
		if (list[i].max_running > 0)
			printf(" of %lld", (long long)list[i].max_running);
		printf(", %llu queued", (unsigned long long)list[i].queued);
		if (list[i].max_queued >= 0)
			printf(" of %lld", (long long)list[i].max_queued);
		if (list[i].max_daily >= 0)
			printf(", %llu of %lld made today", (unsigned long long)list[i].made_today,
			    (long long)list[i].max_daily);
		if (list[i].notify_email != NULL)
			printf(", mails to %s", list[i].notify_email);
		if (list[i].may_delete2)
			printf(", may delete on destinations");
		if (list[i].external_ids != NULL)
			print_names(ctl, list[i].external_ids);
		puts(list[i].closed_at ? "  (closed)" : list[i].suspended_at ? "  (suspended)" : "");
	}
	return CTL_OK;
}

/* A number, or "none". */
static bool read_limit(const char *text, int64_t *limit_r)
{
	if (strcmp(text, "none") != 0)
		return parse_i64(text, 0, ACCOUNT_LIMIT_MAX, limit_r) == ERR_OK;
	*limit_r = -1;
	return true;
}

/* The same, but that none at all is no limit: that is what suspending is for. */
static bool read_running(const char *text, int64_t *limit_r)
{
	if (strcmp(text, "none") != 0)
		return parse_i64(text, 1, ACCOUNT_LIMIT_MAX, limit_r) == ERR_OK;
	*limit_r = 0;
	return true;
}

static void read_hosts(struct ctl *ctl, const char *text, struct account_fields *f)
{
	char *copy = arena_strdup(ctl->a, strcmp(text, "none") == 0 ? "" : text), *save = NULL;
	const char **list = arena_array(ctl->a, strlen(text) / 2 + 1, sizeof(*list));

	f->host_count = 0;
	for (char *one = strtok_r(copy, ", ", &save); one != NULL; one = strtok_r(NULL, ", ", &save))
		list[f->host_count++] = one;
	f->hosts = list;
}

/* "none", or origins with commas between. */
static bool read_panels(struct ctl *ctl, const char *text, struct account_fields *f)
{
	AUTO_BUF struct buf list = BUF_INIT;

	if (origin_list_add(&list, strcmp(text, "none") == 0 ? NULL : text) != ERR_OK)
		return false;
	f->panel_origins = list.len > 0 ? arena_strdup(ctl->a, list.data) : NULL;
	return true;
}

/* "none", or an address. */
static bool read_address(const char *text, struct account_fields *f)
{
	f->notify_email = strcmp(text, "none") == 0 ? NULL : text;
	return f->notify_email == NULL || parse_is_email(text);
}

/* "yes" or "no". */
static bool read_may_delete2(struct ctl *ctl, const char *text, struct account_fields *f)
{
	bool *may = arena_alloc(ctl->a, sizeof(*may));

	*may = strcmp(text, "yes") == 0;
	f->may_delete2 = may;
	return *may || strcmp(text, "no") == 0;
}

/* --external-id, --running, --queued, --daily, --hosts, --panels, --notify-email, --delete2, each with a
 * value. */
static bool read_options(
    struct ctl *ctl, const char *issuer, int count, char **words, struct account_fields *f)
{
	for (int i = 0; i < count; i += 2) {
		const char *value = words[i + 1];

		if (value == NULL)
			return false;
		if (strcmp(words[i], "--external-id") == 0) {
			f->issuer = issuer;
			f->external_id = strcmp(value, "none") == 0 ? NULL : value;
		} else if (strcmp(words[i], "--hosts") == 0)
			read_hosts(ctl, value, f);
		else if (strcmp(words[i], "--running") == 0        ? !read_running(value, &f->max_running)
			 : strcmp(words[i], "--queued") == 0       ? !read_limit(value, &f->max_queued)
			 : strcmp(words[i], "--daily") == 0        ? !read_limit(value, &f->max_daily)
			 : strcmp(words[i], "--panels") == 0       ? !read_panels(ctl, value, f)
			 : strcmp(words[i], "--notify-email") == 0 ? !read_address(value, f)
			 : strcmp(words[i], "--delete2") == 0      ? !read_may_delete2(ctl, value, f)
								   : true)
			return false;
	}
	return true;
}

static enum ctl_exit save(struct ctl *ctl, uint64_t id, const struct account_fields *f, const char *action)
{
	enum err e = store_account_save(ctl->db, &ctl_viewer, &id, f);

	if (e == ERR_CONFLICT) {
		ctl_complain("there is an account of this name or external id already");
		return CTL_CONFLICT;
	}
	if (e != ERR_OK)
		return ctl_failed(ctl, f->name, e);
	ctl_audit(ctl, action, arena_printf(ctl->a, "account %llu", (unsigned long long)id), f->name);
	if (f->may_delete2 != NULL)
		ctl_audit(ctl, *f->may_delete2 ? "account_delete2_allow" : "account_delete2_forbid",
		    arena_printf(ctl->a, "account %llu", (unsigned long long)id), f->name);
	return CTL_OK;
}

/* name: the account's, or "id:" and the issuer's name for it. */
static enum ctl_exit find(struct ctl *ctl, const char *issuer, const char *name, struct account *x)
{
	enum err e = strncmp(name, "id:", 3) == 0
			 ? store_account_by_external(ctl->db, ctl->a, issuer, name + 3, x)
			 : store_account_by_name(ctl->db, ctl->a, name, x);

	if (e == ERR_NOT_FOUND) {
		ctl_complain("there is no account “%s”", name);
		return CTL_REFUSED;
	}
	return e == ERR_OK ? CTL_OK : ctl_failed(ctl, name, e);
}

static enum ctl_exit close_account(struct ctl *ctl, const struct account *x)
{
	enum err e = store_account_close(ctl->db, &ctl_viewer, x->id);

	if (e != ERR_OK)
		return ctl_failed(ctl, x->name, e);
	if (x->closed_at == 0)
		ctl_audit(ctl, "account_close",
		    arena_printf(ctl->a, "account %llu", (unsigned long long)x->id), x->name);
	printf("%s is closed: nobody can sign in for it, and nothing of it runs or waits.\n", x->name);
	return CTL_OK;
}

static enum ctl_exit hand_over(struct ctl *ctl, const struct account *x)
{
	const char *object = arena_printf(ctl->a, "account %llu", (unsigned long long)x->id);
	int64_t uid;
	enum err e = store_account_hand_over(ctl->db, &ctl_viewer, x->id, &uid);

	if (e == ERR_NOT_FOUND) {
		ctl_complain("“%s” is closed, or no system user’s: see mailconvoyctl account list", x->name);
		return CTL_REFUSED;
	}
	if (e != ERR_OK)
		return ctl_failed(ctl, x->name, e);
	ctl_audit(ctl, "account_hand_over", object,
	    uid < 0 ? x->name : arena_printf(ctl->a, "%s, uid %lld before", x->name, (long long)uid));
	printf("%s goes to the next system user of its name who asks for a link, with all its jobs.\n"
	       "Its users are signed out; their passwords and the account’s tokens still work: see\n"
	       "mailconvoyctl user list and token list.\n",
	    x->name);
	return CTL_OK;
}

static enum ctl_exit change(
    struct ctl *ctl, const char *issuer, const char *verb, const char *name, int count, char **words)
{
	bool suspended = strcmp(verb, "suspend") == 0;
	struct account_fields f;
	struct account x;
	enum ctl_exit code = find(ctl, issuer, name, &x);
	enum err e = ERR_OK;

	if (code != CTL_OK)
		return code;
	if (strcmp(verb, "limit") == 0) {
		f = (struct account_fields){.name = x.name,
		    .max_running = x.max_running,
		    .max_queued = x.max_queued,
		    .max_daily = x.max_daily,
		    .panel_origins = x.panel_origins,
		    .notify_email = x.notify_email};
		e = store_account_hosts(ctl->db, ctl->a, x.id, &f.hosts, &f.host_count);
		if (e == ERR_OK && !read_options(ctl, issuer, count, words, &f))
			return CTL_USAGE;
		return e == ERR_OK ? save(ctl, x.id, &f, "account_update") : ctl_failed(ctl, name, e);
	}
	if (strcmp(verb, "close") == 0)
		return close_account(ctl, &x);
	if (strcmp(verb, "hand-over") == 0)
		return hand_over(ctl, &x);
	e = store_account_suspend(ctl->db, &ctl_viewer, x.id, suspended);
	if (e != ERR_OK)
		return ctl_failed(ctl, name, e);
	ctl_audit(ctl, suspended ? "account_suspend" : "account_resume",
	    arena_printf(ctl->a, "account %llu", (unsigned long long)x.id), x.name);
	printf("%s is %s.\n", name,
	    suspended ? "suspended: what runs is stopped, what is queued waits" : "resumed");
	return CTL_OK;
}

static enum ctl_exit usage(void)
{
	ctl_complain("usage: mailconvoyctl account add NAME [OPTIONS]\n"
		     "       mailconvoyctl account limit NAME OPTIONS\n"
		     "       mailconvoyctl account suspend|resume|close|hand-over NAME\n"
		     "       mailconvoyctl account list\n"
		     "options: --running N|none, --queued N|none, --daily N|none, --hosts NAME,…|none, "
		     "--external-id ID|none,\n"
		     "         --panels https://HOST:PORT,…|none, --notify-email ADDRESS|none,\n"
		     "         --delete2 yes|no\n"
		     "NAME may be id: and the external id, but for add; whose: --issuer ISSUER (“local”)");
	return CTL_USAGE;
}

/* Takes "--issuer NAME" out of the words; "local" without.  NULL: it is none. */
static const char *take_issuer(int *count, char **words)
{
	const char *issuer = ISSUER_LOCAL;
	int kept = 0;

	for (int i = 0; i < *count; i++) {
		if (strcmp(words[i], "--issuer") != 0)
			words[kept++] = words[i];
		else if (!external_issuer_fits(issuer = words[++i]))
			return NULL;
	}
	words[kept] = NULL;
	*count = kept;
	return issuer;
}

enum ctl_exit verb_account(struct ctl *ctl, int count, char **words)
{
	const char *issuer = take_issuer(&count, words);
	struct account_fields f = {.max_queued = -1, .max_daily = -1};
	bool is_list = count == 1 && strcmp(words[0], "list") == 0;
	bool is_add = count >= 2 && strcmp(words[0], "add") == 0;
	bool is_limit = count >= 4 && strcmp(words[0], "limit") == 0;
	bool is_state =
	    count == 2 && (strcmp(words[0], "suspend") == 0 || strcmp(words[0], "resume") == 0 ||
			      strcmp(words[0], "close") == 0 || strcmp(words[0], "hand-over") == 0);
	enum ctl_exit code;

	if (issuer == NULL || (!is_list && !is_add && !is_limit && !is_state))
		return usage();
	f.name = is_list ? NULL : words[1];
	if (is_add && !read_options(ctl, issuer, count - 2, words + 2, &f))
		return usage();
	code = ctl_connect(ctl, false);
	if (code != CTL_OK)
		return code;
	if (is_list)
		return account_list(ctl);
	if (is_add)
		return save(ctl, 0, &f, "account_create");
	code = change(ctl, issuer, words[0], words[1], count - 2, words + 2);
	return code == CTL_USAGE ? usage() : code;
}
