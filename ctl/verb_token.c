#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/parse.h"
#include "lib/token.h"
#include "sql/store_token.h"
#include "sql/store_user.h"

static enum ctl_exit usage(void)
{
	ctl_complain(
	    "usage: mailconvoyctl token create --user EMAIL --scopes SCOPE,… [--installation] [--days N]\n"
	    "                                  [--networks NETWORK,…] [--issuer ISSUER] NAME\n"
	    "       mailconvoyctl token revoke ID\n"
	    "       mailconvoyctl token list\n"
	    "scopes: jobs:read, jobs:write, servers:write, sso:create; of the installation's also "
	    "accounts:write");
	return CTL_USAGE;
}

static bool read_scopes(struct ctl *ctl, const char *text, unsigned *mask_r)
{
	char *copy = arena_strdup(ctl->a, text);

	for (char *p = copy; *p != '\0'; p++)
		if (*p == ',')
			*p = ' ';
	return scope_parse(copy, mask_r) == ERR_OK;
}

static bool read_create(
    struct ctl *ctl, int count, char **words, struct api_token_fields *f, const char **email_r)
{
	uint64_t days = 0;

	for (int i = 0; i < count; i++) {
		const char *word = words[i], *value = words[i + 1];

		if (strcmp(word, "--installation") == 0) {
			f->is_installation = true;
		} else if (word[0] != '-') {
			if (f->name != NULL)
				return false;
			f->name = word;
		} else if (value == NULL) {
			return false;
		} else {
			i++;
			if (strcmp(word, "--user") == 0)
				*email_r = value;
			else if (strcmp(word, "--networks") == 0)
				f->networks = value;
			else if (strcmp(word, "--issuer") == 0)
				f->issuer = value;
			else if (strcmp(word, "--scopes") == 0 ? !read_scopes(ctl, value, &f->scopes)
				 : strcmp(word, "--days") == 0
				     ? parse_u64(value, 1, TOKEN_DAYS_MAX, &days) != ERR_OK
				     : true)
				return false;
		}
	}
	f->days = (unsigned)days;
	return f->name != NULL && f->scopes != 0 && *email_r != NULL;
}

static enum ctl_exit create(struct ctl *ctl, int count, char **words)
{
	char *text = arena_alloc(ctl->a, strlen(API_TOKEN_PREFIX) + TOKEN_HEX_LEN + 1);
	struct api_token_fields f = {0};
	unsigned char hash[TOKEN_HASH_BYTES];
	const char *email = NULL;
	struct viewer v;
	struct user u;
	uint64_t id;
	enum ctl_exit code;
	enum err e;

	if (!read_create(ctl, count, words, &f, &email))
		return usage();
	code = ctl_connect(ctl, false);
	if (code != CTL_OK)
		return code;
	e = store_user_by_email(ctl->db, ctl->a, email, &u);
	if (e == ERR_NOT_FOUND) {
		ctl_complain("there is no user %s", email);
		return CTL_REFUSED;
	}
	if (e != ERR_OK)
		return ctl_failed(ctl, email, e);
	memcpy(text, API_TOKEN_PREFIX, strlen(API_TOKEN_PREFIX));
	token_new(text + strlen(API_TOKEN_PREFIX));
	token_hash(text, strlen(text), hash);
	v = (struct viewer){.user_id = u.id, .account_id = u.account_id, .role = u.role};
	e = store_token_create(ctl->db, &v, &f, hash, &id);
	if (e == ERR_DENIED || e == ERR_INVALID) {
		ctl_complain("%s",
		    e == ERR_INVALID
			? "the name is too long, one of the networks is none, or the issuer may not be chosen"
			: "--installation and --issuer need an administrator, accounts:write needs "
			  "--installation");
		return CTL_REFUSED;
	}
	if (e != ERR_OK)
		return ctl_failed(ctl, f.name, e);
	ctl_audit(ctl, "token_create", arena_printf(ctl->a, "token %llu", (unsigned long long)id),
	    arena_printf(ctl->a, "%s for %s: %s", f.name, email, scope_list(ctl->a, f.scopes)));
	puts(text);
	return CTL_OK;
}

static enum ctl_exit token_list(struct ctl *ctl)
{
	struct api_token *list;
	size_t count;
	enum ctl_exit code = ctl_connect(ctl, false);
	enum err e;

	if (code != CTL_OK)
		return code;
	e = store_token_list(ctl->db, ctl->a, &ctl_viewer, &list, &count);
	if (e != ERR_OK)
		return ctl_failed(ctl, "token list", e);
	for (size_t i = 0; i < count; i++)
		printf("%5llu  %-30s %s, %s, %s, issuer %s%s%s\n", (unsigned long long)list[i].id,
		    list[i].name, list[i].email != NULL ? list[i].email : "nobody",
		    list[i].is_installation ? "installation" : list[i].account_name,
		    scope_list(ctl->a, list[i].scopes), list[i].issuer,
		    list[i].revoked_at ? "  (revoked)" : "", list[i].is_expired ? "  (expired)" : "");
	return CTL_OK;
}

static enum ctl_exit revoke(struct ctl *ctl, const char *word)
{
	enum ctl_exit code;
	uint64_t id;
	enum err e;

	if (parse_u64(word, 1, INT64_MAX, &id) != ERR_OK)
		return usage();
	code = ctl_connect(ctl, false);
	if (code != CTL_OK)
		return code;
	e = store_token_revoke(ctl->db, &ctl_viewer, id);
	if (e == ERR_NOT_FOUND) {
		ctl_complain("there is no token %s that works", word);
		return CTL_REFUSED;
	}
	if (e != ERR_OK)
		return ctl_failed(ctl, word, e);
	ctl_audit(ctl, "token_revoke", arena_printf(ctl->a, "token %s", word), NULL);
	printf("Token %s works no more.\n", word);
	return CTL_OK;
}

enum ctl_exit verb_token(struct ctl *ctl, int count, char **words)
{
	if (count >= 1 && strcmp(words[0], "create") == 0)
		return create(ctl, count - 1, words + 1);
	if (count == 2 && strcmp(words[0], "revoke") == 0)
		return revoke(ctl, words[1]);
	if (count == 1 && strcmp(words[0], "list") == 0)
		return token_list(ctl);
	return usage();
}
