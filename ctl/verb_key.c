#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/vault.h"

/*
 * Installed, the worker runs as a user of its own and alone may read the private key: one that root made, or
 * brought back from a backup, becomes the worker's.
 */
static enum ctl_exit give_to_worker(const struct ctl *ctl)
{
	const char *path = ctl->conf->private_key_file;
	const struct passwd *worker = geteuid() == 0 ? getpwnam(CTL_WORKER_USER) : NULL;
	struct stat st;

	if (worker == NULL || lstat(path, &st) != 0 || st.st_uid != 0 || !S_ISREG(st.st_mode))
		return CTL_OK;
	if (lchown(path, worker->pw_uid, (gid_t)-1) != 0) {
		ctl_complain("cannot give %s to " CTL_WORKER_USER ": %s", path, strerror(errno));
		return CTL_UNAVAILABLE;
	}
	printf("%s belongs to " CTL_WORKER_USER " now.\n", path);
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
	given = give_to_worker(ctl);
	return code == CTL_OK || (code == CTL_CONFLICT && given != CTL_OK) ? given : code;
}

enum ctl_exit verb_key(struct ctl *ctl, int count, char **words)
{
	enum ctl_exit code;

	if (count != 1 || strcmp(words[0], "generate") != 0) {
		ctl_complain("usage: mailconvoyctl key generate");
		return CTL_USAGE;
	}
	code = ctl_key_generate(ctl);
	if (code == CTL_CONFLICT && access(ctl->conf->private_key_file, F_OK) == 0)
		ctl_complain(
		    "%s and its public key are there and are not overwritten", ctl->conf->private_key_file);
	return code;
}
