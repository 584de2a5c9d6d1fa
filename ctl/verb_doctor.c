#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/vault.h"
#include "sql/migrate.h"
#include "sql/store_check.h"
#include "sql/store_queue.h"
#include "sql/store_user.h"
#include "sql/store_worker.h"

enum { DISK_FREE_MIN_MIB = 1024, WORKER_SILENT_MAX_MS = 60000 };

static unsigned problems;

static void good(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void bad(const char *mend, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void good(const char *fmt, ...)
{
	va_list ap;

	fputs("  ok       ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void bad(const char *mend, const char *fmt, ...)
{
	va_list ap;

	problems++;
	fputs("  PROBLEM  ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n           %s\n", mend);
}

static void look_at_keys(const struct ctl *ctl)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct vault_public_key *pub = NULL;
	struct vault_private_key *priv = NULL;
	enum err e = vault_public_load(ctl->conf->public_key_file, &pub, &why);

	if (e == ERR_OK)
		good("public key %s", ctl->conf->public_key_file);
	else
		bad("Run mailconvoyctl key generate, or restore the pair from your backup.", "%s", why.data);
	buf_clear(&why);
	e = vault_private_load(ctl->conf->private_key_file, &priv, &why);
	if (e == ERR_DENIED && geteuid() != 0 && access(ctl->conf->private_key_file, R_OK) != 0)
		good("private key %s is not ours to read", ctl->conf->private_key_file);
	else if (e != ERR_OK)
		bad("It must be a regular file, mode 0400, owned by the worker's user.", "%s", why.data);
	else if (pub != NULL && memcmp(vault_public_id(pub), vault_private_id(priv), VAULT_KEY_ID_BYTES) != 0)
		bad("Restore the matching pair: passwords sealed now could not be opened.",
		    "the public and the private key do not belong together");
	else
		good("private key %s", ctl->conf->private_key_file);
	vault_public_free(&pub);
	vault_private_free(&priv);
}

static void look_at_workers(struct ctl *ctl)
{
	struct worker *list;
	size_t count, alive = 0;

	if (store_worker_list(ctl->db, ctl->a, &list, &count) != ERR_OK) {
		bad("See above.", "cannot list the workers: %s", db_error(ctl->db));
		return;
	}
	for (size_t i = 0; i < count; i++)
		alive += strcmp(list[i].state, "running") == 0 && list[i].silent_ms < WORKER_SILENT_MAX_MS;
	if (alive > 0)
		good("%zu worker%s running", alive, alive == 1 ? "" : "s");
	else
		bad("Start one: systemctl start mailconvoy-worker; its journal says why it ended.",
		    "no worker runs: nothing will be migrated");
}

static void look_at_database(struct ctl *ctl)
{
	struct user *users;
	struct violation *violations;
	size_t count;
	unsigned total, used;
	const char *why;

	if (ctl_connect(ctl, true) != CTL_OK) {
		bad("Is MariaDB running?  Are database_socket and database_user right?  As root, "
		    "mailconvoyctl setup "
		    "makes both.",
		    "the database cannot be used (see above)");
		return;
	}
	good("database %s", ctl->conf->database_name);
	if (migrate_check(ctl->db, ctl->a, &why) != ERR_OK) {
		bad("Run mailconvoyctl db migrate with the newest version installed.", "%s", why);
		return;
	}
	good("schema version %u", MCV_SCHEMA_VERSION);
	if (store_user_list(ctl->db, ctl->a, 0, &users, &count) == ERR_OK && count == 0)
		bad("Run mailconvoyctl user add --role admin ADDRESS.", "nobody can sign in");
	if (store_queue_slots(ctl->db, &total, &used) == ERR_OK && total == 0)
		bad("Run mailconvoyctl slots 2.", "no migration may run: there are 0 slots");
	else
		good("%u of %u slots in use", used, total);
	look_at_workers(ctl);
	if (store_check(ctl->db, ctl->a, &violations, &count) == ERR_OK && count > 0)
		bad("Run mailconvoyctl check and report this: it is a bug.",
		    "%zu contradictions in the tables", count);
}

static bool on_path(const char *name, char *found, size_t size)
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
	good("sync program %s, version %s", path,
	    *version ? version : "unknown: the worker's log and every job name it");
}

static void look_at_sync_program(const struct ctl *ctl)
{
	const struct conf *conf = ctl->conf;
	char found[4096];

	if (conf->sync_program[0] != '\0') {
		if (access(conf->sync_program, X_OK) == 0)
			praise_program(conf->sync_program);
		else
			bad("Install it, or empty sync_program to use the built-in engine.",
			    "%s cannot be run: %s", conf->sync_program, strerror(errno));
	} else if (on_path("imapsync", found, sizeof(found))) {
		praise_program(found);
	} else if (access(conf->engine_program, X_OK) == 0) {
		praise_program(conf->engine_program);
	} else {
		bad("Install imapsync or set engine_program.", "there is neither imapsync on PATH nor %s",
		    conf->engine_program);
	}
}

static void look_at_directories(const struct ctl *ctl)
{
	const char *const dirs[] = {ctl->conf->state_dir, ctl->conf->sql_dir, ctl->conf->static_dir};
	struct statvfs fs;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		struct stat st;

		if (stat(dirs[i], &st) != 0 || !S_ISDIR(st.st_mode))
			bad("Is the package installed completely?  systemd-tmpfiles --create makes the state "
			    "directory.",
			    "%s is not a directory", dirs[i]);
		else
			good("directory %s", dirs[i]);
	}
	if (statvfs(ctl->conf->state_dir, &fs) == 0) {
		unsigned long long mib = (unsigned long long)fs.f_bavail * fs.f_frsize / (1024 * 1024);

		if (mib < DISK_FREE_MIN_MIB)
			bad("Free some room: logs and the database grow.", "only %llu MiB free at %s", mib,
			    ctl->conf->state_dir);
		else
			good("%llu MiB free at %s", mib, ctl->conf->state_dir);
	}
}

/* The web's socket: there, and not for everybody. */
static void look_at_web(const struct ctl *ctl)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct stat st;
	char found[4096];
	int fd;

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/web.sock", ctl->conf->run_dir);
	if (stat(un.sun_path, &st) != 0) {
		bad("Start it: systemctl enable --now mailconvoy-web.socket", "no FastCGI socket %s",
		    un.sun_path);
		return;
	}
	if ((st.st_mode & 07) != 0)
		bad("Anyone on this machine can crash the web through it: chmod 0660 it.",
		    "%s is open to everybody", un.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)(const void *)&un, sizeof(un)) != 0)
		bad("systemctl status mailconvoy-web says more.", "nobody answers at %s: %s", un.sun_path,
		    strerror(errno));
	else
		good("FastCGI socket %s", un.sun_path);
	if (fd >= 0)
		(void)close(fd);
	if (on_path("nginx", found, sizeof(found)) || access("/usr/sbin/nginx", X_OK) == 0)
		good("nginx is installed");
	else
		bad("apt-get install nginx-light, and enable the site mailconvoy.", "no nginx");
}

enum ctl_exit verb_doctor(struct ctl *ctl, int count, char **words)
{
	(void)words;
	if (count != 0) {
		ctl_complain("usage: mailconvoyctl doctor");
		return CTL_USAGE;
	}
	problems = 0;
	good("configuration %s", ctl->conf_path);
	look_at_keys(ctl);
	look_at_database(ctl);
	look_at_sync_program(ctl);
	look_at_directories(ctl);
	look_at_web(ctl);
	printf("%u problem%s.\n", problems, problems == 1 ? "" : "s");
	return problems == 0 ? CTL_OK : CTL_PROBLEMS;
}
