#include "ctl/doctor.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl/sso_client.h"

static struct json_object *check(const char *path)
{
	struct json_object *asked = json_object_new_object(), *said;

	(void)json_object_object_add(asked, "check", json_object_new_boolean(true));
	said = sso_client_ask(path, asked);
	json_object_put(asked);
	return said;
}

void doctor_sso(const struct ctl *ctl)
{
	const char *path = ctl->conf->sso_socket, *error, *detail;
	struct json_object *said;
	struct stat st;

	if (path[0] == '\0' || (stat(path, &st) != 0 && errno == ENOENT)) {
		printf("  note     signing in from control panels on this machine is off: %s\n",
		    path[0] == '\0' ? "sso_socket is empty"
				    : "systemctl enable --now mailconvoy-sso.socket turns it on");
		return;
	}
	said = check(path);
	if (said == NULL) {
		doctor_bad("systemctl status mailconvoy-sso says more.", "nobody answers at %s: %s", path,
		    strerror(errno));
		return;
	}
	error = sso_client_word(said, "error");
	detail = sso_client_word(said, "detail");
	if (error != NULL && strcmp(error, "unavailable") == 0)
		doctor_bad("journalctl -u mailconvoy-sso says more.", "%s makes no sign-in links: %s", path,
		    detail != NULL ? detail : error);
	else if ((st.st_mode & 0666) != 0666)
		doctor_bad(
		    "Customers ask there as themselves: chmod 0666 it.", "%s is not open to everybody", path);
	else
		doctor_good("sign-in links for control panels from %s", path);
	json_object_put(said);
}
