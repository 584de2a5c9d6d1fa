#include "worker/runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "worker/able.h"
#include "worker/crash.h"
#include "worker/jobdir.h"
#include "worker/keeper.h"
#include "worker/launch.h"
#include "worker/output.h"
#include "worker/notify.h"
#include "worker/report.h"
#include "worker/verification.h"

enum {
	PROGRESS_MS = 1000, /* the job's row changes at most so often */
	LOOK_MS = 1000,     /* limits are looked at so often */
	RETRY_MS = 200,     /* after the database refused */
	FULL_MS = 1000,     /* after it had no room */
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
	const struct program *program; /* the one that copies */
	struct launch launch;
	struct verification verification;
	mono_time fence;
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

/* How the program that ran last ended. */
static struct outcome_input ended(const struct runner *r)
{
	return (struct outcome_input){.start = r->start,
	    .wish = r->wish,
	    .have_status = r->have_status,
	    .wait_status = r->wait_status,
	    .dry_run = r->launch.dry_run,
	    .progress = &r->output.progress};
}

/* The copy is over; whether its verification runs now. */
static bool begin_verification(struct runner *r)
{
	const struct outcome_input copy = ended(r);
	struct program *engine = r->context->engine;
	struct verification *v = &r->verification;
	struct launch_program p = {.job_dir = r->job_dir, .verify = v->mode, .fence = r->fence};

	if (!verification_begin(v, &copy))
		return false;
	r->have_status = false;
	output_again(&r->output);
	r->output.progress.on_line = verified_line;
	r->output.progress.on_line_ctx = &v->found;
	r->output.ended = true; /* unless it starts */
	if (r->wish != WISH_NONE)
		return false;
	r->start = program_find_engine(engine, r->context->conf, r->context->conf->state_dir) == ERR_OK
		       ? START_OK
		       : START_NO_ENGINE;
	if (r->start != START_OK)
		return false;
	p.path = engine->path;
	p.folder_map = verification_folder_map(v, r->arena, r->job_dir);
	r->start = launch(&r->launch, &p, &r->keeper);
	if (r->start != START_OK)
		return false;
	r->output.ended = false;
	log_info("%s: copied; verifying, keeper %d", r->label, (int)r->keeper.pid);
	return true;
}

static void handle(struct runner *r, enum event ev)
{
	const struct step *s = &steps[r->state][ev];

	if (s->stop)
		keeper_stop(&r->keeper);
	if (s->next == DEAD && r->state != DEAD) {
		output_end(&r->output, r->keeper.output_fd);
		keeper_close(&r->keeper);
		if (begin_verification(r)) {
			r->state = STARTING;
			return;
		}
		if (r->job_dir != NULL)
			jobdir_remove(r->job_dir);
	}
	r->state = s->next;
}

/* Starting */

static enum start_failure start_copy(struct runner *r, bool is_mending)
{
	const struct conf *conf = r->context->conf;
	struct launch_program p = {.fence = r->fence, .redact = r->output.redact};
	const char *dir = NULL;
	enum start_failure f = able_program(
	    &r->output, &r->launch, is_mending ? NULL : r->context->program, r->context->engine, &r->program);

	if (f != START_OK)
		return f;
	if (jobdir_make(r->arena, conf->state_dir, r->context->worker_id, &r->token, &dir) != ERR_OK) {
		log_warn("%s: directory below %s", r->label, conf->state_dir);
		return START_SYSTEM;
	}
	r->job_dir = arena_strdup(r->arena, dir);
	p.path = r->program->path;
	p.job_dir = r->job_dir;
	f = launch(&r->launch, &p, &r->keeper);
	if (f == START_OK)
		crash_point("after_fork");
	return f;
}

struct runner *runner_new(const struct runner_context *context, const struct queue_token *t,
    const struct queue_job *job, mono_time fence)
{
	struct runner *r = mem_alloc(sizeof(*r));
	const struct conf *conf = context->conf;

	*r = (struct runner){.context = context,
	    .token = *t,
	    .state = STARTING,
	    .arena = arena_new(),
	    .keeper = KEEPER_INIT,
	    .fence = fence,
	    .began = mono_now()};
	(void)snprintf(r->label, sizeof(r->label), "job %llu", (unsigned long long)t->job_id);
	r->progress_at = r->retry_at = r->began;
	job_counters_init(&r->reported);
	output_init(
	    &r->output, redact_new(), conf->log_head_mb * 1024 * 1024, conf->log_tail_mb * 1024 * 1024);
	launch_init(&r->launch, r->arena, conf, context->key, r->label, job);
	verification_init(&r->verification, conf, job->job.dry_run);
	r->output.progress.on_line = verification_line;
	r->output.progress.on_line_ctx = &r->verification;
	r->start = start_copy(r, job->is_mending);
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
	verification_free(&(*r)->verification);
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
	r->fence = fence;
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
			log_warn(
			    "%s: %s", r->label, r->verification.begun ? "verification" : r->program->path);
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

/* There is no room for the log: what was printed waits in memory.  A run with more to say than fits there is
 * ended; one that is over waits as long as it might have been silent, but stops no worker. */
static void wait_for_room(struct runner *r, int64_t full_ms)
{
	if (r->state != DEAD && !output_wants(&r->output) && !r->output.ended)
		runner_wish(r, WISH_LOG);
	if (r->wish == WISH_STOP || (r->state == DEAD && full_ms > r->context->conf->run_silence_s * 1000))
		output_discard(&r->output, r->label);
}

static void check_limits(struct runner *r)
{
	const struct conf *conf = r->context->conf;
	mono_time now = mono_now();

	if (output_full_ms(&r->output) >= 0)
		wait_for_room(r, output_full_ms(&r->output));
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
	case ERR_FULL:
	case ERR_BUSY: break;
	default:
		log_warnx("%s: %s", r->label, err_text(e));
		output_discard(&r->output, r->label);
		runner_wish(r, WISH_LOG);
		break;
	}
	r->retry_at = mono_after(mono_now(), e == ERR_FULL ? FULL_MS : RETRY_MS);
}

/* Once: from then on the job's page says what goes on. */
static void note_verification(struct runner *r, struct db *db)
{
	struct job_verify v;
	enum err e;

	job_verify_init(&v);
	v.state = VERIFY_RUNNING;
	v.mode = r->verification.mode;
	e = store_queue_verify(db, &r->token, &v);
	note(r, e);
	r->verification.noted = e == ERR_OK;
}

static void write_progress(struct runner *r, struct db *db)
{
	const struct progress *p = &r->output.progress;
	struct job_counters c;

	/* Signed in on both sides, it has no more use for the passfiles: imapsync and the engine read them
	 * once; access tokens, for each connection. */
	if (p->logged_in[SIDE_SOURCE] && p->logged_in[SIDE_DESTINATION] && !launch_keeps_secrets(&r->launch))
		keeper_forget_passwords(&r->keeper);
	if (mono_left_ms(r->progress_at) > 0)
		return;
	r->progress_at = mono_after(mono_now(), PROGRESS_MS);
	if (!r->program_noted) {
		enum err e =
		    store_queue_program(db, &r->token, program_name(r->program), r->program->version);

		note(r, e);
		r->program_noted = e == ERR_OK;
		if (e != ERR_OK)
			return;
	}
	if (r->verification.begun)
		p = &r->verification.copied;
	if (r->verification.begun && !r->verification.noted)
		note_verification(r, db);
	report_counters(p, &c);
	if (report_same(&c, &r->reported))
		return;
	note(r, store_queue_progress(db, &r->token, &c, p->errors, p->warnings));
	report_keep(&c, &r->reported);
}

static struct outcome judge(const struct runner *r)
{
	const struct outcome_input last = ended(r);

	return r->verification.begun
		   ? outcome_judge_verified(&r->verification.copy, &last, &r->verification.found)
		   : outcome_judge(&last);
}

static void finish(struct runner *r, struct db *db)
{
	const struct verification *v = &r->verification;
	const struct progress *p = v->begun ? &v->copied : &r->output.progress;
	const struct outcome o = judge(r);
	struct job_counters c;
	struct job_verify verify;
	struct queue_ending ending;
	enum err e;

	crash_point("before_finish");
	report_counters(p, &c);
	report_ending(&o, p, &c, &ending);
	ending.mail = notify_policy(r->context->conf);
	if (v->begun) {
		report_verify(&o, v->mode, &v->found, &verify);
		ending.verify = &verify;
	}
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
	r->retry_at = mono_after(mono_now(), e == ERR_FULL ? FULL_MS : RETRY_MS);
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
