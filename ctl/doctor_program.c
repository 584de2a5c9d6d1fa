#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/doctor.h"

bool doctor_on_path(const char *name, char *found, size_t size)
{
	const char *dir = getenv("PATH");

	while (dir != NULL && *dir != '\0') {
		size_t len = strcspn(dir, ":");

		(void)snprintf(found, size, "%.*s/%s", (int)len, dir, name);
		if (len > 0 && access(found, X_OK) == 0)
			return true;
		dir += len + (dir[len] == ':');
	}
	return false;
}

/*
 * Only the worker starts programs, so the version is read where imapsync, a script, carries it: in the line
 * "# $Id: imapsync,v 2.229 2022/09/14 ..." at its top.  "" if it is not there.
 */
static void read_version(const char *path, char *version, size_t size)
{
	static const char mark[] = "imapsync,v ";
	char line[256];
	FILE *f = fopen(path, "re");

	*version = '\0';
	for (int i = 0; f != NULL && i < 20 && fgets(line, sizeof(line), f) != NULL; i++) {
		const char *at = strstr(line, mark);

		if (at == NULL)
			continue;
		at += sizeof(mark) - 1;
		(void)snprintf(version, size, "%.*s", (int)strspn(at, "0123456789."), at);
		break;
	}
	if (f != NULL)
		(void)fclose(f);
}

static void praise_program(const char *path)
{
	const char *slash = strrchr(path, '/');
	char version[32];

	if (strcmp(slash ? slash + 1 : path, "mailconvoy-sync") == 0)
		(void)snprintf(version, sizeof(version), "%s", PACKAGE_VERSION);
	else
		read_version(path, version, sizeof(version));
	doctor_good("sync program %s, version %s", path,
	    *version ? version : "unknown: the worker's log and every job name it");
}

void doctor_program(const struct ctl *ctl)
{
	const struct conf *conf = ctl->conf;
	char found[4096];

	if (conf->sync_program[0] != '\0') {
		if (access(conf->sync_program, X_OK) == 0)
			praise_program(conf->sync_program);
		else
			doctor_bad("Install it, or empty sync_program to use the built-in engine.",
			    "%s cannot be run: %s", conf->sync_program, strerror(errno));
	} else if (doctor_on_path("imapsync", found, sizeof(found))) {
		praise_program(found);
	} else if (access(conf->engine_program, X_OK) == 0) {
		praise_program(conf->engine_program);
	} else {
		doctor_bad("Install imapsync or set engine_program.",
		    "there is neither imapsync on PATH nor %s", conf->engine_program);
	}
	if (strcmp(conf->verify, "off") != 0 && access(conf->engine_program, X_OK) != 0)
		doctor_bad("Set engine_program, or verify = \"off\".",
		    "runs cannot be verified: %s cannot be run: %s", conf->engine_program, strerror(errno));
}
