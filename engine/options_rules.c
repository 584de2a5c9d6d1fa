#include "config.h"

#include "engine/options_rules.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "imap/search.h"
#include "lib/token.h"
#include "engine/identity.h"

static enum err refuse(struct buf *reason, const char *line)
{
	buf_adds(reason, line);
	return ERR_INVALID;
}

static enum err check_search(const struct options *o, struct buf *reason)
{
	const char *why = NULL;

	if (o->search == NULL)
		return ERR_OK;
	/* days may come before it */
	if (imap_search_check(o->search, &why) == ERR_OK && strlen(o->search) <= IMAP_SEARCH_MAX - 100)
		return ERR_OK;
	why = why == NULL ? "it is too long" : why;
	buf_addf(reason, "Value \"%s\" invalid for option search: %s\n", o->search, why);
	return ERR_INVALID;
}

/* A field name goes into the brackets of a FETCH. */
static enum err check_fields(const struct options *o, struct buf *reason)
{
	for (unsigned i = 0; i < o->identity_fields.count; i++) {
		const char *name = o->identity_fields.words[i];
		size_t len = strlen(name);
		bool good = len > 0 && len <= 100 && i < IDENTITY_FIELDS_MAX && strcasecmp(name, "ALL") != 0;
		for (size_t k = 0; k < len; k++)
			good = good && (isalnum((unsigned char)name[k]) || name[k] == '-');
		if (good)
			continue;
		buf_addf(
		    reason, "Value \"%s\" invalid for option useheader (the name of a header field)\n", name);
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err check_names(const struct options *o, struct buf *reason)
{
	for (unsigned side = 0; side < 2; side++) {
		const struct side_options *s = &o->side[side];
		if (s->separator != NULL &&
		    (strlen(s->separator) != 1 || strchr("\\\"*% ", s->separator[0]) != NULL ||
			!isprint((unsigned char)s->separator[0]))) {
			buf_addf(reason, "Value \"%s\" invalid for option sep%u (one character)\n",
			    s->separator, side + 1);
			return ERR_INVALID;
		}
		if (s->below != NULL && s->below[0] == '\0') {
			buf_addf(reason, "Option subfolder%u needs a folder\n", side + 1);
			return ERR_INVALID;
		}
	}
	return ERR_OK;
}

/* What is remembered of an earlier run was identified, chosen and paired as that run did it. */
static enum err check_state(const struct options *o, struct buf *reason)
{
	const struct {
		const char *name;
		bool given;
	} others[] = {
	    {"search", o->search != NULL},
	    {"maxage", o->max_age_days != 0},
	    {"minage", o->min_age_days != 0},
	    {"useheader", o->identity_fields.count > 0},
	    {"nosyncflags", !o->sync_flags},
	    {"delete2", o->delete2},
	};
	for (size_t i = 0; o->state != NULL && i < sizeof(others) / sizeof(others[0]); i++) {
		if (!others[i].given)
			continue;
		buf_addf(reason, "Option state can not go with option %s\n", others[i].name);
		return ERR_INVALID;
	}
	return ERR_OK;
}

/* What can not be meant together, so that nothing asked for is left out in silence. */
static enum err check_login(const struct options *o, struct buf *reason)
{
	for (unsigned n = 1; n <= 2; n++) {
		const struct side_options *s = &o->side[n - 1];
		bool oauth = s->mechanism == IMAP_AUTH_XOAUTH2 || s->mechanism == IMAP_AUTH_OAUTHBEARER;
		size_t start = reason->len;
		if (oauth && s->token_file == NULL)
			buf_addf(reason, "Option authmech%u %s needs option oauthaccesstoken%u\n", n,
			    imap_mechanism_name(s->mechanism), n);
		if (s->token_file != NULL && !oauth && s->mechanism != IMAP_AUTH_AUTOMATIC)
			buf_addf(reason,
			    "Option oauthaccesstoken%u can not go with authmech%u %s: it takes XOAUTH2 or "
			    "OAUTHBEARER\n",
			    n, n, imap_mechanism_name(s->mechanism));
		if (s->token_file != NULL && s->auth_user != NULL)
			buf_addf(reason,
			    "Option authuser%u can not go with oauthaccesstoken%u: the token tells who logs "
			    "in, user%u whose mailbox it is\n",
			    n, n, n);
		if (s->auth_user != NULL && s->mechanism == IMAP_AUTH_LOGIN)
			buf_addf(reason,
			    "Option authuser%u can not go with authmech%u LOGIN, which has no place for it: "
			    "take PLAIN or SCRAM-SHA-256, or what the server has for it in user%u "
			    "(Dovecot: user*master)\n",
			    n, n, n);
		if (s->auth_user != NULL && s->auth_user[0] == '\0')
			buf_addf(reason, "Option authuser%u needs a user\n", n);
		if (reason->len > start)
			return ERR_INVALID;
	}
	return ERR_OK;
}

enum err options_rules(struct options *o, struct buf *reason)
{
	uint8_t digest[TOKEN_HASH_BYTES];

	if (o->json && o->verify == VERIFY_OFF)
		return refuse(reason, "Option json needs option verify\n");
	if (o->delete2 && o->max_delete == 0 && !o->dry)
		return refuse(reason,
		    "Option delete2 needs option maxdelete: how many messages may be deleted "
		    "on host2 at most\n");
	if (o->delete_digest != NULL && !o->delete2)
		return refuse(reason, "Option deletedigest needs option delete2\n");
	if (o->delete_digest != NULL && token_unhex(o->delete_digest, digest, sizeof(digest)) != ERR_OK)
		return refuse(
		    reason, "Option deletedigest needs the 64 hexadecimal digits that a dry run printed\n");
	if (check_search(o, reason) != ERR_OK || check_fields(o, reason) != ERR_OK ||
	    check_login(o, reason) != ERR_OK || check_names(o, reason) != ERR_OK ||
	    check_state(o, reason) != ERR_OK)
		return ERR_INVALID;
	if (!o->sync_flags)
		o->resync_flags = false;
	/* as imapsync has it: under another folder nothing is special */
	if (o->side[0].below != NULL || o->side[1].below != NULL)
		o->automap = false;
	return ERR_OK;
}
