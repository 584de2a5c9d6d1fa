#include "tests/unit/keeper_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/arena.h"
#include "worker/argv.h"

char job_dir[] = "/tmp/mcv-keeper-XXXXXX";
char other_dir[64];

void run_start_plan(struct run *r, const struct keeper_plan *plan)
{
	*r = (struct run){.keeper = KEEPER_INIT, .output = BUF_INIT};
	assert_int_equal(keeper_start(plan, &r->keeper), ERR_OK);
}

static void start_sh(struct run *r, const char *dir, const char *program, const char *script,
    int64_t fence_ms, unsigned grace_s)
{
	AUTO_ARENA struct arena *a = arena_new();
	char *argv[] = {arena_strdup(a, program), arena_strdup(a, "-c"), arena_strdup(a, script), NULL};
	const struct keeper_plan plan = {
	    .argv = argv,
	    .envp = argv_environment(a, dir),
	    .job_dir = dir,
	    .passwords = {{"source secret", 13}, {"destination secret", 18}},
	    .kill_grace_s = grace_s,
	    .fence = mono_after(mono_now(), fence_ms),
	};

	run_start_plan(r, &plan);
}

void run_start_with(
    struct run *r, const char *program, const char *script, int64_t fence_ms, unsigned grace_s)
{
	start_sh(r, job_dir, program, script, fence_ms, grace_s);
}

void run_start_in(const char *dir, struct run *r, const char *script)
{
	start_sh(r, dir, "/bin/sh", script, DEADLINE_MS * 2, 1);
}

void run_start(struct run *r, const char *script)
{
	run_start_with(r, "/bin/sh", script, DEADLINE_MS * 2, 1);
}

static void read_output(struct run *r)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(r->keeper.output_fd, bytes, sizeof(bytes))) > 0)
		buf_add(&r->output, bytes, (size_t)n);
	if (n == 0)
		r->output_ended = true;
}

void run_follow(struct run *r, const char *needle)
{
	mono_time deadline = mono_after(mono_now(), DEADLINE_MS);
	bool gone = false;
	int value = 0;

	while (!(gone && r->output_ended)) {
		struct pollfd fds[] = {
		    {.fd = gone ? -1 : r->keeper.status_fd, .events = POLLIN},
		    {.fd = r->output_ended ? -1 : r->keeper.output_fd, .events = POLLIN},
		};

		if (needle != NULL && r->started > 0 && strstr(r->output.data, needle) != NULL)
			return;
		if (mono_left_ms(deadline) == 0)
			fail_msg("nothing more after %d ms; so far: %s", DEADLINE_MS, r->output.data);
		(void)poll(fds, 2, mono_left_ms(deadline));
		if (!r->output_ended)
			read_output(r);
		for (bool more = !gone; more;) {
			switch (keeper_next(&r->keeper, &value)) {
			case KEEPER_NOTHING: more = false; break;
			case KEEPER_GONE:
				gone = true;
				more = false;
				break;
			case KEEPER_STARTED: r->started++; break;
			case KEEPER_NOT_STARTED:
				r->not_started++;
				r->errnum = value;
				break;
			case KEEPER_DENIED: r->denied |= 1 << value; break;
			case KEEPER_NO_NAME: r->no_name |= 1 << value; break;
			case KEEPER_TERMINATED: r->terminated++; break;
			case KEEPER_FENCED:
			case KEEPER_TOO_FAT: r->fenced++; break;
			case KEEPER_EXITED:
				r->exited++;
				r->status = value;
				break;
			}
		}
	}
}

void run_finish(struct run *r)
{
	keeper_close(&r->keeper);
	buf_free(&r->output);
	/* a process left over would have been handed to us, a subreaper */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_false(keeper_holds(job_dir));
}

bool run_prepare(int argc, char **argv)
{
	if (keeper_is_asked_for(argc, argv))
		keeper_main(argv);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (mkdtemp(job_dir) == NULL)
		return false;
	(void)snprintf(other_dir, sizeof(other_dir), "%s/other", job_dir);
	return true;
}

int run_clean_up(int failed)
{
	(void)rmdir(job_dir);
	return failed;
}
