#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "sql/migrate.h"
#include "sql/store_worker.h"
#include "worker/housekeeping.h"
#include "worker/jobdir.h"
#include "worker/keeper.h"
#include "worker/lease.h"
#include "worker/notifier.h"
#include "worker/notify.h"
#include "worker/queue.h"
#include "worker/ready.h"
#include "worker/recover.h"

enum {
	STOP_MS = 12000,     /* after SIGTERM, gone by then: a grace time and what the database needs */
	NOTIFIER_MS = 3000,  /* of these, for the mail that is being sent */
	LAST_TRY_MS = 5000,  /* a connection takes so long to fail: none is begun later than that */
	WATCHDOG_MS = 10000, /* systemd hears from us so often */
	SCHEMA_MS = 2000,
	SCHEMA_TELL_MS = 60000,
	EXIT_USAGE = 64,
	EXIT_CONFIG = 78,
};

/* The whole worker. */
struct worker_process {
	struct conf *conf;
	struct vault_private_key *key;
	struct link db_link;
	struct program program;
	struct program engine;
	struct runner_context context;
	struct queue queue;
	struct housekeeping housekeeping;
	struct lease lease;
	struct notifier_child notifier;
	struct runner *runners[QUEUE_RENEW_MAX];
	size_t count;
	int signal_fd;
	bool is_registered; /* and what its predecessors left is cleared up */
	bool is_stopping;
	mono_time stop_by;
	mono_time watchdog_at;
	mono_time schema_at; /* it is not the one we were built for: looked at again then, and told again */
	mono_time schema_told_at;
};

static void usage(FILE *out)
{
	(void)fprintf(out,
	    "usage: mailconvoy-worker [-c FILE] [-f]\n"
	    "       mailconvoy-worker --version\n"
	    "  -c FILE  configuration, instead of %s\n"
	    "  -f       stay in the foreground (as it always does)\n",
	    conf_default_path);
}

/* Descriptors 0 to 2 exist, so that nothing else ever gets their numbers. */
static void open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

static void protect_process(void)
{
	const struct rlimit none = {0, 0};

	(void)umask(077);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
#ifndef __SANITIZE_ADDRESS__ /* the leak check reads its own process */
	(void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

static int watch_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGQUIT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void begin_stop(struct worker_process *w)
{
	struct db *db;

	if (w->is_stopping)
		return;
	w->is_stopping = true;
	w->stop_by = mono_after(mono_now(), STOP_MS);
	log_info("stopping; %zu jobs run", w->count);
	ready_tell("STOPPING=1");
	for (size_t i = 0; i < w->count; i++)
		runner_wish(w->runners[i], WISH_STOP);
	notifier_end(&w->notifier);
	db = link_db(&w->db_link);
	if (db != NULL && w->is_registered &&
	    link_note(&w->db_link, store_worker_stopping(db, w->context.worker_id)) != ERR_OK)
		log_debug("the database was not told that we stop");
}

static void read_signals(struct worker_process *w)
{
	struct signalfd_siginfo si;

	while (read(w->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT || si.ssi_signo == SIGQUIT)
			begin_stop(w);
}

/* What a killed keeper left to us; keepers themselves are waited for by their runners. */
static void reap_strays(const struct worker_process *w)
{
	siginfo_t si = {0};

	while (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid != 0) {
		bool is_keeper = notifier_owns(&w->notifier, si.si_pid);

		for (size_t i = 0; i < w->count; i++)
			is_keeper = is_keeper || runner_owns(w->runners[i], si.si_pid);
		if (is_keeper)
			return;
		(void)waitpid(si.si_pid, NULL, WNOHANG);
		si.si_pid = 0;
	}
}

/* An administrator brings the schema to another version while we wait; what is waited for is said now and
 * then. */
static enum err check_schema(struct worker_process *w, struct db *db)
{
	AUTO_ARENA struct arena *a = arena_new();
	const char *why = "";
	enum err e;

	if (mono_left_ms(w->schema_at) > 0)
		return ERR_CONFLICT;
	e = link_note(&w->db_link, migrate_check(db, a, &why));
	if (e != ERR_CONFLICT)
		return e;
	w->schema_at = mono_after(mono_now(), SCHEMA_MS);
	if (mono_left_ms(w->schema_told_at) == 0) {
		log_warnx("no job is started: %s", why);
		w->schema_told_at = mono_after(mono_now(), SCHEMA_TELL_MS);
	}
	return e;
}

static bool register_worker(struct worker_process *w)
{
	struct db *db = link_db(&w->db_link);

	if (db == NULL || check_schema(w, db) != ERR_OK)
		return false;
	if (link_note(&w->db_link, store_worker_register(db, recover_host(), getpid(), recover_boot_id(),
				       PACKAGE_VERSION, &w->context.worker_id)) != ERR_OK)
		return false;
	if (recover_predecessors(&w->db_link, w->conf, w->context.worker_id) != ERR_OK)
		return false;
	log_info("worker %llu is ready", (unsigned long long)w->context.worker_id);
	ready_tell("READY=1");
	return true;
}

static void claim(struct worker_process *w)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct queue_token token;
	struct queue_job job;
	mono_time asked;

	while (w->count < QUEUE_RENEW_MAX && queue_claim(&w->queue, &w->db_link, w->conf, a,
						 w->context.worker_id, &job, &token, &asked) == ERR_OK) {
		w->runners[w->count++] = runner_new(&w->context, &token, &job, lease_fence(w->conf, asked));
		arena_reset(a);
	}
}

static void tick(struct worker_process *w)
{
	if (!w->is_registered && !w->is_stopping)
		w->is_registered = register_worker(w);
	if (w->is_registered && lease_tick(&w->lease, w->conf, &w->db_link, w->context.worker_id, w->runners,
				    w->count) == ERR_LOST) {
		log_warnx("this worker was declared dead; registering anew");
		w->is_registered = false;
	}
	if (w->is_stopping && mono_left_ms(w->stop_by) < LAST_TRY_MS)
		w->db_link.is_leaving = true;
	for (size_t i = 0; i < w->count;) {
		runner_tick(w->runners[i]);
		if (runner_is_finished(w->runners[i])) {
			runner_free(&w->runners[i]);
			w->runners[i] = w->runners[--w->count];
			w->queue.claim_at = mono_now(); /* a slot is free */
		} else
			i++;
	}
	if (w->is_registered && !w->is_stopping) {
		queue_sweep(&w->queue, &w->db_link, w->conf);
		housekeeping_tick(&w->housekeeping, &w->db_link, w->conf, w->context.worker_id);
		claim(w);
	}
	notifier_tick(&w->notifier);
	if (mono_left_ms(w->watchdog_at) == 0) {
		ready_tell("WATCHDOG=1");
		w->watchdog_at = mono_after(mono_now(), WATCHDOG_MS);
	}
}

static int sooner(int a, int b)
{
	return a < b ? a : b;
}

static int due_ms(const struct worker_process *w)
{
	int due = (int)w->conf->poll_ms;

	if (w->db_link.is_down)
		due = sooner(due, mono_left_ms(w->db_link.retry_at));
	else if (w->is_registered && !w->is_stopping)
		due = sooner(due, sooner(queue_due_ms(&w->queue), housekeeping_due_ms(&w->housekeeping)));
	if (w->count > 0 && !w->db_link.is_down)
		due = sooner(due, lease_due_ms(&w->lease));
	for (size_t i = 0; i < w->count; i++)
		due = sooner(due, w->db_link.is_down ? due : runner_due_ms(w->runners[i]));
	return due;
}

static void run(struct worker_process *w)
{
	struct pollfd fds[1 + 2 * QUEUE_RENEW_MAX];

	while (!w->is_stopping || (w->count > 0 && mono_left_ms(w->stop_by) > 0) ||
	       (!notifier_is_gone(&w->notifier, false) && mono_left_ms(w->stop_by) > STOP_MS - NOTIFIER_MS)) {
		size_t polled = w->count;

		fds[0] = (struct pollfd){.fd = w->signal_fd, .events = POLLIN};
		for (size_t i = 0; i < polled; i++)
			runner_poll_fds(w->runners[i], fds + 1 + 2 * i);
		if (poll(fds, 1 + 2 * polled, due_ms(w)) < 0 && errno != EINTR)
			log_fatal("poll: %s", strerror(errno));
		if (fds[0].revents != 0)
			read_signals(w);
		for (size_t i = 0; i < polled; i++)
			runner_ready(w->runners[i], fds + 1 + 2 * i);
		reap_strays(w);
		tick(w);
	}
}

static void leave(struct worker_process *w)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db *db;

	w->db_link.is_leaving = true;
	(void)notifier_is_gone(&w->notifier, true);
	db = link_db(&w->db_link);
	while (w->count > 0)
		runner_free(&w->runners[--w->count]);
	if (db != NULL && w->is_registered &&
	    link_note(&w->db_link, store_worker_stopped(db, w->context.worker_id)) == ERR_OK)
		(void)rmdir(jobdir_of_worker(a, w->conf->state_dir, w->context.worker_id));
	link_close(&w->db_link);
	program_free(&w->program);
	program_free(&w->engine);
	vault_private_free(&w->key);
	conf_free(&w->conf);
	(void)close(w->signal_fd);
	log_info("stopped");
}

static int start(struct worker_process *w, const char *conf_path)
{
	AUTO_BUF struct buf why = BUF_INIT;

	if (conf_load(conf_path, &w->conf, &why) != ERR_OK ||
	    vault_private_load(w->conf->private_key_file, &w->key, &why) != ERR_OK) {
		log_warnx("%s", why.data);
		return EXIT_CONFIG;
	}
	log_init("mailconvoy-worker", w->conf->debug);
	if (access(w->conf->state_dir, W_OK | X_OK) != 0) {
		log_warn("cannot write to %s (systemd-tmpfiles --create makes it)", w->conf->state_dir);
		return EXIT_CONFIG;
	}
	if (link_open(&w->db_link, w->conf) != ERR_OK)
		return EXIT_CONFIG;
	w->signal_fd = watch_signals();
	if (w->signal_fd < 0)
		log_fatal("signalfd: %s", strerror(errno));
	if (program_find(&w->program, w->conf, w->conf->state_dir) != ERR_OK)
		log_warnx("no program that migrates mailboxes was found; jobs will fail until there is one");
	w->context = (struct runner_context){.conf = w->conf,
	    .key = w->key,
	    .db_link = &w->db_link,
	    .program = &w->program,
	    .engine = &w->engine};
	if (w->conf->smtp_host[0] != '\0')
		w->notifier.conf_path = conf_path;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct worker_process w = {.conf = NULL};
	const char *conf_path = conf_default_path;
	int opt;
	int status;

	if (keeper_is_asked_for(argc, argv))
		keeper_main(argv);
	if (notify_is_asked_for(argc, argv)) {
		open_standard_fds();
		return notify_main(argc, argv);
	}
	open_standard_fds();
	log_init("mailconvoy-worker", 0);
	while ((opt = getopt_long(argc, argv, "c:fh", longs, NULL)) != -1) {
		switch (opt) {
		case 'c': conf_path = optarg; break;
		case 'f': break;
		case 'V': (void)printf("mailconvoy-worker %s\n", PACKAGE_VERSION); return 0;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return EXIT_USAGE;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	protect_process();
	status = start(&w, conf_path);
	if (status != 0) {
		vault_private_free(&w.key);
		conf_free(&w.conf);
		return status;
	}
	run(&w);
	leave(&w);
	return 0;
}
