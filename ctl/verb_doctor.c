#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/doctor.h"
#include "lib/secretbox.h"
#include "lib/vault.h"
#include "sql/migrate.h"
#include "sql/provision.h"
#include "sql/store_check.h"
#include "sql/store_queue.h"
#include "sql/store_second_factor.h"
#include "sql/store_user.h"
#include "sql/store_worker.h"

enum { DISK_FREE_MIN_MIB = 1024, WORKER_SILENT_MAX_MS = 60000 };

static unsigned problems;

void doctor_good(const char *fmt, ...)
{
	va_list ap;

	fputs("  ok       ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void doctor_bad(const char *mend, const char *fmt, ...)
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
		doctor_good("public key %s", ctl->conf->public_key_file);
	else
		doctor_bad("Run mailconvoyctl setup: it makes the pair, or the public key of a private one.",
		    "%s", why.data);
	buf_clear(&why);
	e = vault_private_load(ctl->conf->private_key_file, &priv, &why);
	if (e == ERR_DENIED && geteuid() != 0 && access(ctl->conf->private_key_file, R_OK) != 0)
		doctor_good("private key %s is not ours to read", ctl->conf->private_key_file);
	else if (e != ERR_OK)
		doctor_bad(
		    e == ERR_NOT_FOUND
			? "Bring it back from your backup; on a new installation run mailconvoyctl setup."
			: "It must be a regular file, mode 0400, owned by the worker's user.",
		    "%s", why.data);
	else if (pub != NULL && memcmp(vault_public_id(pub), vault_private_id(priv), VAULT_KEY_ID_BYTES) != 0)
		doctor_bad("Restore the matching pair: passwords sealed now could not be opened.",
		    "the public and the private key do not belong together");
	else
		doctor_good("private key %s", ctl->conf->private_key_file);
	vault_public_free(&pub);
	vault_private_free(&priv);
}

/* Without it those who have a second factor cannot sign in, and nobody can turn one on. */
static void look_at_second_factors(struct ctl *ctl)
{
	const char *path = ctl->conf->second_factor_key_file;
	AUTO_BUF struct buf why = BUF_INIT;
	struct secretbox_key key = {0};
	enum err loaded = secretbox_load(path, &key, &why);
	unsigned count = 0, other = 0;

	if (store_second_factor_count(ctl->db, key.id, &count, &other) != ERR_OK)
		return;
	if (loaded == ERR_DENIED && geteuid() != 0 && access(path, R_OK) != 0)
		doctor_good("key of the second factors %s is not ours to read", path);
	else if (loaded == ERR_NOT_FOUND && count == 0)
		doctor_bad("Run mailconvoyctl setup: it makes the key.",
		    "%s; nobody can turn a second factor on", why.data);
	else if (loaded != ERR_OK)
		doctor_bad(
		    loaded == ERR_NOT_FOUND
			? "Bring it back from your backup; if it is lost, mailconvoyctl user "
			  "second-factor-off "
			  "EMAIL lets each of them in by the password alone."
			: "It must be a regular file of 64 hex digits, mode 0400, owned by the web's user.",
		    "%s; users with a second factor, who cannot sign in: %u", why.data, count);
	else if (other > 0)
		doctor_bad("Bring the right one back from your backup, or mailconvoyctl user "
			   "second-factor-off EMAIL "
			   "each of them.",
		    "users whose second factor was stored under another key than %s, and who cannot sign in: "
		    "%u",
		    path, other);
	else
		doctor_good("key of the second factors %s; users who have one: %u", path, count);
	secretbox_forget(&key);
}

/* The last moment to see that an upgrade was not followed by setup. */
static void look_at_grants(struct ctl *ctl)
{
	static const char *const users[] = {CTL_WEB_USER, CTL_WORKER_USER};

	if (!ctl_grants_users(ctl))
		return;
	for (size_t i = 0; i < 2; i++) {
		enum err e = provision_check(ctl->db, ctl->conf->database_name, users[i], i == 0);

		if (e == ERR_OK)
			doctor_good("database user %s", users[i]);
		else if (e == ERR_CONFLICT)
			doctor_bad("Run mailconvoyctl setup: it revokes what is not needed.",
			    "%s may do more in the database than it needs", users[i]);
		else
			doctor_bad("Run mailconvoyctl setup: it grants what is missing.",
			    "%s does not have what it needs in the database", users[i]);
	}
	if (provision_check_public(ctl->db, ctl->conf->database_name) == ERR_CONFLICT)
		doctor_bad("Take it from them: SHOW GRANTS FOR PUBLIC tells what to REVOKE.",
		    "every user of MariaDB may reach into the database %s", ctl->conf->database_name);
}

static void look_at_workers(struct ctl *ctl)
{
	struct worker *list;
	size_t count, alive = 0;

	if (store_worker_list(ctl->db, ctl->a, &list, &count) != ERR_OK) {
		doctor_bad("See above.", "cannot list the workers: %s", db_error(ctl->db));
		return;
	}
	for (size_t i = 0; i < count; i++)
		alive += strcmp(list[i].state, "running") == 0 && list[i].silent_ms < WORKER_SILENT_MAX_MS;
	if (alive > 0)
		doctor_good("%zu worker%s running", alive, alive == 1 ? "" : "s");
	else
		doctor_bad("Start one: systemctl start mailconvoy-worker; its journal says why it ended.",
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
		doctor_bad("Is MariaDB running?  Are database_socket and database_user right?  As root, "
			   "mailconvoyctl setup makes both.",
		    "the database cannot be used (see above)");
		return;
	}
	doctor_good("database %s", ctl->conf->database_name);
	if (migrate_check(ctl->db, ctl->a, &why) != ERR_OK) {
		doctor_bad("Run mailconvoyctl db migrate with the newest version installed.", "%s", why);
		return;
	}
	doctor_good("schema version %u", MCV_SCHEMA_VERSION);
	if (store_user_list(ctl->db, ctl->a, 0, &users, &count) == ERR_OK && count == 0)
		doctor_bad("Run mailconvoyctl user add --role admin ADDRESS.", "nobody can sign in");
	if (store_queue_slots(ctl->db, &total, &used) == ERR_OK && total == 0)
		doctor_bad("Run mailconvoyctl slots 2.", "no migration may run: there are 0 slots");
	else
		doctor_good("%u of %u slots in use", used, total);
	look_at_second_factors(ctl);
	look_at_grants(ctl);
	look_at_workers(ctl);
	if (store_check(ctl->db, ctl->a, &violations, &count) == ERR_OK && count > 0)
		doctor_bad("Run mailconvoyctl check and report this: it is a bug.",
		    "%zu contradictions in the tables", count);
}

static void look_at_directories(const struct ctl *ctl)
{
	const char *const dirs[] = {ctl->conf->state_dir, ctl->conf->sql_dir, ctl->conf->static_dir};
	struct statvfs fs;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		struct stat st;

		if (stat(dirs[i], &st) != 0 || !S_ISDIR(st.st_mode))
			doctor_bad(
			    "Is the package installed completely?  systemd-tmpfiles --create makes the state "
			    "directory.",
			    "%s is not a directory", dirs[i]);
		else
			doctor_good("directory %s", dirs[i]);
	}
	if (statvfs(ctl->conf->state_dir, &fs) == 0) {
		unsigned long long mib = (unsigned long long)fs.f_bavail * fs.f_frsize / (1024 * 1024);

		if (mib < DISK_FREE_MIN_MIB)
			doctor_bad("Free some room: logs and the database grow.", "only %llu MiB free at %s",
			    mib, ctl->conf->state_dir);
		else
			doctor_good("%llu MiB free at %s", mib, ctl->conf->state_dir);
	}
}

enum ctl_exit verb_doctor(struct ctl *ctl, int count, char **words)
{
	(void)words;
	if (count != 0) {
		ctl_complain("usage: mailconvoyctl doctor");
		return CTL_USAGE;
	}
	problems = 0;
	doctor_good("configuration %s", ctl->conf_path);
	if (geteuid() != 0)
		puts("  note     run as root, this sees more");
	look_at_keys(ctl);
	look_at_database(ctl);
	doctor_program(ctl);
	if (ctl->conf->smtp_host[0] == '\0')
		puts("  note     notifications are off: smtp_host is not set");
	else
		doctor_good("notifications through %s (mailconvoyctl mail test ADDRESS tries it)",
		    ctl->conf->smtp_host);
	look_at_directories(ctl);
	doctor_files(ctl);
	doctor_web(ctl);
	doctor_sso(ctl);
	printf("%u problem%s.\n", problems, problems == 1 ? "" : "s");
	return problems == 0 ? CTL_OK : CTL_PROBLEMS;
}
