#include "worker/recover.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "sql/store_queue.h"
#include "sql/store_worker.h"
#include "worker/jobdir.h"
#include "worker/keeper.h"
#include "worker/notify.h"
#include "worker/report.h"

enum { LOOK_AGAIN_MS = 50, SPARE_S = 5 };

const char *recover_host(void)
{
	static char host[256];

	if (host[0] == '\0' && gethostname(host, sizeof(host) - 1) != 0)
		(void)snprintf(host, sizeof(host), "localhost");
	return host;
}

static void read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");

	line[0] = '\0';
	if (f == NULL)
		return;
	if (fgets(line, (int)size, f) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	(void)fclose(f);
}

const char *recover_boot_id(void)
{
	static char id[64];
	char boot[40];
	char space[32] = "";

	if (id[0] != '\0')
		return id;
	read_line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	if (readlink("/proc/self/ns/pid", space, sizeof(space) - 1) < 0)
		space[0] = '\0';
	(void)snprintf(id, sizeof(id), "%.36s %.24s", boot, space);
	return id;
}

/*
 * A process of that number that is not a worker is somebody else's: numbers come again.
 *
 * Host names come again, too: of cloned machines, of containers.  Process ids mean something only within one
 * boot and one name space; of a worker elsewhere we only know that it ends its runs when it cannot renew.
 */
static bool is_alive(const struct conf *conf, const struct worker *w)
{
	char path[64];
	char name[32];

	if (strcmp(w->boot_id, recover_boot_id()) != 0)
		return w->silent_ms <= (conf->fence_s + conf->kill_grace_s) * 1000;
	if (w->pid == (int64_t)getpid())
		return false;
	if (kill((pid_t)w->pid, 0) != 0 && errno == ESRCH)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)w->pid);
	read_line(path, name, sizeof(name));
	if (name[0] == '\0')
		return true; /* hidden from us: then its leases tell */
	return strncmp(name, "mailconvoy-work", 15) == 0;
}

static bool keepers_have_ended(const struct conf *conf, uint64_t worker_id)
{
	mono_time deadline = mono_after(mono_now(), (conf->kill_grace_s + SPARE_S) * 1000);

	while (jobdir_is_held(conf->state_dir, worker_id)) {
		if (mono_left_ms(deadline) == 0) {
			log_warnx("processes of worker %llu do not end: its leases have to",
			    (unsigned long long)worker_id);
			return false;
		}
		(void)poll(NULL, 0, LOOK_AGAIN_MS);
	}
	return true;
}

static enum err bury(struct link *db_link, const struct conf *conf, const struct worker *w)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct outcome o = outcome_orphan();
	struct queue_ending ending;
	unsigned count = 0;
	struct db *db = link_db(db_link);
	enum err e;

	if (db == NULL)
		return ERR_UNAVAILABLE;
	if (!keepers_have_ended(conf, w->id))
		return ERR_OK;
	report_ending(&o, NULL, NULL, &ending);
	ending.mail = notify_policy(conf);
	e = link_note(db_link, store_queue_rescue_worker(db, w->id, &ending, &count));
	if (e == ERR_OK)
		e = link_note(db_link, store_worker_dead(db, w->id));
	if (e != ERR_OK)
		return e;
	jobdir_remove(jobdir_of_worker(a, conf->state_dir, w->id));
	log_info("worker %llu (pid %lld) has died; %u of its jobs were marked interrupted",
	    (unsigned long long)w->id, (long long)w->pid, count);
	return ERR_OK;
}

enum err recover_predecessors(struct link *db_link, const struct conf *conf, uint64_t self)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db *db = link_db(db_link);
	struct worker *list = NULL;
	size_t count = 0;
	enum err e;

	if (db == NULL)
		return ERR_UNAVAILABLE;
	e = link_note(db_link, store_worker_predecessors(db, a, recover_host(), self, &list, &count));
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		if (!is_alive(conf, &list[i]))
			e = bury(db_link, conf, &list[i]);
	return e;
}
