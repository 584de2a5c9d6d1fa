#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "engine/chosen.h"
#include "engine/copy.h"
#include "engine/identity.h"
#include "engine/link.h"
#include "engine/options.h"
#include "engine/output.h"
#include "engine/recall.h"
#include "engine/report.h"
#include "engine/secret.h"
#include "engine/state.h"
#include "engine/stop.h"
#include "engine/surplus.h"
#include "engine/verify.h"
#include "engine/verify_map.h"

struct run {
	struct options options;
	struct report report;
	struct folder_plan plan;
	struct copy copy;
	struct crew crew;      /* its first pair is the connections the run begins with */
	struct buf secrets[2]; /* passwords or access tokens */
	struct arena *arena;
	struct arena *other_arena; /* what host2 tells, while host1 is asked, too */
};

static const char usage[] =
    "Usage: mailconvoy-sync --host1=H --user1=U --passfile1=F --host2=H --user2=U --passfile2=F [options]\n"
    "Copies a mailbox from one IMAP server to another; speaks imapsync's command line, output and exit "
    "codes.\n"
    "To log in otherwise than with user and password: --authmech1=PLAIN|LOGIN|SCRAM-SHA-256|XOAUTH2|"
    "OAUTHBEARER,\n"
    "--authuser1=U (a master user), --oauthaccesstoken1=F (instead of --passfile1); the same with 2.\n"
    "See mailconvoy-sync(1).\n";

/* Passwords must not reach a core dump or a debugger. */
static void harden(void)
{
	const struct rlimit none = {0};
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

static enum err read_secrets(struct run *r)
{
	for (unsigned side = 0; side < 2; side++) {
		const struct side_options *o = &r->options.side[side];
		struct link *l = &r->crew.pairs[0].links[side];
		if (secret_read(o, &r->secrets[side]) != ERR_OK) {
			/* the token itself may stand there: it is not repeated */
			if (o->token_file != NULL)
				out("Failure: file from parameter --oauthaccesstoken%u does not exist or is "
				    "not readable; a token itself is not taken, other users of this machine "
				    "could read it",
				    side + 1);
			else
				out("Failure: file from parameter --passfile%u %s does not exist or is not "
				    "readable",
				    side + 1, o->passfile);
			return ERR_NOT_FOUND;
		}
		l->secret = r->secrets[side].data;
		l->secret_len = r->secrets[side].len;
	}
	return ERR_OK;
}

static enum err write_pidfile(const char *path)
{
	char text[32];
	if (path == NULL || path[0] == '\0')
		return ERR_OK;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	bool written = fd >= 0 && write(fd, text, (size_t)len) == len;
	if (fd >= 0)
		(void)close(fd);
	if (!written)
		out("Could not write the pid file %s: %s", path, strerror(errno));
	return written ? ERR_OK : ERR_IO;
}

static void remove_pidfile(const char *path)
{
	if (path == NULL || path[0] == '\0')
		return;
	out("Removing pidfile %s", path);
	(void)unlink(path);
}

static void say_start(const struct run *r)
{
	static const char *const ways[] = {
	    [IMAP_SECURITY_TLS] = "TLS",
	    [IMAP_SECURITY_STARTTLS] = "STARTTLS",
	    [IMAP_SECURITY_NONE] = "no encryption",
	};
	AUTO_BUF struct buf when = BUF_INIT;
	out_time(&when, r->report.started_s);
	out("Here is mailconvoy-sync %s, the built-in engine of mailconvoy.", PACKAGE_VERSION);
	out("%s started at %s", r->options.verify != VERIFY_OFF ? "Verification" : "Transfer", when.data);
	out("PID is %d my PPID is %d", (int)getpid(), (int)getppid());
	for (unsigned side = 0; side < 2; side++) {
		const struct side_options *s = &r->options.side[side];
		out("Host%u: IMAP server [%s] port [%u] user [%s]", side + 1, s->host, s->port, s->user);
		out("Host%u: %s%s; a silence of %u seconds ends a connection", side + 1, ways[s->security],
		    s->security == IMAP_SECURITY_NONE ? ""
		    : s->verify                       ? ", certificate and host name verified"
						      : ", certificate NOT verified",
		    s->timeout_s);
	}
	if (r->options.verify != VERIFY_OFF)
		out("Info: --verify: nothing is changed on either side.");
	else if (r->options.dry)
		out("Info: --dry mode: nothing is changed on host2.");
}

static void say_quota(struct run *r)
{
	struct imap_quota q = {0};
	if (r->crew.pairs[0].links[1].session == NULL ||
	    imap_quota(r->crew.pairs[0].links[1].session, "INBOX", &q) != ERR_OK || !q.known)
		return;
	double percent = q.limit_bytes > 0 ? 100.0 * (double)q.used_bytes / (double)q.limit_bytes : 0;
	out("Host2: Quota current storage is %llu bytes. Limit is %llu bytes. So %.2f %% full",
	    (unsigned long long)q.used_bytes, (unsigned long long)q.limit_bytes, percent);
	if (percent > 90)
		out("Host2: %.2f %% full: it is time to find a bigger place! ( %llu bytes / %llu bytes )",
		    percent, (unsigned long long)q.used_bytes, (unsigned long long)q.limit_bytes);
}

static void say_folders(const struct link *l, const struct folder_set *set)
{
	out("%s: separator and prefix: [%c][%s]", link_name(l), set->separator != '\0' ? set->separator : ' ',
	    set->prefix);
	out("%s: found %u folders:", link_name(l), set->count);
	for (unsigned i = 0; i < set->count; i++) {
		AUTO_BUF struct buf shown = BUF_INIT;
		out_folder(&shown, set->items[i].name);
		out("%s%s", shown.data, set->items[i].selectable ? "" : " (holds no messages)");
	}
}

struct folder_reading {
	struct link *link;
	struct arena *arena;
	struct folder_set *set;
	bool counted;
	enum err result;
};

static void *read_side(void *ctx)
{
	struct folder_reading *f = ctx;
	f->result = link_folders(f->link, f->arena, f->counted, f->set);
	return NULL;
}

/* Both sides' at the same time; they live in the two arenas. */
static enum err read_folders(struct run *r, struct folder_set sets[2])
{
	struct folder_reading sides[2];
	pthread_t thread;
	for (unsigned side = 0; side < 2; side++)
		sides[side] = (struct folder_reading){.link = &r->crew.pairs[0].links[side],
		    .arena = side == 0 ? r->arena : r->other_arena,
		    .counted = r->crew.state != NULL,
		    .set = &sets[side]};
	bool beside = pthread_create(&thread, NULL, read_side, &sides[1]) == 0;
	(void)read_side(&sides[0]);
	if (beside)
		(void)pthread_join(thread, NULL);
	else
		(void)read_side(&sides[1]);
	for (unsigned side = 0; side < 2; side++) {
		struct link *l = &r->crew.pairs[0].links[side];
		enum err e = sides[side].result;
		if (e != ERR_OK && stop_signal() == 0)
			report_error(&r->report, side == 0 ? ERROR_CONNECTION_HOST1 : ERROR_CONNECTION_HOST2,
			    "%s failure: can not open imap connection on host%u [%s] with user [%s]: the "
			    "folders can not be listed: %s",
			    link_name(l), side + 1, l->options->host, l->options->user,
			    link_why(l, r->arena));
		if (e != ERR_OK)
			return e;
		say_folders(l, &sets[side]);
	}
	return ERR_OK;
}

/* Which folders there are and where each goes.  Sets *refused_r when a folder option is not to be had. */
static enum err plan_folders(
    struct run *r, struct folder_set sets[2], struct folder_plan *plan_r, enum exit_code *refused_r)
{
	AUTO_BUF struct buf reason = BUF_INIT;
	enum err e = read_folders(r, sets);
	if (e != ERR_OK)
		return e;
	e = folder_plan_make(&r->options, &sets[0], &sets[1], r->arena, plan_r, &reason);
	if (e != ERR_OK) {
		out_lines(reason.data);
		*refused_r = e == ERR_NOT_FOUND ? EXIT_CODE_SUBFOLDER1 : EXIT_CODE_USAGE;
		return e;
	}
	chosen_say_missing(&r->options, &sets[0], r->arena);
	return ERR_OK;
}

static void open_state(struct run *r)
{
	AUTO_BUF struct buf said = BUF_INIT;
	if (r->options.state == NULL)
		return;
	state_open(r->options.state, &r->options, &r->crew.state, &said);
	if (said.len > 0)
		out("State: %s", said.data);
}

/* A run that was ended leaves the file as it was. */
static void keep_state(struct run *r)
{
	const struct options *o = &r->options;
	bool all = o->folders.count == 0 && o->includes.count == 0 && o->excludes.count == 0;
	if (r->crew.state == NULL || stop_signal() != 0)
		return;
	if (!o->dry && !o->just_folders && !o->just_folder_sizes &&
	    state_commit(r->crew.state, all) != ERR_OK)
		out("State: %s could not be written (%s); the next run takes longer", o->state,
		    strerror(errno));
}

/* The migration proper, both sides logged in. */
static enum err migrate(struct run *r, enum exit_code *refused_r)
{
	struct folder_set sets[2] = {0};

	say_quota(r);
	open_state(r);
	enum err e = plan_folders(r, sets, &r->plan, refused_r);
	if (e != ERR_OK)
		return e;
	struct copy *copy = &r->copy;
	*copy = (struct copy){
	    .crew = &r->crew,
	    .report = &r->report,
	    .source = &sets[0],
	    .destination = &sets[1],
	    .plan = &r->plan,
	    .separator = sets[1].separator,
	};
	const struct options *o = &r->options;
	r->report.folders_total = r->plan.count;
	copy_init(copy);
	if (o->just_folder_sizes) {
		e = copy_sizes(copy, false);
	} else {
		recall_unchanged(copy, &sets[1]);
		if (!o->just_folders)
			e = copy_survey(copy);
		if (e == ERR_OK && o->folder_sizes)
			copy_say_sizes(copy, false);
		if (e == ERR_OK)
			e = copy_folders(copy);
		if (e == ERR_OK)
			e = surplus_delete(copy);
		if (e == ERR_OK && o->folder_sizes && o->folder_sizes_at_end &&
		    copy_sizes(copy, true) != ERR_OK && stop_signal() == 0)
			out("The sizes at the end could not be taken.");
	}
	keep_state(r);
	/* after a signal a thread that would not end may still read it */
	if (stop_signal() == 0)
		copy_free(copy);
	return e;
}

/* --verify instead of a migration, both sides logged in.  What it found outweighs what it could not find out.
 */
static enum exit_code verify(struct run *r)
{
	struct folder_set sets[2] = {0};
	struct folder_plan plan;
	enum exit_code refused = EXIT_CODE_OK;
	unsigned moved = 0;
	struct verify v = {.source = &r->crew.pairs[0].links[0],
	    .destination = &r->crew.pairs[0].links[1],
	    .report = &r->report,
	    .plan = &plan,
	    .tally = {.report = &r->report}};

	enum err e = plan_folders(r, sets, &plan, &refused);
	if (refused != EXIT_CODE_OK)
		return refused;
	if (e == ERR_OK && r->options.folder_map != NULL &&
	    verify_map_read(r->options.folder_map, &sets[1], &plan, &moved) != ERR_OK) {
		out("Failure: file from parameter --foldermap %s can not be read", r->options.folder_map);
		return EXIT_CODE_NO_INPUT;
	}
	if (moved > 0)
		out("%-40s: %u", "Folders the copier put elsewhere", moved);
	if (e == ERR_OK)
		e = verify_folders(&v);
	if (stop_signal() != 0) {
		out("Ended by a signal %s before the verification was complete.",
		    stop_signal_name(stop_signal()));
		return EXIT_CODE_BY_SIGNAL;
	}
	/* the end was not reached: what was found so far counts, that nothing was found does not */
	if (e != ERR_OK)
		v.tally.folders_unread++;
	enum exit_code found = tally_summary(&v.tally);
	enum exit_code code = report_errors_listing(&r->report);
	if (found != EXIT_CODE_OK)
		return found;
	return code == EXIT_CODE_OK && (e != ERR_OK || v.tally.folders_unread > 0 || v.tally.total.unread > 0)
		   ? EXIT_CODE_CATCH_ALL
		   : code;
}

static enum exit_code end_by_signal(struct run *r)
{
	int signal = stop_signal();
	out("Got a signal %s (my PID is %d my PPID is %d). Asked to terminate", stop_signal_name(signal),
	    (int)getpid(), (int)getppid());
	report_statistics(&r->report);
	out("Ended by a signal %s (my PID is %d my PPID is %d). I am asked to terminate immediately.",
	    stop_signal_name(signal), (int)getpid(), (int)getppid());
	out("You should resynchronize those accounts by running a sync again,");
	out("since some messages and entire folders might still be missing on host2.");
	return EXIT_CODE_BY_SIGNAL;
}

static enum exit_code run(struct run *r)
{
	enum exit_code refused = EXIT_CODE_OK;
	if (write_pidfile(r->options.pidfile) != ERR_OK)
		return EXIT_CODE_PID_FILE;
	if (read_secrets(r) != ERR_OK)
		return EXIT_CODE_NO_INPUT;
	enum err opened[2];
	crew_open_both(r->crew.pairs[0].links, link_open, opened);
	if (stop_signal() != 0)
		return end_by_signal(r);
	if (opened[0] != ERR_OK || opened[1] != ERR_OK)
		return report_errors_listing(&r->report);
	if (r->options.just_login) {
		out("Exiting because of --justlogin");
		return EXIT_CODE_OK;
	}
	if (r->options.verify != VERIFY_OFF)
		return verify(r);
	crew_init(&r->crew, &r->report, r->options.connections);
	if (!r->options.just_folders && !r->options.just_folder_sizes)
		crew_open_ahead(&r->crew);
	enum err e = migrate(r, &refused);
	if (refused != EXIT_CODE_OK)
		return refused;
	if (stop_signal() != 0)
		return end_by_signal(r);
	if (e == ERR_TOO_BIG && !report_is_full(&r->report) && r->options.exitwhenover > 0 &&
	    r->report.bytes_transferred >= r->options.exitwhenover)
		report_error(&r->report, ERROR_TRANSFER_EXCEEDED,
		    "Maximum bytes transferred reached, %llu >= %llu, ending sync",
		    (unsigned long long)r->report.bytes_transferred,
		    (unsigned long long)r->options.exitwhenover);
	report_statistics(&r->report);
	enum exit_code code = report_errors_listing(&r->report);
	return code == EXIT_CODE_OK && e != ERR_OK ? EXIT_CODE_CATCH_ALL : code;
}

int main(int argc, char **argv)
{
	AUTO_BUF struct buf reason = BUF_INIT;
	struct run r = {.secrets = {BUF_INIT, BUF_INIT}, .arena = arena_new(), .other_arena = arena_new()};

	harden();
	log_init("mailconvoy-sync", 0);
	enum err e = options_parse(&r.options, argc, argv, r.arena, &reason);
	if (e != ERR_OK) {
		out_lines(reason.data);
		arena_free(&r.arena);
		arena_free(&r.other_arena);
		return EXIT_CODE_USAGE;
	}
	if (r.options.help || r.options.version) {
		out_lines(r.options.help ? usage : "mailconvoy-sync " PACKAGE_VERSION "\n");
		arena_free(&r.arena);
		arena_free(&r.other_arena);
		return EXIT_CODE_OK;
	}
	if (r.options.json)
		out_to_stderr();
	stop_install();
	identity_use(r.options.identity_fields.words, r.options.identity_fields.count);
	report_init(&r.report, &r.options, r.arena);
	for (unsigned side = 0; side < 2; side++)
		r.crew.pairs[0].links[side] =
		    (struct link){.options = &r.options.side[side], .report = &r.report, .side = side};
	say_start(&r);
	enum exit_code code = run(&r);
	bool by_signal = code == EXIT_CODE_BY_SIGNAL;
	report_exit(&r.report, code);
	remove_pidfile(r.options.pidfile);
	if (by_signal) {
		/* a thread that would not end may still be using what the rest would free */
		out_flush();
		stop_die();
	}
	if (!crew_close(&r.crew)) {
		out_flush();
		_exit((int)code);
	}
	for (unsigned side = 0; side < 2; side++) {
		link_close(&r.crew.pairs[0].links[side]);
		buf_wipe(&r.secrets[side]);
	}
	state_close(&r.crew.state);
	out_end();
	arena_free(&r.arena);
	arena_free(&r.other_arena);
	return (int)code;
}
