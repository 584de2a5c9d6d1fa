#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "worker/argv.h"
#include "worker/keeper.h"
#include "worker/keeper_wire.h"
#include "worker/spawn.h"

/* This program is its own keeper, as the worker is. */

enum { DEADLINE_MS = 20000 };

static char job_dir[] = "/tmp/mcv-keeper-XXXXXX";
static char other_dir[64]; /* below it */

struct run {
	struct keeper keeper;
	struct buf output;
	bool output_ended;
	int started, not_started, fenced, terminated, exited; /* how often */
	int denied, no_name;                                  /* bits by side */
	int status;                                           /* of KEEPER_EXITED */
	int errnum;                                           /* of KEEPER_NOT_STARTED */
};

static void start_plan(struct run *r, const char *dir, const char *program, const char *script,
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

	*r = (struct run){.keeper = KEEPER_INIT, .output = BUF_INIT};
	assert_int_equal(keeper_start(&plan, &r->keeper), ERR_OK);
}

static void start_with(
    struct run *r, const char *program, const char *script, int64_t fence_ms, unsigned grace_s)
{
	start_plan(r, job_dir, program, script, fence_ms, grace_s);
}

static void start_in(const char *dir, struct run *r, const char *script)
{
	start_plan(r, dir, "/bin/sh", script, DEADLINE_MS * 2, 1);
}

static void start(struct run *r, const char *script)
{
	start_with(r, "/bin/sh", script, DEADLINE_MS * 2, 1);
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

/* Until the keeper is gone and the output has ended, or only until needle was printed. */
static void follow(struct run *r, const char *needle)
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

static void finish(struct run *r)
{
	keeper_close(&r->keeper);
	buf_free(&r->output);
	/* a process left over would have been handed to us, a subreaper */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_false(keeper_holds(job_dir));
}

static void output_and_exit_status_come_through(void **state)
{
	struct run r;

	(void)state;
	start(&r, "echo out; echo err >&2; exit 113");
	follow(&r, NULL);
	assert_string_equal(r.output.data, "out\nerr\n");
	assert_int_equal(r.started, 1);
	assert_int_equal(r.exited, 1);
	assert_int_equal(WEXITSTATUS(r.status), 113);
	finish(&r);
}

static void passwords_come_by_descriptor_and_stand_nowhere_else(void **state)
{
	struct run r;

	(void)state;
	start(&r,
	    "test -f /dev/fd/3 && test -r /dev/fd/4 && head -n 1 /dev/fd/3 && head -n 1 /dev/fd/4; "
	    "echo looked; tr '\\0' '\\n' < /proc/self/environ | grep -c secret; "
	    "cat /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -x '[d]estination secret' | wc -l");
	follow(&r, NULL);
	assert_string_equal(r.output.data, "source secret\ndestination secret\nlooked\n0\n0\n");
	finish(&r);
}

/* Signals 32 and 33 are the C library's own: it lets nobody change what they do, and they may come in
 * ignored. */
static void the_child_begins_clean(void **state)
{
	struct run r;

	(void)state;
	start(&r, "exec 3<&- 4<&-; umask; pwd; n=0; while test $n -lt 300; do test -e /proc/$$/fd/$n && echo "
		  "fd $n; n=$((n + 1)); done; "
		  "readlink /proc/$$/fd/0; "
		  "ulimit -c; grep -E 'Sig(Blk|Ign)' /proc/$$/status | cut -f2 | sed s/180000000/000000000/ "
		  "| sort -u; "
		  "test \"$(cut -d' ' -f6 /proc/$$/stat)\" = $$ && echo own session; env | cut -d= -f1 | "
		  "sort | tr '\\n' ' '");
	follow(&r, NULL);
	assert_non_null(strstr(r.output.data, "0077\n"));
	assert_non_null(strstr(r.output.data, job_dir));
	assert_non_null(
	    strstr(r.output.data, "\nfd 0\nfd 1\nfd 2\n/dev/null\n0\n0000000000000000\nown session\n"));
	assert_non_null(strstr(r.output.data, "HOME LC_ALL PATH PWD TMPDIR TZ"));
	assert_null(strstr(r.output.data, "ASAN"));
	finish(&r);
}

static void a_program_that_cannot_run_is_told_with_its_errno(void **state)
{
	struct run r;

	(void)state;
	start_with(&r, "/nonexistent/imapsync", "", DEADLINE_MS, 1);
	follow(&r, NULL);
	assert_int_equal(r.not_started, 1);
	assert_int_equal(r.errnum, ENOENT);
	assert_int_equal(r.started + r.exited, 0);
	finish(&r);
}

/* Ignores TERM, and so does a grandchild in a session of its own and one whose parent has gone. */
static const char stubborn[] = "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 1000 & wait' & "
			       "(setsid sleep 1000 &) ; echo ready; while :; do sleep 1000; done";

static void nobody_outlives_a_stop(void **state)
{
	struct run r;

	(void)state;
	start(&r, stubborn);
	follow(&r, "ready");
	keeper_stop(&r.keeper);
	follow(&r, NULL); /* ends only when nobody holds the output any more */
	assert_true(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGKILL);
	finish(&r);
}

static void a_child_that_obeys_is_not_killed(void **state)
{
	struct run r;

	(void)state;
	start(&r, "trap 'echo bye; exit 6' TERM; echo ready; while :; do sleep 0.05; done");
	follow(&r, "ready");
	keeper_stop(&r.keeper);
	follow(&r, NULL);
	assert_non_null(strstr(r.output.data, "bye\n"));
	assert_true(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 6);
	finish(&r);
}

static void nobody_outlives_the_worker(void **state)
{
	struct run r;

	(void)state;
	start(&r, stubborn);
	follow(&r, "ready");
	(void)close(r.keeper.control_fd); /* what the kernel does when the worker dies */
	r.keeper.control_fd = -1;
	follow(&r, NULL);
	finish(&r);
}

static void the_fence_holds_without_the_worker_doing_anything(void **state)
{
	struct run r;

	(void)state;
	start_with(&r, "/bin/sh", "echo ready; exec sleep 1000", 300, 1);
	follow(&r, NULL);
	assert_int_equal(r.fenced, 1);
	assert_true(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGTERM);
	finish(&r);
}

static void too_much_memory_ends_the_run(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	char *argv[] = {arena_strdup(a, "/usr/bin/python3"), arena_strdup(a, "-c"),
	    arena_strdup(a, "import time; hog = b'x' * (100 << 20); time.sleep(1000)"), NULL};
	const struct keeper_plan plan = {.argv = argv,
	    .envp = argv_environment(a, job_dir),
	    .job_dir = job_dir,
	    .kill_grace_s = 1,
	    .fence = mono_after(mono_now(), DEADLINE_MS),
	    .memory_bytes = 60 << 20};
	struct run r = {.keeper = KEEPER_INIT, .output = BUF_INIT};

	(void)state;
	assert_int_equal(keeper_start(&plan, &r.keeper), ERR_OK);
	follow(&r, NULL);
	assert_int_equal(r.fenced, 1);
	finish(&r);
}

static void a_renewed_lease_moves_the_fence(void **state)
{
	struct run r;

	(void)state;
	start_with(&r, "/bin/sh", "echo ready; sleep 1; exit 3", 600, 1);
	follow(&r, "ready");
	keeper_fence(&r.keeper, mono_after(mono_now(), DEADLINE_MS));
	follow(&r, NULL);
	assert_int_equal(r.fenced, 0);
	assert_int_equal(WEXITSTATUS(r.status), 3);
	finish(&r);
}

static void a_stop_of_everything_at_once_is_told(void **state)
{
	struct run r;

	(void)state;
	start(&r, "echo ready; exec sleep 1000");
	follow(&r, "ready");
	(void)kill(r.keeper.pid, SIGSTOP); /* so that both are there when it looks */
	(void)kill(r.keeper.child, SIGTERM);
	(void)kill(r.keeper.pid, SIGTERM);
	(void)kill(r.keeper.pid, SIGCONT);
	follow(&r, NULL);
	assert_int_equal(r.terminated, 1);
	assert_int_equal(r.exited, 1);
	finish(&r);
}

static void what_a_program_leaves_behind_is_ended_too(void **state)
{
	struct run r;

	(void)state;
	start(&r, "(trap '' TERM; setsid sleep 1000 &) ; exit 0");
	follow(&r, NULL);
	assert_int_equal(r.exited, 1);
	assert_int_equal(WEXITSTATUS(r.status), 0);
	finish(&r);
}

static void the_job_directory_is_locked_while_anything_runs(void **state)
{
	struct run r;

	(void)state;
	start(&r, "echo ready; exec sleep 1000");
	follow(&r, "ready");
	assert_true(keeper_holds(job_dir));
	keeper_stop(&r.keeper);
	follow(&r, NULL);
	finish(&r);
}

static void a_killed_keeper_takes_its_program_along(void **state)
{
	struct run r;

	(void)state;
	start(&r, "echo ready; exec sleep 1000");
	follow(&r, "ready");
	(void)kill(r.keeper.pid, SIGKILL);
	follow(&r, NULL);
	keeper_close(&r.keeper);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	finish(&r);
}

static void a_killed_keeper_takes_sessions_of_their_own_along(void **state)
{
	struct run r, other;

	(void)state;
	assert_int_equal(mkdir(other_dir, 0700), 0);
	start(&r, "trap '' TERM; setsid sh -c 'sleep 1000 & sleep 1000' >/dev/null 2>&1 & echo ready; "
		  "exec sleep 1000");
	follow(&r, "ready");
	start_in(other_dir, &other, "echo ready; exec sleep 1000");
	follow(&other, "ready");
	(void)kill(r.keeper.pid, SIGKILL);
	follow(&r, NULL);
	keeper_close(&r.keeper);
	buf_free(&r.output);
	/* and nothing else */
	assert_int_equal(kill(other.keeper.pid, 0), 0);
	assert_int_equal(kill(other.keeper.child, 0), 0);
	keeper_stop(&other.keeper);
	follow(&other, NULL);
	finish(&other);
	assert_int_equal(rmdir(other_dir), 0);
}

static void a_run_whose_fence_has_passed_never_begins(void **state)
{
	struct run r;

	(void)state;
	start_with(&r, "/bin/sh", "echo ran; exec sleep 1000", -1, 1);
	follow(&r, NULL);
	assert_string_equal(r.output.data, "");
	assert_int_equal(r.started, 0);
	assert_int_equal(r.fenced, 1);
	finish(&r);
}

static void start_vetted(struct run *r, const char *source, const char *destination)
{
	AUTO_ARENA struct arena *a = arena_new();
	char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){"echo ran"}, NULL};
	char *networks[] = {(char[]){"192.0.2.0/24"}, (char[]){"127.0.0.0/8"}, (char[]){"::1"}};
	const struct conf_list deny = {.items = networks, .count = 3};
	const struct keeper_plan plan = {.argv = argv,
	    .envp = argv_environment(a, job_dir),
	    .job_dir = job_dir,
	    .passwords = {{"", 0}, {"", 0}},
	    .fence = mono_after(mono_now(), DEADLINE_MS * 2),
	    .vet = {source, destination},
	    .deny = &deny};

	*r = (struct run){.keeper = KEEPER_INIT, .output = BUF_INIT};
	assert_int_equal(keeper_start(&plan, &r->keeper), ERR_OK);
	follow(r, NULL);
}

static void a_host_in_a_denied_network_is_not_connected_to(void **state)
{
	static const struct {
		const char *source, *destination;
		int denied;
	} rows[] = {{"127.0.0.1", "198.51.100.1", 1}, {"198.51.100.1", "192.0.2.77", 2},
	    {NULL, "localhost", 2}, {"::ffff:127.0.0.1", NULL, 1}, {"2130706433", NULL, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run r;

		start_vetted(&r, rows[i].source, rows[i].destination);
		assert_int_equal(r.denied, rows[i].denied);
		assert_int_equal(r.started, 0);
		assert_string_equal(r.output.data, "");
		finish(&r);
	}
}

static void a_vetted_host_elsewhere_is_connected_to(void **state)
{
	struct run r;

	(void)state;
	start_vetted(&r, "198.51.100.1", "2001:db8::1");
	assert_string_equal(r.output.data, "ran\n");
	assert_int_equal(r.denied | r.no_name, 0);
	finish(&r);
}

static void a_vetted_name_that_does_not_resolve_begins_nothing(void **state)
{
	char name[80] = "";
	struct run r;

	(void)state;
	memset(name, 'a', 70); /* no label is so long: nobody is asked */
	start_vetted(&r, "198.51.100.1", name);
	assert_int_equal(r.no_name, 2);
	assert_string_equal(r.output.data, "");
	finish(&r);
}

static void nothing_begins_for_a_worker_that_is_gone(void **state)
{
	char *argv[] = {(char[]){"mailconvoy-worker"}, (char[]){KEEPER_FLAG}, (char[]){"1"},
	    (char[]){"9223372036854775"}, (char[]){"0"}, (char[]){"0"}, (char[]){"0"}, (char[]){""},
	    (char[]){""}, (char[]){""}, (char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){"echo ran"}, NULL};
	int control[2], output[2], status[2];
	char bytes[16];
	pid_t pid = 0;

	(void)state;
	assert_int_equal(pipe2(control, O_CLOEXEC), 0);
	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	assert_int_equal(pipe2(status, O_CLOEXEC), 0);
	(void)close(control[1]);
	assert_int_equal(spawn(&(const struct spawn){.path = "/proc/self/exe",
				   .argv = argv,
				   .envp = environ,
				   .cwd = job_dir,
				   .fds = {{output[1], KEEPER_FD_OUTPUT}, {STDERR_FILENO, STDERR_FILENO},
				       {STDERR_FILENO, KEEPER_PASSFILE_SOURCE},
				       {STDERR_FILENO, KEEPER_PASSFILE_DESTINATION},
				       {control[0], KEEPER_FD_CONTROL}, {status[1], KEEPER_FD_STATUS}},
				   .fd_count = 6},
			     &pid),
	    ERR_OK);
	(void)close(control[0]);
	(void)close(output[1]);
	(void)close(status[1]);
	assert_int_equal(read(output[0], bytes, sizeof(bytes)), 0);
	assert_int_equal(read(status[0], bytes, sizeof(bytes)), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(output[0]);
	(void)close(status[0]);
}

static void passwords_are_wiped_once_they_are_not_needed(void **state)
{
	struct run r;

	(void)state;
	start(
	    &r, "head -n 1 /dev/fd/3; while test -s /dev/fd/3 || test -s /dev/fd/4; do :; done; echo wiped");
	follow(&r, "source secret\n");
	keeper_forget_passwords(&r.keeper);
	keeper_forget_passwords(&r.keeper);
	follow(&r, NULL);
	assert_string_equal(r.output.data, "source secret\nwiped\n");
	finish(&r);
}

static void a_password_that_is_too_long_is_refused(void **state)
{
	static char huge[8192];
	char *argv[] = {(char[]){"/bin/true"}, NULL};
	const struct keeper_plan plan = {
	    .argv = argv, .envp = argv + 1, .job_dir = job_dir, .passwords = {{huge, sizeof(huge)}, {"", 0}}};
	struct keeper k = KEEPER_INIT;

	(void)state;
	assert_int_equal(keeper_start(&plan, &k), ERR_TOO_BIG);
	assert_int_equal(k.pid, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(output_and_exit_status_come_through),
	    cmocka_unit_test(passwords_come_by_descriptor_and_stand_nowhere_else),
	    cmocka_unit_test(the_child_begins_clean),
	    cmocka_unit_test(a_program_that_cannot_run_is_told_with_its_errno),
	    cmocka_unit_test(nobody_outlives_a_stop),
	    cmocka_unit_test(a_child_that_obeys_is_not_killed),
	    cmocka_unit_test(nobody_outlives_the_worker),
	    cmocka_unit_test(the_fence_holds_without_the_worker_doing_anything),
	    cmocka_unit_test(too_much_memory_ends_the_run),
	    cmocka_unit_test(a_renewed_lease_moves_the_fence),
	    cmocka_unit_test(a_stop_of_everything_at_once_is_told),
	    cmocka_unit_test(what_a_program_leaves_behind_is_ended_too),
	    cmocka_unit_test(the_job_directory_is_locked_while_anything_runs),
	    cmocka_unit_test(a_killed_keeper_takes_its_program_along),
	    cmocka_unit_test(a_killed_keeper_takes_sessions_of_their_own_along),
	    cmocka_unit_test(a_run_whose_fence_has_passed_never_begins),
	    cmocka_unit_test(a_host_in_a_denied_network_is_not_connected_to),
	    cmocka_unit_test(a_vetted_host_elsewhere_is_connected_to),
	    cmocka_unit_test(a_vetted_name_that_does_not_resolve_begins_nothing),
	    cmocka_unit_test(nothing_begins_for_a_worker_that_is_gone),
	    cmocka_unit_test(passwords_are_wiped_once_they_are_not_needed),
	    cmocka_unit_test(a_password_that_is_too_long_is_refused),
	};
	int failed;

	if (keeper_is_asked_for(argc, argv))
		keeper_main(argv);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (mkdtemp(job_dir) == NULL)
		return 99;
	(void)snprintf(other_dir, sizeof(other_dir), "%s/other", job_dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(job_dir);
	return failed;
}
