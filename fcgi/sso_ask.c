#include "fcgi/sso_ask.h"

#include <string.h>

#include "fcgi/request.h"
#include "lib/parse.h"

static enum err refuse(const char **why_r, const char *why)
{
	*why_r = why;
	return ERR_INVALID;
}

static enum err take(struct sso_ask *ask, const char *name, const char *value, const char **why_r)
{
	uint64_t n;

	if (strcmp(name, "account") == 0) {
		ask->account = value;
		return sso_name_ok(value) ? ERR_OK : refuse(why_r, "account: that cannot be a name.");
	}
	if (strcmp(name, "user") == 0) {
		ask->user = value;
		return sso_name_ok(value) ? ERR_OK : refuse(why_r, "user: that cannot be a name.");
	}
	if (strcmp(name, "support") == 0) {
		ask->support = value;
		return value[strspn(value, " ")] != '\0' ? ERR_OK
							 : refuse(why_r, "support: name who that is.");
	}
	if (strcmp(name, "return_to") == 0) {
		ask->return_to = value;
		return ERR_OK;
	}
	if (strcmp(name, "ttl") == 0) {
		if (parse_u64(value, 1, SSO_TTL_MAX_S, &n) != ERR_OK)
			return refuse(why_r, "ttl: a number of seconds from 1 to 120.");
		ask->ttl_s = (unsigned)n;
		return ERR_OK;
	}
	if (strcmp(name, "check") == 0) {
		ask->is_check = strcmp(value, "1") == 0;
		return ERR_OK;
	}
	return refuse(why_r, "There is something in the request that nobody knows here.");
}

enum err sso_ask_read(
    struct arena *a, const char *line, size_t len, struct sso_ask *ask_r, const char **why_r)
{
	struct params ps = {0};
	enum err e = params_parse_json(&ps, a, line, len);

	*ask_r = (struct sso_ask){.ttl_s = SSO_TTL_S};
	if (e == ERR_INVALID || e == ERR_TOO_BIG)
		return refuse(why_r, "The request is not one line of JSON: a flat object.");
	for (unsigned i = 0; e == ERR_OK && i < ps.count; i++)
		e = take(ask_r, ps.list[i].name, ps.list[i].value, why_r);
	return e;
}

enum err sso_ask_judge(const struct sso_peer *peer, struct sso_ask *ask, const char **why_r)
{
	bool names = ask->account != NULL || ask->user != NULL || ask->support != NULL || ask->is_check;

	if (names && !peer->may_name) {
		*why_r = "Only root, and users listed in sso_trusted_users, may name an account or a user. "
			 "Leave that out: the link is for your own.";
		return ERR_DENIED;
	}
	if (ask->account == NULL && !ask->is_check) {
		if (!peer->is_person)
			return refuse(why_r, "Name the account: you have none of your own.");
		ask->account = peer->name;
		ask->is_own = true;
	}
	/* a program that runs as root for a customer asks as that customer; this is a person, or stands for
	 * one */
	if (peer->uid == 0 && !ask->is_check && ask->support == NULL)
		ask->support = "root";
	return ERR_OK;
}
