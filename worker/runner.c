#include "worker/runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "worker/argv.h"
#include "worker/crash.h"
#include "worker/jobdir.h"
#include "worker/keeper.h"
#include "worker/output.h"
#include "worker/report.h"

enum {
	PROGRESS_MS = 1000,       /* the job's row changes at most so often */
	LOOK_MS = 1000,           /* limits are looked at so often */
	RETRY_MS = 200,           /* after the database refused */
	FILE_BYTES = 1 << 30,     /* no program of ours writes larger files */
	ADDRESS_SPACE_FACTOR = 2, /* RLIMIT_AS is only the second wall: it counts what was never touched */
};

enum state { STARTING = 1, RUNNING, STOPPING, DRAINING, DEAD, STATE__MAX };
enum event { EV_STARTED, EV_NOT_STARTED, EV_WISH, EV_EXITED, EV_GONE, EVENT__MAX };

struct runner {
	const struct runner_context *context;
	struct queue_token token;
	enum state state;
	struct arena *arena;
	char *job_dir; /* in arena; NULL: not made */
	char label[32];
	bool dry_run;
	struct keeper keeper;
	struct output output;

	enum start_failure start;
	enum wish wish;
	bool have_status;
	int wait_status;

	mono_time began;
	mono_time progress_at; /* next write of counters */
	mono_time retry_at;    /* the database refused: not before */
	struct job_counters reported;
	bool program_noted;
	bool finished;
};

/* Every pair of state and event, with what it does; none is hidden. */
struct step {
	enum state next;
	bool stop; /* ask the keeper to end it */
};

static const struct step steps[STATE__MAX][EVENT__MAX] =
    {
	[STARTING] =
	    {
		[EV_STARTED] = {RUNNING, false},
		[EV_NOT_STARTED] = {DRAINING, false},
		[EV_WISH] = {STOPPING, true},
		[EV_EXITED] = {DRAINING, false},
		[EV_GONE] = {DEAD, false},
	    },
	[RUNNING] =
	    {
		[EV_STARTED] = {RUNNING, false},
		[EV_NOT_STARTED] = {DRAINING, false},
		[EV_WISH] = {STOPPING, true},
		[EV_EXITED] = {DRAINING, false},
		[EV_GONE] = {DEAD, false},
	    },
	[STOPPING] =
	    {
		[EV_STARTED] = {STOPPING, true},
		[EV_NOT_STARTED] = {DRAINING, false},
		[EV_WISH] = {STOPPING, false},
		[EV_EXITED] = {DRAINING, false},
		[EV_GONE] = {DEAD, false},
	    },
	[DRAINING] =
	    {
		[EV_STARTED] = {DRAINING, false},
		[EV_NOT_STARTED] = {DRAINING, false},
		[EV_WISH] = {DRAINING, false},
		[EV_EXITED] = {DRAINING, false},
		[EV_GONE] = {DEAD, false},
	    },
	[DEAD] =
	    {
		[EV_STARTED] = {DEAD, false},
		[EV_NOT_STARTED] = {DEAD, false},
		[EV_WISH] = {DEAD, false},
		[EV_EXITED] = {DEAD, false},
		[EV_GONE] = {DEAD, false},
	    },
};

static void handle(struct runner *r, enum event ev)
{
	const struct step *s = &steps[r->state][ev];

	if (s->stop)
		keeper_stop(&r->keeper);
	if (s->next == DEAD && r->state != DEAD) {
		output_end(&r->output, r->keeper.output_fd);
		keeper_close(&r->keeper);
		if (r->job_dir != NULL)
			jobdir_remove(r->job_dir);
	}
	r->state = s->next;
}

/* Starting */

static struct argv_side argv_side(const struct job_side *s, int passfile_fd)
{
	static const enum argv_security security[] = {
	    [SECURITY_TLS] = ARGV_TLS, [SECURITY_STARTTLS] = ARGV_STARTTLS, [SECURITY_NONE] = ARGV_NONE};

	return (struct argv_side){.host = s->host,
	    .port = s->port,
	    .security = security[s->security],
	    .verify = s->verify,
	    .user = s->user,
	    .passfile_fd = passfile_fd};
}

static uint64_t address_space(const struct conf *conf)
{
#ifdef __SANITIZE_ADDRESS__
	(void)conf; /* shadow memory alone is terabytes of address space */
	return 0;
#else
	return (uint64_t)conf->run_memory_mb * ADDRESS_SPACE_FACTOR * 1024 * 1024;
#endif
}

static enum err open_password(struct runner *r, const struct queue_job *j, enum vault_side side,
    struct arena *clean, struct keeper_secret *secret_r)
{
	bool source = side == VAULT_SOURCE;
	char *plain;
	enum err e = vault_open(r->context->key, vault_aad(r->arena, j->job.account_id, side),
	    source ? j->src_sealed : j->dst_sealed, source ? j->src_sealed_len : j->dst_sealed_len, clean,
	    &plain, &secret_r->len);

	if (e != ERR_OK)
		log_warnx("%s: %s password: %s", r->label, source ? "source" : "destination", err_text(e));
	else
		secret_r->bytes = plain;
	return e;
}

static enum start_failure start_keeper(
    struct runner *r, const struct queue_job *j, struct arena *clean, mono_time fence)
{
	const struct conf *conf = r->context->conf;
	struct argv_job aj = {
	    .ca_file = conf->ca_file,
	    .dry_run = j->job.dry_run,
	    .source = argv_side(&j->job.source, KEEPER_PASSFILE_SOURCE),
	    .destination = argv_side(&j->job.destination, KEEPER_PASSFILE_DESTINATION),
	};
	struct keeper_plan plan = {
	    .kill_grace_s = (unsigned)conf->kill_grace_s,
	    .fence = fence,
	    .memory_bytes = (uint64_t)conf->run_memory_mb * 1024 * 1024,
	    .address_space_bytes = address_space(conf),
	    .file_bytes = FILE_BYTES,
	    .vet = {j->is_src_vetted ? j->job.source.host : NULL,
		j->is_dst_vetted ? j->job.destination.host : NULL},
	    .deny = &conf->deny_networks,
	};
	const char *dir = NULL;
	char **argv;

	if (open_password(r, j, VAULT_SOURCE, clean, &plan.passwords[SIDE_SOURCE]) != ERR_OK ||
	    open_password(r, j, VAULT_DESTINATION, clean, &plan.passwords[SIDE_DESTINATION]) != ERR_OK)
		return START_SEAL;
	for (int side = 0; side < 2; side++)
		redact_add(r->output.redact, plan.passwords[side].bytes, plan.passwords[side].len);
	if (program_find(r->context->program, conf, conf->state_dir) != ERR_OK)
		return START_NO_PROGRAM;
	if (jobdir_make(r->arena, conf->state_dir, r->context->worker_id, &r->token, &dir) != ERR_OK) {
		log_warn("%s: directory below %s", r->label, conf->state_dir);
		return START_SYSTEM;
	}
	r->job_dir = arena_strdup(r->arena, dir);
	aj.program = r->context->program->path;
	aj.job_dir = plan.job_dir = r->job_dir;
	if (argv_build(r->arena, &aj, &argv) != ERR_OK)
		return START_INVALID;
	plan.argv = argv;
	plan.envp = argv_environment(r->arena, r->job_dir);
	if (keeper_start(&plan, &r->keeper) != ERR_OK) {
		log_warn("%s: keeper", r->label);
		return START_SYSTEM;
	}
	crash_point("after_fork");
	return START_OK;
}

struct runner *runner_new(const struct runner_context *context, const struct queue_token *t,
    const struct queue_job *job, mono_time fence)
{
	AUTO_ARENA struct arena *clean = arena_new_clean();
	struct runner *r = mem_alloc(sizeof(*r));
	const struct conf *conf = context->conf;

	*r = (struct runner){.context = context,
	    .token = *t,
	    .state = STARTING,
	    .arena = arena_new(),
	    .keeper = KEEPER_INIT,
	    .dry_run = job->job.dry_run,
	    .began = mono_now()};
	(void)snprintf(r->label, sizeof(r->label), "job %llu", (unsigned long long)t->job_id);
	r->progress_at = r->retry_at = r->began;
	job_counters_init(&r->reported);
	output_init(
	    &r->output, redact_new(), conf->log_head_mb * 1024 * 1024, conf->log_tail_mb * 1024 * 1024);
	r->start = start_keeper(r, job, clean, fence);
	if (r->start == START_OK)
		log_info("%s: started, keeper %d", r->label, (int)r->keeper.pid);
	else
		handle(r, EV_GONE);
	return r;
}

void runner_free(struct runner **r)
{
	if (*r == NULL)
		return;
	/* the keeper sees the pipe's end and does the rest by itself */
	if ((*r)->keeper.control_fd >= 0)
		log_warnx("%s: left to its keeper", (*r)->label);
	output_free(&(*r)->output);
	arena_free(&(*r)->arena);
	free(*r);
	*r = NULL;
}

const struct queue_token *runner_token(const struct runner *r)
{
	return &r->token;
}

bool runner_is_finished(const struct runner *r)
{
	return r->finished;
}

void runner_wish(struct runner *r, enum wish wish)
{
	if (wish != WISH_LOST && r->wish != WISH_NONE)
		return;
	if (r->wish != wish)
		log_info("%s: %s", r->label, report_wish(wish));
	r->wish = wish;
	handle(r, EV_WISH);
}

void runner_fence(struct runner *r, mono_time fence)
{
	keeper_fence(&r->keeper, fence);
}

/* Waiting */

bool runner_owns(const struct runner *r, pid_t pid)
{
	return r->keeper.pid == pid;
}

void runner_poll_fds(const struct runner *r, struct pollfd fds[2])
{
	fds[0] = (struct pollfd){.fd = r->keeper.status_fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = output_wants(&r->output) ? r->keeper.output_fd : -1, .events = POLLIN};
}

static int sooner(int a, int b)
{
	return a < b ? a : b;
}

int runner_due_ms(const struct runner *r)
{
	int retry = mono_left_ms(r->retry_at);
	int due = LOOK_MS;
	int store = output_due_ms(&r->output);

	if (r->state == DEAD)
		return retry;
	if (store >= 0)
		due = sooner(due, store > retry ? store : retry);
	return due;
}

static void refuse_start(
    struct runner *r, int side, enum start_failure source, enum start_failure destination)
{
	r->start = side == SIDE_SOURCE ? source : destination;
	handle(r, EV_NOT_STARTED);
}

static void hear_keeper(struct runner *r)
{
	for (;;) {
		int value = 0;

		switch (keeper_next(&r->keeper, &value)) {
		case KEEPER_NOTHING: return;
		case KEEPER_STARTED: handle(r, EV_STARTED); break;
		case KEEPER_NOT_STARTED:
			errno = value;
			log_warn("%s: %s", r->label, r->context->program->path);
			r->start = START_EXEC;
			handle(r, EV_NOT_STARTED);
			break;
		case KEEPER_DENIED:
			refuse_start(r, value, START_DENIED_SOURCE, START_DENIED_DESTINATION);
			break;
		case KEEPER_NO_NAME: refuse_start(r, value, START_NAME_SOURCE, START_NAME_DESTINATION); break;
		case KEEPER_FENCED: runner_wish(r, WISH_FENCE); break;
		case KEEPER_TERMINATED: runner_wish(r, WISH_STOP); break;
		case KEEPER_TOO_FAT: runner_wish(r, WISH_MEMORY); break;
		case KEEPER_EXITED:
			r->have_status = true;
			r->wait_status = value;
			handle(r, EV_EXITED);
			break;
		case KEEPER_GONE: handle(r, EV_GONE); return;
		}
	}
}

void runner_ready(struct runner *r, const struct pollfd fds[2])
{
	if (fds[1].revents != 0)
		(void)output_read(&r->output, r->keeper.output_fd);
	if (fds[0].revents != 0)
		hear_keeper(r);
}

/* What is due */

static void check_limits(struct runner *r)
{
	const struct conf *conf = r->context->conf;
	mono_time now = mono_now();

	if (r->state != RUNNING && r->state != STARTING)
		return;
	/* a program that waits for us is not silent */
	if (!output_wants(&r->output) && !r->output.ended)
		r->output.last_byte = now;
	if (mono_diff_ms(r->began, now) > conf->run_wall_s * 1000)
		runner_wish(r, WISH_WALL);
	else if (mono_diff_ms(r->output.last_byte, now) > conf->run_silence_s * 1000)
		runner_wish(r, WISH_SILENCE);
}

/* The answer to anything written with the token. */
static void note(struct runner *r, enum err e)
{
	switch (link_note(r->context->db_link, e)) {
	case ERR_OK: return;
	case ERR_LOST: runner_wish(r, WISH_LOST); break;
	case ERR_UNAVAILABLE:
	case ERR_UNCERTAIN:
	case ERR_BUSY: break;
	default:
		log_warnx("%s: %s", r->label, err_text(e));
		output_discard(&r->output);
		runner_wish(r, WISH_LOG);
		break;
	}
	r->retry_at = mono_after(mono_now(), RETRY_MS);
}

static void write_progress(struct runner *r, struct db *db)
{
	const struct progress *p = &r->output.progress;
	struct job_counters c;

	/* Signed in on both sides, it has no more use for the passfiles: imapsync and the engine read them
	 * once. */
	if (p->logged_in[SIDE_SOURCE] && p->logged_in[SIDE_DESTINATION])
		keeper_forget_passwords(&r->keeper);
	if (mono_left_ms(r->progress_at) > 0)
		return;
	r->progress_at = mono_after(mono_now(), PROGRESS_MS);
	if (!r->program_noted) {
		enum err e = store_queue_program(
		    db, &r->token, program_name(r->context->program), r->context->program->version);

		note(r, e);
		r->program_noted = e == ERR_OK;
		if (e != ERR_OK)
			return;
	}
	report_counters(p, &c);
	if (report_same(&c, &r->reported))
		return;
	note(r, store_queue_progress(db, &r->token, &c, p->errors, p->warnings));
	report_keep(&c, &r->reported);
}

static void finish(struct runner *r, struct db *db)
{
	struct progress *p = &r->output.progress;
	const struct outcome_input in = {.start = r->start,
	    .wish = r->wish,
	    .have_status = r->have_status,
	    .wait_status = r->wait_status,
	    .dry_run = r->dry_run,
	    .progress = p};
	const struct outcome o = outcome_judge(&in);
	struct job_counters c;
	struct queue_ending ending;
	enum err e;

	crash_point("before_finish");
	report_counters(p, &c);
	report_ending(&o, p, &c, &ending);
	e = store_queue_finish(db, &r->token, &ending);
	if (e == ERR_OK) {
		crash_point("after_commit");
		log_info("%s: %s (%s)", r->label, job_state_name(ending.state), o.reason);
		r->finished = true;
		return;
	}
	if (e == ERR_LOST) {
		log_warnx("%s: ended by somebody else", r->label);
		r->finished = true;
		return;
	}
	(void)link_note(r->context->db_link, e);
	r->retry_at = mono_after(mono_now(), RETRY_MS);
}

void runner_tick(struct runner *r)
{
	struct db *db;

	check_limits(r);
	if (r->wish == WISH_LOST) {
		r->finished = r->state == DEAD;
		return;
	}
	if (mono_left_ms(r->retry_at) > 0 || (db = link_db(r->context->db_link)) == NULL)
		return;
	if (r->state != DEAD && r->start == START_OK)
		write_progress(r, db);
	if (r->retry_at.ms <= mono_now().ms && output_due_ms(&r->output) == 0)
		note(r, output_store(&r->output, db, &r->token));
	if (r->state == DEAD && output_is_stored(&r->output) && mono_left_ms(r->retry_at) == 0 &&
	    r->wish != WISH_LOST)
		finish(r, db);
}
