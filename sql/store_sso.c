#include "sql/store_sso.h"

#include <string.h>

#include "lib/parse.h"
#include "lib/token.h"
#include "sql/admin.h"
#include "sql/store_account.h"
#include "sql/store_user_admin.h"
#include "sql/tx.h"

enum {
	SUPPORT_MAX_CHARS = 100,
	LOCAL_PART_MAX_BYTES = 64,
	SUFFIX_BYTES = 4,
	EMAIL_MAX_BYTES = 254,
	ACCOUNT_NAME_MAX_CHARS = 100
};

const char *sso_refusal_text(enum sso_refusal why)
{
	switch (why) {
	case SSO_BAD_ACCOUNT: return "an account’s external id is missing or too long";
	case SSO_BAD_USER: return "a user’s external id is missing or too long";
	case SSO_BAD_EMAIL: return "that is no e-mail address";
	case SSO_BAD_RETURN: return "the path to return to is none of our pages’";
	case SSO_BAD_TTL: return "a link works for 1 to 120 seconds";
	case SSO_NO_ACCOUNT: return "there is no such account";
	case SSO_NAME_OF_ANOTHER: return "this name belonged to another system user before";
	case SSO_USER_ELSEWHERE: return "that user belongs to another account";
	case SSO_USER_DISABLED: return "that user is disabled";
	case SSO_USER_IS_ADMIN: return "that user is an administrator, and the link would be for a member";
	case SSO_USER_IS_NO_ADMIN: return "there is no such administrator, and a link makes none";
	case SSO_MANY_USERS: return "the account has as many users as links may make: 1,000";
	case SSO_MAY_NOT: return "who asks may not sign anybody in";
	default: return "";
	}
}

static bool is_given(const char *s)
{
	return s != NULL && s[0] != '\0';
}

bool sso_return_fits(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/";
	size_t len = strspn(path, plain), root = strlen("/migration");
	const char *rest = path + len;

	if (strlen(path) > SSO_RETURN_MAX_BYTES || (*rest != '\0' && *rest != '?' && *rest != '#'))
		return false;
	for (const char *p = rest; *p != '\0'; p++)
		if (*p <= 0x20 || *p > 0x7E || *p == '\\')
			return false;
	if (len == 1)
		return path[0] == '/';
	if (len < root || strncmp(path, "/migration", root) != 0 || (len > root && path[root] != '/'))
		return false;
	/* "/.", at whose end a part begins, is none of ours either */
	for (size_t i = 0; i + 1 < len; i++)
		if (path[i] == '/' && (path[i + 1] == '/' || path[i + 1] == '.'))
			return false;
	return true;
}

struct issuing {
	const struct sso_issuer *by;
	const struct sso_wish *wish;
	const uint8_t *hash;
	struct sso_issued made;
	enum sso_refusal why;
};

static enum err refuse(struct issuing *s, enum err e, enum sso_refusal why)
{
	s->why = why;
	return e;
}

/* By what the database says now, as admin_check(). */
static enum err check_actor(struct db *db, struct arena *a, struct issuing *s)
{
	const struct sso_issuer *by = s->by;
	struct db_rows rows;
	enum err e;

	if (by->user_id == 0)
		return ERR_OK;
	if (by->account_id == 0)
		e = admin_check(db, &(struct viewer){.user_id = by->user_id, .role = ROLE_ADMIN});
	else
		e = db_query_one(db, a,
		    "SELECT id FROM user WHERE id = ? AND (account_id = ? OR role = 'admin')"
		    " AND disabled_at IS NULL",
		    DB_ARGS(db_p_u64(by->user_id), db_p_u64(by->account_id)), &rows);
	return e == ERR_NOT_FOUND || e == ERR_DENIED ? refuse(s, ERR_DENIED, SSO_MAY_NOT) : e;
}

/* A name that is still free: the wished one, with the issuer's, or with something nobody else has. */
static enum err create_account(struct db *db, struct arena *a, struct issuing *s)
{
	const struct sso_wish *w = s->wish;
	const char *name =
	    text_clean(a, is_given(w->account_name) ? w->account_name : w->account, ACCOUNT_NAME_MAX_CHARS);
	const char *cut = text_clean(a, name, ACCOUNT_NAME_MAX_CHARS - ISSUER_MAX_BYTES - 4 * SUFFIX_BYTES);
	unsigned char some[SUFFIX_BYTES];
	char hex[2 * SUFFIX_BYTES + 1];
	enum err e = store_account_create(db, name, &s->made.account_id);

	if (e == ERR_CONFLICT)
		e = store_account_create(
		    db, arena_printf(a, "%s (%s)", cut, s->by->name), &s->made.account_id);
	if (e == ERR_CONFLICT) {
		token_random(some, sizeof(some));
		token_hex(some, sizeof(some), hex);
		e = store_account_create(
		    db, arena_printf(a, "%s (%s %s)", cut, s->by->name, hex), &s->made.account_id);
	}
	if (e == ERR_OK)
		e = store_external_set(
		    db, EXTERNAL_ACCOUNT, s->made.account_id, s->by->name, s->wish->account);
	s->made.is_new_account = true;
	/* somebody made it this moment: look again */
	return e == ERR_CONFLICT ? ERR_BUSY : e;
}

static enum err find_account(struct db *db, struct arena *a, struct issuing *s)
{
	const struct sso_issuer *by = s->by;
	uint64_t id = by->account_id;
	struct db_rows rows;
	enum err e = ERR_OK;

	if (is_given(s->wish->account))
		e = store_external_find(db, EXTERNAL_ACCOUNT, by->name, s->wish->account, &id);
	if (e == ERR_NOT_FOUND && by->may_create_account && by->account_id == 0)
		return create_account(db, a, s);
	if (e == ERR_OK && by->account_id != 0 && id != by->account_id)
		e = ERR_NOT_FOUND;
	/* locked, so that it is not closed while a user is made for it */
	if (e == ERR_OK)
		e = db_query_one(db, a,
		    "SELECT id FROM account WHERE id = ? AND closed_at IS NULL LOCK IN SHARE MODE",
		    DB_ARGS(db_p_u64(id)), &rows);
	s->made.account_id = id;
	return e == ERR_NOT_FOUND ? refuse(s, e, SSO_NO_ACCOUNT) : e;
}

/* Below "invalid" (RFC 2606) there is no mail: an address that tells people who it is, and reaches nobody. */
static const char *nowhere(struct arena *a, const struct issuing *s, bool is_taken)
{
	const char *id = s->wish->user;
	size_t len = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-._");
	unsigned char some[SUFFIX_BYTES];
	char hex[2 * SUFFIX_BYTES + 1];

	if (!is_taken && len <= LOCAL_PART_MAX_BYTES && id[len] == '\0')
		return arena_printf(a, "%s@%s.invalid", id, s->by->name);
	token_random(some, sizeof(some));
	token_hex(some, sizeof(some), hex);
	if (len > LOCAL_PART_MAX_BYTES / 2)
		len = LOCAL_PART_MAX_BYTES / 2;
	return arena_printf(
	    a, "%s-%s@%s.invalid", len > 0 ? arena_strndup(a, id, len) : "user", hex, s->by->name);
}

/* Whose token leaks, or runs wild, fills one account and not the disk. */
static enum err check_room(struct db *db, struct arena *a, struct issuing *s)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a, "SELECT COUNT(*) FROM user WHERE account_id = ?",
	    DB_ARGS(db_p_u64(s->made.account_id)), &rows);

	return e == ERR_OK && db_u64(&rows, 0, 0) >= SSO_USERS_MAX ? refuse(s, ERR_LIMIT, SSO_MANY_USERS) : e;
}

static enum err create_user(struct db *db, struct arena *a, struct issuing *s)
{
	const struct sso_wish *w = s->wish;
	uint64_t account = s->made.account_id, *id = &s->made.user_id;
	bool has_email = is_given(w->email) && s->by->may_give_email;
	enum err e = check_room(db, a, s);

	if (e != ERR_OK)
		return e;
	e = ERR_CONFLICT;
	/* an address that somebody has is theirs: it is neither taken from them, nor are they signed in by it
	 */
	if (has_email)
		e = store_user_create(db, account, w->email, USER_NO_PASSWORD, ROLE_MEMBER, id);
	if (e == ERR_INVALID)
		return refuse(s, e, SSO_BAD_EMAIL);
	for (unsigned taken = 0; e == ERR_CONFLICT && taken < 2; taken++) {
		has_email = false;
		e = store_user_create(
		    db, account, nowhere(a, s, taken != 0), USER_NO_PASSWORD, ROLE_MEMBER, id);
	}
	if (e == ERR_OK && !has_email)
		e = db_exec(db, "UPDATE user SET mail_on_done = FALSE, mail_on_failed = FALSE WHERE id = ?",
		    DB_ARGS(db_p_u64(*id)), NULL);
	if (e == ERR_OK)
		e = store_external_set(db, EXTERNAL_USER, *id, s->by->name, w->user);
	s->made.is_new_user = true;
	return e == ERR_CONFLICT ? ERR_BUSY : e;
}

/* After find_account(), which has locked it. */
static enum err bind_name(struct db *db, struct issuing *s)
{
	const struct sso_wish *w = s->wish;
	enum err e =
	    w->uid != NULL ? store_external_bind(db, s->made.account_id, w->account, *w->uid) : ERR_OK;

	return e == ERR_DENIED ? refuse(s, e, SSO_NAME_OF_ANOTHER) : e;
}

static enum err find_user(struct db *db, struct arena *a, struct issuing *s)
{
	struct user u;
	enum err e = store_external_find(db, EXTERNAL_USER, s->by->name, s->wish->user, &s->made.user_id);

	if (e == ERR_NOT_FOUND && s->wish->role == ROLE_ADMIN)
		return refuse(s, ERR_DENIED, SSO_USER_IS_NO_ADMIN);
	if (e == ERR_NOT_FOUND)
		return create_user(db, a, s);
	if (e == ERR_OK)
		e = store_user_get(db, a, s->made.user_id, &u);
	if (e != ERR_OK)
		return e;
	if (u.account_id != s->made.account_id)
		return refuse(s, ERR_DENIED, SSO_USER_ELSEWHERE);
	if (u.disabled_at != 0)
		return refuse(s, ERR_DENIED, SSO_USER_DISABLED);
	if (u.role == ROLE_ADMIN && (s->wish->role != ROLE_ADMIN || s->by->role_max != ROLE_ADMIN))
		return refuse(s, ERR_DENIED, SSO_USER_IS_ADMIN);
	if (u.role != ROLE_ADMIN && s->wish->role == ROLE_ADMIN)
		return refuse(s, ERR_DENIED, SSO_USER_IS_NO_ADMIN);
	return ERR_OK;
}

static enum err add_link(struct db *db, struct arena *a, struct issuing *s)
{
	const struct sso_wish *w = s->wish;
	struct db_param key = db_p_blob(s->hash, SSO_HASH_BYTES);
	struct db_rows rows;
	enum err e = db_exec(db,
	    "INSERT INTO sso_link (id_hash, user_id, issuer, token_id, role, return_to, support, created_at, "
	    "expires_at)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? SECOND)",
	    DB_ARGS(key, db_p_u64(s->made.user_id), db_p_str(s->by->name), db_p_id(s->by->token_id),
		db_p_str(role_name(w->role)),
		db_p_str(is_given(w->return_to) ? w->return_to : SSO_RETURN_DEFAULT),
		db_p_str(is_given(w->support) ? text_clean(a, w->support, SUPPORT_MAX_CHARS) : NULL),
		db_p_u64(w->ttl_s != 0 ? w->ttl_s : SSO_TTL_S)),
	    NULL);

	if (e == ERR_OK)
		e = db_query_one(
		    db, a, "SELECT expires_at FROM sso_link WHERE id_hash = ?", DB_ARGS(key), &rows);
	if (e == ERR_OK)
		s->made.expires_at = db_time_s(&rows, 0, 0);
	return e;
}

static enum err issue(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct issuing *s = ctx;
	enum err e;

	s->made = (struct sso_issued){0};
	s->why = SSO_GRANTED;
	e = check_actor(db, a, s);
	if (e == ERR_OK)
		e = find_account(db, a, s);
	if (e == ERR_OK)
		e = bind_name(db, s);
	if (e == ERR_OK)
		e = find_user(db, a, s);
	return e == ERR_OK ? add_link(db, a, s) : e;
}

static enum sso_refusal check_wish(const struct sso_issuer *by, const struct sso_wish *w)
{
	if (is_given(w->account) ? !external_id_fits(w->account) : by->account_id == 0)
		return SSO_BAD_ACCOUNT;
	if (!external_id_fits(w->user))
		return SSO_BAD_USER;
	if (is_given(w->email) && (strlen(w->email) > EMAIL_MAX_BYTES || !parse_is_email(w->email)))
		return SSO_BAD_EMAIL;
	if (is_given(w->return_to) && !sso_return_fits(w->return_to))
		return SSO_BAD_RETURN;
	return w->ttl_s > SSO_TTL_MAX_S ? SSO_BAD_TTL : SSO_GRANTED;
}

enum err store_sso_issue(struct db *db, const struct sso_issuer *by, const struct sso_wish *wish,
    const uint8_t hash[SSO_HASH_BYTES], struct sso_issued *issued_r, enum sso_refusal *why_r)
{
	struct issuing s = {.by = by, .wish = wish, .hash = hash};
	enum err e;

	*why_r = SSO_MAY_NOT;
	if (!external_issuer_fits(by->name) || (by->token_id != 0 && strcmp(by->name, ISSUER_LOCAL) == 0))
		return ERR_DENIED;
	*why_r = check_wish(by, wish);
	if (*why_r != SSO_GRANTED)
		return ERR_INVALID;
	e = tx_run(db, issue, &s);
	*why_r = s.why;
	if (e == ERR_OK)
		*issued_r = s.made;
	return e;
}
