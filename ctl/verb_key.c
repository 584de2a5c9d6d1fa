#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/vault.h"

enum ctl_exit ctl_key_generate(struct ctl *ctl)
{
	AUTO_BUF struct buf why = BUF_INIT;
	const struct conf *conf = ctl->conf;
	const struct passwd *worker;
	enum err e = vault_keygen(conf->private_key_file, conf->public_key_file, &why);

	if (e != ERR_OK) {
		ctl_complain("%s", why.len > 0 ? why.data : err_text(e));
		return e == ERR_CONFLICT ? CTL_CONFLICT : CTL_UNAVAILABLE;
	}
	/* Installed, the worker runs as a user of its own and alone may read the private key. */
	worker = geteuid() == 0 ? getpwnam("mailconvoy-worker") : NULL;
	if (worker != NULL && chown(conf->private_key_file, worker->pw_uid, (gid_t)-1) != 0) {
		ctl_complain(
		    "cannot give %s to mailconvoy-worker: %s", conf->private_key_file, strerror(errno));
		return CTL_UNAVAILABLE;
	}
	printf("Made %s and %s.\nKeep a copy of the first one somewhere safe: without it no stored password "
	       "can be opened.\n",
	    conf->private_key_file, conf->public_key_file);
	return CTL_OK;
}

enum ctl_exit verb_key(struct ctl *ctl, int count, char **words)
{
	if (count != 1 || strcmp(words[0], "generate") != 0) {
		ctl_complain("usage: mailconvoyctl key generate");
		return CTL_USAGE;
	}
	return ctl_key_generate(ctl);
}
