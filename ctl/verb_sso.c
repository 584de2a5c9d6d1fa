/*
 * A link that signs somebody in, from the local socket.  For every user of the machine: the database is not
 * used, and a configuration that is not theirs to read is not needed.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/sso_client.h"
#include "lib/parse.h"

enum { TTL_MAX_S = 120 };

struct wish {
	const char *socket, *account, *user, *return_to, *support;
	uint64_t ttl_s; /* 0: as mailconvoy-web has it */
	bool is_local, as_json;
};

static const struct {
	const char *word;
	enum ctl_exit code;
} codes[] = {
    {"refused", CTL_REFUSED},
    {"denied", CTL_DENIED},
    {"busy", CTL_TRY_LATER},
    {"unavailable", CTL_UNAVAILABLE},
};

static enum ctl_exit usage(void)
{
	ctl_complain(
	    "usage: mailconvoyctl sso-link --local [--account ID] [--user NAME] [--return-to PATH]\n"
	    "       [--support NAME] [--ttl SECONDS] [--socket PATH] [--json]\n"
	    "Who asks is signed in to the account of their own system user; only root, and users listed in\n"
	    "sso_trusted_users, may name another. From other machines: POST /api/v1/sso-links.");
	return CTL_USAGE;
}

static bool read_words(struct wish *w, int count, char **words)
{
	for (int i = 0; i < count; i++) {
		const char *value = words[i + 1]; /* NULL behind the last */

		if (strcmp(words[i], "--local") == 0) {
			w->is_local = true;
			continue;
		}
		if (strcmp(words[i], "--json") == 0) {
			w->as_json = true;
			continue;
		}
		if (value == NULL)
			return false;
		if (strcmp(words[i], "--account") == 0)
			w->account = value;
		else if (strcmp(words[i], "--user") == 0)
			w->user = value;
		else if (strcmp(words[i], "--support") == 0)
			w->support = value;
		else if (strcmp(words[i], "--return-to") == 0)
			w->return_to = value;
		else if (strcmp(words[i], "--socket") == 0)
			w->socket = value;
		else if (strcmp(words[i], "--ttl") != 0 ||
			 parse_u64(value, 1, TTL_MAX_S, &w->ttl_s) != ERR_OK)
			return false;
		i++;
	}
	return w->is_local;
}

/*
 * Where to ask.  A configuration that is named must be there; the installed one may be closed to who asks,
 * and the socket is where it is compiled to be then.
 */
static enum ctl_exit find_socket(struct ctl *ctl, struct wish *w)
{
	AUTO_BUF struct buf why = BUF_INIT;

	if (w->socket != NULL)
		return CTL_OK;
	if (conf_load(ctl->conf_path, &ctl->conf, &why) != ERR_OK) {
		w->socket = conf_default_sso_socket;
		if (ctl->conf_path == conf_default_path)
			return CTL_OK;
		ctl_complain("%s", why.data);
		return CTL_CONFIG;
	}
	w->socket = ctl->conf->sso_socket;
	if (w->socket[0] != '\0')
		return CTL_OK;
	ctl_complain("sso_socket is empty in %s: signing in from this machine is off", ctl->conf_path);
	return CTL_UNAVAILABLE;
}

static void add(struct json_object *o, const char *name, const char *value)
{
	if (value != NULL)
		(void)json_object_object_add(o, name, json_object_new_string(value));
}

static struct json_object *ask(const struct wish *w)
{
	struct json_object *asked = json_object_new_object(), *said;

	add(asked, "account", w->account);
	add(asked, "user", w->user);
	add(asked, "support", w->support);
	add(asked, "return_to", w->return_to);
	if (w->ttl_s > 0)
		(void)json_object_object_add(asked, "ttl", json_object_new_int64((int64_t)w->ttl_s));
	said = sso_client_ask(w->socket, asked);
	json_object_put(asked);
	return said;
}

static enum ctl_exit tell(const struct wish *w, struct json_object *said)
{
	const char *url = sso_client_word(said, "url");
	const char *error = sso_client_word(said, "error"), *detail = sso_client_word(said, "detail");

	if (url != NULL) {
		puts(w->as_json ? json_object_to_json_string_ext(
				      said, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)
				: url);
		return CTL_OK;
	}
	ctl_complain("no link: %s", detail != NULL ? detail : "the answer cannot be understood");
	for (size_t i = 0; error != NULL && i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(error, codes[i].word) == 0)
			return codes[i].code;
	return CTL_UNAVAILABLE;
}

enum ctl_exit verb_sso_link(struct ctl *ctl, int count, char **words)
{
	struct wish w = {0};
	struct json_object *said;
	enum ctl_exit code;

	if (!read_words(&w, count, words))
		return usage();
	code = find_socket(ctl, &w);
	if (code != CTL_OK)
		return code;
	said = ask(&w);
	if (said == NULL) {
		ctl_complain("nobody answers at %s: %s%s", w.socket, strerror(errno),
		    errno == ENOENT || errno == ECONNREFUSED
			? ". The administrator turns it on: systemctl enable --now mailconvoy-sso.socket"
			: "");
		return CTL_UNAVAILABLE;
	}
	code = tell(&w, said);
	json_object_put(said);
	return code;
}
