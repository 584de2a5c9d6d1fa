#include "fcgi/sso_local.h"

#include <string.h>

#include "fcgi/sso_make.h"
#include "fcgi/web.h"
#include "lib/log.h"
#include "sql/store_audit.h"
#include "sql/store_sso.h"

/* Whoever it is for, a member: administrators are made, and helped, by mailconvoyctl user. */
static const struct sso_issuer local = {
    .name = ISSUER_LOCAL, .may_create_account = true, .role_max = ROLE_MEMBER};

/*
 * What the user is called.  Its own account's user is called as it is; any other has the account's name in
 * front, with what stands in no user's name between: so nobody who is named for one account is in the way of
 * the system user of the same name.
 */
static const char *user_name(struct arena *a, const struct sso_ask *ask)
{
	if (ask->user == NULL || strcmp(ask->user, ask->account) == 0)
		return ask->account;
	return arena_printf(a, "%s/%s", ask->account, ask->user);
}

/* What is done stays done when the note cannot be written; that is logged. */
static void note(struct db *db, const struct sso_issued *issued, const char *action, const char *object,
    const char *detail)
{
	const struct audit entry = {.account_id = issued->account_id,
	    .address = "local socket",
	    .action = action,
	    .object = object,
	    .detail = detail};
	enum err e = store_audit_add(db, &entry);

	if (e != ERR_OK)
		log_warnx("audit: %s: %s", action, db_error(db));
}

static void note_all(struct db *db, struct arena *a, const struct sso_peer *peer, const struct sso_ask *ask,
    const struct sso_issued *issued)
{
	const char *who = arena_printf(a, "uid %u (%s)", peer->uid, peer->name[0] != '\0' ? peer->name : "?");
	const char *account = arena_printf(a, "account %llu", (unsigned long long)issued->account_id);
	const char *user = arena_printf(a, "user %llu", (unsigned long long)issued->user_id);

	if (issued->is_new_account)
		note(db, issued, "account_create", account, arena_printf(a, "%s, for %s", ask->account, who));
	if (issued->is_new_user)
		note(db, issued, "user_create", user, arena_printf(a, "%s, for %s", user_name(a, ask), who));
	note(db, issued, "sso_link", user,
	    ask->support != NULL ? arena_printf(a, "for %s, who is there as %s", who, ask->support)
				 : arena_printf(a, "for %s", who));
	log_info("a link for user %llu of account %llu, for %s", (unsigned long long)issued->user_id,
	    (unsigned long long)issued->account_id, who);
}

enum err sso_local_link(struct web *web, struct arena *a, const struct sso_peer *peer,
    const struct sso_ask *ask, const char **url_r, const char **why_r)
{
	const struct sso_wish wish = {.account = ask->account,
	    .user = user_name(a, ask),
	    .uid = ask->is_own ? &peer->uid : NULL,
	    .role = ROLE_MEMBER,
	    .return_to = ask->return_to,
	    .ttl_s = ask->ttl_s,
	    .support = ask->support};
	struct sso_issued issued;
	enum sso_refusal refusal;
	enum err e = web_db(web);

	if (e != ERR_OK)
		return e;
	e = sso_make(web, a, &local, &wish, &issued, url_r, &refusal);
	if (e == ERR_DENIED && refusal == SSO_NAME_OF_ANOTHER)
		*why_r = arena_printf(a,
		    "There is no link: the name %s belonged to another system user before. An administrator "
		    "can close that account (mailconvoyctl account close id:%s), or hand it over with all "
		    "that "
		    "is in it (mailconvoyctl account hand-over id:%s).",
		    ask->account, ask->account, ask->account);
	else if (e == ERR_INVALID || e == ERR_DENIED || e == ERR_NOT_FOUND || e == ERR_LIMIT)
		*why_r = arena_printf(a, "There is no link: %s.", sso_refusal_text(refusal));
	else if (e != ERR_OK)
		log_warnx("no link: %s: %s", err_text(e), db_error(web->db));
	if (e != ERR_OK)
		return e;
	note_all(web->db, a, peer, ask, &issued);
	return ERR_OK;
}

enum err sso_local_check(struct web *web, const char **why_r)
{
	enum err e = web_db(web);

	if (e != ERR_OK)
		*why_r = "The database cannot be used.";
	return e;
}
