#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/secretbox.h"
#include "lib/vault.h"
#include "sql/store_second_factor.h"

/*
 * Installed, worker and web run as users of their own, each of whom alone may read a key: one that root made,
 * or brought back from a backup, becomes theirs.
 */
static enum ctl_exit give_to(const char *user, const char *path)
{
	const struct passwd *pw = geteuid() == 0 ? getpwnam(user) : NULL;
	struct stat st;

	if (pw == NULL || lstat(path, &st) != 0 || st.st_uid != 0 || !S_ISREG(st.st_mode))
		return CTL_OK;
	if (lchown(path, pw->pw_uid, (gid_t)-1) != 0) {
		ctl_complain("cannot give %s to %s: %s", path, user, strerror(errno));
		return CTL_UNAVAILABLE;
	}
	printf("%s belongs to %s now.\n", path, user);
	return CTL_OK;
}

static enum ctl_exit make_pair(const struct ctl *ctl, struct buf *why)
{
	const struct conf *conf = ctl->conf;
	enum err e = vault_keygen(conf->private_key_file, conf->public_key_file, why);

	if (e != ERR_OK) {
		ctl_complain("%s", why->len > 0 ? why->data : err_text(e));
		return CTL_UNAVAILABLE;
	}
	printf("Made %s and %s.\nKeep a copy of the first one somewhere safe: without it no stored password "
	       "can be opened.\n",
	    conf->private_key_file, conf->public_key_file);
	return CTL_OK;
}

/* Half a backup came back: the public key follows from the private one. */
static enum ctl_exit make_public(const struct ctl *ctl, struct buf *why)
{
	struct vault_private_key *key = NULL;
	enum err e = vault_private_load(ctl->conf->private_key_file, &key, why);

	if (e == ERR_OK)
		e = vault_public_write(key, ctl->conf->public_key_file, why);
	vault_private_free(&key);
	if (e != ERR_OK) {
		ctl_complain("%s", why->len > 0 ? why->data : err_text(e));
		return CTL_UNAVAILABLE;
	}
	printf("Made %s, the public key of %s.\n", ctl->conf->public_key_file, ctl->conf->private_key_file);
	return CTL_OK;
}

enum ctl_exit ctl_key_generate(struct ctl *ctl)
{
	AUTO_BUF struct buf why = BUF_INIT;
	const struct conf *conf = ctl->conf;
	bool has_private = access(conf->private_key_file, F_OK) == 0;
	bool has_public = access(conf->public_key_file, F_OK) == 0;
	enum ctl_exit code = CTL_CONFLICT, given;

	if (!has_private && has_public) {
		ctl_complain(
		    "there is %s, but not its private key: bring %s back from your backup.  If it is "
		    "lost, so are the stored passwords: remove the former and run this again",
		    conf->public_key_file, conf->private_key_file);
		return CTL_CONFLICT;
	}
	if (!has_private)
		code = make_pair(ctl, &why);
	else if (!has_public)
		code = make_public(ctl, &why);
	given = give_to(CTL_WORKER_USER, conf->private_key_file);
	return code == CTL_OK || (code == CTL_CONFLICT && given != CTL_OK) ? given : code;
}

static enum ctl_exit make_second_factor_key(struct ctl *ctl, const char *path)
{
	static const uint8_t none[SECOND_FACTOR_KEY_ID_BYTES];
	AUTO_BUF struct buf why = BUF_INIT;
	unsigned count = 0, other;
	enum err e = store_second_factor_count(ctl->db, none, &count, &other);

	if (e != ERR_OK)
		return ctl_failed(ctl, "cannot count the second factors", e);
	if (count > 0) {
		ctl_complain(
		    "there are second factors, but not their key: bring %s back from your backup.  If it is "
		    "lost, so are they: mailconvoyctl user second-factor-off EMAIL for each user that "
		    "mailconvoyctl user list marks, and run this again",
		    path);
		return CTL_CONFLICT;
	}
	e = secretbox_keygen(path, &why);
	if (e != ERR_OK) {
		ctl_complain("%s", why.len > 0 ? why.data : err_text(e));
		return CTL_UNAVAILABLE;
	}
	printf("Made %s.\nKeep a copy of it, too: without it no second factor can be checked.\n", path);
	return CTL_OK;
}

enum ctl_exit ctl_key_second_factor(struct ctl *ctl)
{
	const char *path = ctl->conf->second_factor_key_file;
	enum ctl_exit code = access(path, F_OK) == 0 ? CTL_CONFLICT : make_second_factor_key(ctl, path);
	enum ctl_exit given = give_to(CTL_WEB_USER, path);

	return given != CTL_OK ? given : code;
}

static enum ctl_exit generate(struct ctl *ctl)
{
	enum ctl_exit code = ctl_key_generate(ctl);

	if (code == CTL_CONFLICT && access(ctl->conf->private_key_file, F_OK) == 0)
		ctl_complain(
		    "%s and its public key are there and are not overwritten", ctl->conf->private_key_file);
	return code;
}

static enum ctl_exit second_factor(struct ctl *ctl)
{
	enum ctl_exit code = ctl_connect(ctl, false);

	if (code == CTL_OK)
		code = ctl_key_second_factor(ctl);
	if (code == CTL_CONFLICT && access(ctl->conf->second_factor_key_file, F_OK) == 0)
		ctl_complain("%s is there and is not overwritten", ctl->conf->second_factor_key_file);
	return code;
}

enum ctl_exit verb_key(struct ctl *ctl, int count, char **words)
{
	if (count == 1 && strcmp(words[0], "generate") == 0)
		return generate(ctl);
	if (count == 1 && strcmp(words[0], "second-factor") == 0)
		return second_factor(ctl);
	ctl_complain("usage: mailconvoyctl key generate|second-factor");
	return CTL_USAGE;
}
