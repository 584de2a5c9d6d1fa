#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/password.h"
#include "lib/token.h"
#include "sql/store_account.h"
#include "sql/store_second_factor.h"
#include "sql/store_user.h"
#include "sql/store_user_admin.h"

/* The account every installation has; administrators belong to it. */
static const char first_account[] = "Installation";

static enum err find_or_make_account(struct ctl *ctl, const char *name, uint64_t *id_r)
{
	struct account account;
	enum err e = store_account_by_name(ctl->db, ctl->a, name, &account);

	if (e == ERR_OK)
		*id_r = account.id;
	if (e != ERR_NOT_FOUND)
		return e;
	e = store_account_create(ctl->db, name, id_r);
	if (e == ERR_OK)
		ctl_audit(ctl, "account_create",
		    arena_printf(ctl->a, "account %llu", (unsigned long long)*id_r), name);
	return e;
}

static void note(struct ctl *ctl, const char *action, uint64_t id, const char *detail)
{
	ctl_audit(ctl, action, arena_printf(ctl->a, "user %llu", (unsigned long long)id), detail);
}

/* Why there is no such user now; account NULL: the first. */
static enum ctl_exit refuse_new(struct ctl *ctl, enum err e, const char *email, const char *account)
{
	if (e == ERR_CONFLICT) {
		ctl_complain("there is a user %s already", email);
		return CTL_CONFLICT;
	}
	if (e == ERR_NOT_FOUND) {
		ctl_complain("the account %s is closed: nobody signs in for it; name another",
		    account != NULL ? account : first_account);
		return CTL_CONFLICT;
	}
	if (e == ERR_INVALID) {
		ctl_complain("%s is not an e-mail address", email);
		return CTL_REFUSED;
	}
	return ctl_failed(ctl, email, e);
}

enum ctl_exit ctl_user_create(
    struct ctl *ctl, const char *email, bool is_admin, const char *account, const char *password)
{
	char hash[PASSWORD_HASH_MAX];
	enum role role = is_admin ? ROLE_ADMIN : ROLE_MEMBER;
	uint64_t account_id, id;
	enum err e = password_hash(password, hash);

	if (e == ERR_INVALID) {
		ctl_complain("the password is too short or too long, or has a line break");
		return CTL_REFUSED;
	}
	if (e == ERR_OK)
		e = find_or_make_account(ctl, account != NULL ? account : first_account, &account_id);
	if (e == ERR_OK)
		e = store_user_create(ctl->db, account_id, email, hash, role, &id);
	if (e != ERR_OK)
		return refuse_new(ctl, e, email, account);
	note(ctl, "user_create", id, arena_printf(ctl->a, "%s as %s", email, role_name(role)));
	return CTL_OK;
}

/* A link by which they choose their own password, printed this once. */
static enum ctl_exit print_link(struct ctl *ctl, uint64_t id, const char *email)
{
	char *token = arena_alloc(ctl->a, TOKEN_HEX_LEN + 1);
	unsigned char hash[TOKEN_HASH_BYTES];
	enum err e;

	token_new(token);
	token_hash(token, strlen(token), hash);
	e = store_user_link_create(ctl->db, &ctl_viewer, id, hash);
	if (e != ERR_OK)
		return ctl_failed(ctl, email, e);
	note(ctl, "user_link", id, email);
	printf("%s/welcome/%s\n", ctl->conf->base_url, token);
	return CTL_OK;
}

static enum ctl_exit invite(struct ctl *ctl, const char *email, bool is_admin, const char *account)
{
	enum role role = is_admin ? ROLE_ADMIN : ROLE_MEMBER;
	uint64_t account_id, id;
	enum err e = find_or_make_account(ctl, account != NULL ? account : first_account, &account_id);

	if (e == ERR_OK)
		e = store_user_invite(ctl->db, &ctl_viewer, account_id, email, role, &id);
	if (e != ERR_OK)
		return refuse_new(ctl, e, email, account);
	note(ctl, "user_invite", id, arena_printf(ctl->a, "%s as %s", email, role_name(role)));
	return print_link(ctl, id, email);
}

static enum ctl_exit user_add(struct ctl *ctl, bool is_invitation, int count, char **words)
{
	const char *email = NULL, *role = "member", *account = NULL;
	const char *password;
	enum ctl_exit code;

	for (int i = 0; i < count; i++) {
		if (strcmp(words[i], "--role") == 0 && i + 1 < count)
			role = words[++i];
		else if (strcmp(words[i], "--account") == 0 && i + 1 < count)
			account = words[++i];
		else if (words[i][0] != '-' && email == NULL)
			email = words[i];
		else
			email = "";
	}
	if (email == NULL || *email == '\0' || (strcmp(role, "admin") != 0 && strcmp(role, "member") != 0)) {
		ctl_complain("usage: mailconvoyctl user %s [--role admin|member] [--account NAME] EMAIL",
		    is_invitation ? "invite" : "add");
		return CTL_USAGE;
	}
	if (strcmp(role, "member") == 0 && account == NULL) {
		ctl_complain("a member belongs to a customer: name it with --account NAME");
		return CTL_USAGE;
	}
	code = ctl_connect(ctl, false);
	if (code != CTL_OK)
		return code;
	if (is_invitation)
		return invite(ctl, email, strcmp(role, "admin") == 0, account);
	password = ctl_ask_password(ctl, email);
	if (password == NULL)
		return CTL_REFUSED;
	code = ctl_user_create(ctl, email, strcmp(role, "admin") == 0, account, password);
	if (code == CTL_OK)
		printf("%s may sign in now.\n", email);
	return code;
}

static enum ctl_exit user_list(struct ctl *ctl)
{
	struct user *list;
	size_t count;
	enum ctl_exit code = ctl_connect(ctl, false);
	enum err e;

	if (code != CTL_OK)
		return code;
	e = store_user_list(ctl->db, ctl->a, 0, &list, &count);
	if (e != ERR_OK)
		return ctl_failed(ctl, "user list", e);
	for (size_t i = 0; i < count; i++)
		printf("%-40s %-7s %s%s%s%s\n", list[i].email, role_name(list[i].role), list[i].account_name,
		    list[i].disabled_at    ? "  (disabled)"
		    : list[i].has_password ? ""
					   : "  (invited)",
		    list[i].second_factor_at ? "  (second factor)" : "",
		    list[i].account_suspended_at ? "  (account suspended)" : "");
	return CTL_OK;
}

static enum ctl_exit refuse_last(const char *email)
{
	ctl_complain("%s is the last administrator; nothing was changed", email);
	return CTL_CONFLICT;
}

/* Connect, and whom the address is of; what is not CTL_OK was complained of. */
static enum ctl_exit find_user(struct ctl *ctl, const char *email, struct user *user_r)
{
	enum ctl_exit code = ctl_connect(ctl, false);
	enum err e;

	if (code != CTL_OK)
		return code;
	e = store_user_by_email(ctl->db, ctl->a, email, user_r);
	if (e == ERR_NOT_FOUND) {
		ctl_complain("there is no user %s", email);
		return CTL_REFUSED;
	}
	return e == ERR_OK ? CTL_OK : ctl_failed(ctl, email, e);
}

static enum ctl_exit user_role(struct ctl *ctl, const char *email, const char *role)
{
	bool is_admin = strcmp(role, "admin") == 0;
	struct user user;
	enum ctl_exit code;
	enum err e;

	if (!is_admin && strcmp(role, "member") != 0) {
		ctl_complain("a role is admin or member");
		return CTL_USAGE;
	}
	code = find_user(ctl, email, &user);
	if (code != CTL_OK)
		return code;
	e = store_user_set_role(ctl->db, &ctl_viewer, user.id, is_admin ? ROLE_ADMIN : ROLE_MEMBER);
	if (e == ERR_CONFLICT)
		return refuse_last(email);
	if (e != ERR_OK)
		return ctl_failed(ctl, email, e);
	note(ctl, "user_role", user.id, arena_printf(ctl->a, "%s: %s", user.email, role));
	printf(
	    "%s is %s now, and signed out everywhere.\n", email, is_admin ? "an administrator" : "a member");
	return CTL_OK;
}

static enum ctl_exit second_factor_off(struct ctl *ctl, const char *email)
{
	struct user user;
	enum ctl_exit code = find_user(ctl, email, &user);
	enum err e;

	if (code != CTL_OK)
		return code;
	e = store_second_factor_reset(ctl->db, &ctl_viewer, user.id);
	if (e == ERR_NOT_FOUND) {
		ctl_complain("%s has no second factor", email);
		return CTL_CONFLICT;
	}
	if (e != ERR_OK)
		return ctl_failed(ctl, email, e);
	note(ctl, "second_factor_off", user.id, user.email);
	printf("%s has no second factor any more: the password alone signs them in.\n", user.email);
	return CTL_OK;
}

/* passwd, link, disable and enable name one user. */
static enum ctl_exit user_change(struct ctl *ctl, const char *verb, const char *email)
{
	char hash[PASSWORD_HASH_MAX];
	struct user user;
	enum ctl_exit code = find_user(ctl, email, &user);
	enum err e;

	if (code != CTL_OK)
		return code;
	if (strcmp(verb, "passwd") == 0) {
		const char *password = ctl_ask_password(ctl, email);

		if (password == NULL)
			return CTL_REFUSED;
		e = password_hash(password, hash);
		if (e == ERR_OK)
			e = store_user_set_password(ctl->db, user.id, hash);
	} else if (strcmp(verb, "link") == 0) {
		return print_link(ctl, user.id, email);
	} else {
		e = store_user_admit(ctl->db, &ctl_viewer, user.id, strcmp(verb, "disable") == 0);
	}
	if (e == ERR_CONFLICT)
		return refuse_last(email);
	if (e == ERR_INVALID && strcmp(verb, "enable") == 0) {
		ctl_complain("%s is of the account %s, which is closed: nobody signs in for it", email,
		    user.account_name);
		return CTL_CONFLICT;
	}
	if (e != ERR_OK)
		return ctl_failed(ctl, email, e);
	note(ctl, strcmp(verb, "passwd") == 0 ? "user_password" : arena_printf(ctl->a, "user_%s", verb),
	    user.id, user.email);
	if (strcmp(verb, "passwd") == 0)
		printf("%s has a new password; every session of theirs has ended.\n", email);
	else
		printf("%s %s.\n", email,
		    strcmp(verb, "disable") == 0 ? "can no longer sign in" : "may sign in again");
	return CTL_OK;
}

enum ctl_exit verb_user(struct ctl *ctl, int count, char **words)
{
	static const char *const of_one[] = {"passwd", "link", "disable", "enable"};

	if (count >= 1 && (strcmp(words[0], "add") == 0 || strcmp(words[0], "invite") == 0))
		return user_add(ctl, words[0][0] == 'i', count - 1, words + 1);
	if (count == 1 && strcmp(words[0], "list") == 0)
		return user_list(ctl);
	if (count == 3 && strcmp(words[0], "role") == 0)
		return user_role(ctl, words[1], words[2]);
	if (count == 2 && strcmp(words[0], "second-factor-off") == 0)
		return second_factor_off(ctl, words[1]);
	for (size_t i = 0; count == 2 && i < sizeof(of_one) / sizeof(of_one[0]); i++)
		if (strcmp(words[0], of_one[i]) == 0)
			return user_change(ctl, words[0], words[1]);
	ctl_complain("usage: mailconvoyctl user add|invite [--role admin|member] [--account NAME] EMAIL\n"
		     "       mailconvoyctl user passwd|link|disable|enable|second-factor-off EMAIL\n"
		     "       mailconvoyctl user role EMAIL admin|member\n"
		     "       mailconvoyctl user list");
	return CTL_USAGE;
}
