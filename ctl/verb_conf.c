#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

enum ctl_exit verb_conf(struct ctl *ctl, int count, char **words)
{
	AUTO_BUF struct buf why = BUF_INIT;

	if (count == 1 && strcmp(words[0], "sample") == 0) {
		conf_print_sample(stdout);
		return CTL_OK;
	}
	if (count != 1 || strcmp(words[0], "show") != 0) {
		ctl_complain("usage: mailconvoyctl conf sample|show");
		return CTL_USAGE;
	}
	if (conf_load(ctl->conf_path, &ctl->conf, &why) != ERR_OK) {
		ctl_complain("%s", why.data);
		return CTL_CONFIG;
	}
	conf_print(ctl->conf, stdout);
	return CTL_OK;
}
