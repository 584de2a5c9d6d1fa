#include "tests/unit/keeper_run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "worker/argv.h"
#include "worker/keeper.h"
#include "worker/keeper_wire.h"

static void output_and_exit_status_come_through(void **state)
{
	struct run r;

	(void)state;
	run_start(&r, "echo out; echo err >&2; exit 113");
	run_follow(&r, NULL);
	assert_string_equal(r.output.data, "out\nerr\n");
	assert_int_equal(r.started, 1);
	assert_int_equal(r.exited, 1);
	assert_int_equal(WEXITSTATUS(r.status), 113);
	run_finish(&r);
}

static void passwords_come_by_descriptor_and_stand_nowhere_else(void **state)
{
	struct run r;

	(void)state;
	run_start(&r,
	    "test -f /dev/fd/3 && test -r /dev/fd/4 && head -n 1 /dev/fd/3 && head -n 1 /dev/fd/4; "
	    "echo looked; tr '\\0' '\\n' < /proc/self/environ | grep -c secret; "
	    "cat /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -x '[d]estination secret' | wc -l");
	run_follow(&r, NULL);
	assert_string_equal(r.output.data, "source secret\ndestination secret\nlooked\n0\n0\n");
	run_finish(&r);
}

/* Signals 32 and 33 are the C library's own: it lets nobody change what they do, and they may come in
 * ignored. */
static void the_child_begins_clean(void **state)
{
	struct run r;

	(void)state;
	run_start(&r,
	    "exec 3<&- 4<&-; umask; pwd; n=0; while test $n -lt 300; do test -e /proc/$$/fd/$n && echo "
	    "fd $n; n=$((n + 1)); done; "
	    "readlink /proc/$$/fd/0; "
	    "ulimit -c; grep -E 'Sig(Blk|Ign)' /proc/$$/status | cut -f2 | sed s/180000000/000000000/ "
	    "| sort -u; "
	    "test \"$(cut -d' ' -f6 /proc/$$/stat)\" = $$ && echo own session; env | cut -d= -f1 | "
	    "sort | tr '\\n' ' '");
	run_follow(&r, NULL);
	assert_non_null(strstr(r.output.data, "0077\n"));
	assert_non_null(strstr(r.output.data, job_dir));
	assert_non_null(
	    strstr(r.output.data, "\nfd 0\nfd 1\nfd 2\n/dev/null\n0\n0000000000000000\nown session\n"));
	assert_non_null(strstr(r.output.data, "HOME LC_ALL PATH PWD TMPDIR TZ"));
	assert_null(strstr(r.output.data, "ASAN"));
	run_finish(&r);
}

static void a_program_that_cannot_run_is_told_with_its_errno(void **state)
{
	struct run r;

	(void)state;
	run_start_with(&r, "/nonexistent/imapsync", "", DEADLINE_MS, 1);
	run_follow(&r, NULL);
	assert_int_equal(r.not_started, 1);
	assert_int_equal(r.errnum, ENOENT);
	assert_int_equal(r.started + r.exited, 0);
	run_finish(&r);
}

/* Ignores TERM, and so does a grandchild in a session of its own and one whose parent has gone. */
static const char stubborn[] = "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 1000 & wait' & "
			       "(setsid sleep 1000 &) ; echo ready; while :; do sleep 1000; done";

static void nobody_outlives_a_stop(void **state)
{
	struct run r;

	(void)state;
	run_start(&r, stubborn);
	run_follow(&r, "ready");
	keeper_stop(&r.keeper);
	run_follow(&r, NULL); /* ends only when nobody holds the output any more */
	assert_true(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGKILL);
	run_finish(&r);
}

static void a_child_that_obeys_is_not_killed(void **state)
{
	struct run r;

	(void)state;
	run_start(&r, "trap 'echo bye; exit 6' TERM; echo ready; while :; do sleep 0.05; done");
	run_follow(&r, "ready");
	keeper_stop(&r.keeper);
	run_follow(&r, NULL);
	assert_non_null(strstr(r.output.data, "bye\n"));
	assert_true(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 6);
	run_finish(&r);
}

static void nobody_outlives_the_worker(void **state)
{
	struct run r;

	(void)state;
	run_start(&r, stubborn);
	run_follow(&r, "ready");
	(void)close(r.keeper.control_fd); /* what the kernel does when the worker dies */
	r.keeper.control_fd = -1;
	run_follow(&r, NULL);
	run_finish(&r);
}

static void the_fence_holds_without_the_worker_doing_anything(void **state)
{
	struct run r;

	(void)state;
	run_start_with(&r, "/bin/sh", "echo ready; exec sleep 1000", 300, 1);
	run_follow(&r, NULL);
	assert_int_equal(r.fenced, 1);
	assert_true(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGTERM);
	run_finish(&r);
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
	run_follow(&r, NULL);
	assert_int_equal(r.fenced, 1);
	run_finish(&r);
}

static void a_renewed_lease_moves_the_fence(void **state)
{
	struct run r;

	(void)state;
	run_start_with(&r, "/bin/sh", "echo ready; sleep 1; exit 3", 600, 1);
	run_follow(&r, "ready");
	keeper_fence(&r.keeper, mono_after(mono_now(), DEADLINE_MS));
	run_follow(&r, NULL);
	assert_int_equal(r.fenced, 0);
	assert_int_equal(WEXITSTATUS(r.status), 3);
	run_finish(&r);
}

static void a_stop_of_everything_at_once_is_told(void **state)
{
	struct run r;

	(void)state;
	run_start(&r, "echo ready; exec sleep 1000");
	run_follow(&r, "ready");
	(void)kill(r.keeper.pid, SIGSTOP); /* so that both are there when it looks */
	(void)kill(r.keeper.child, SIGTERM);
	(void)kill(r.keeper.pid, SIGTERM);
	(void)kill(r.keeper.pid, SIGCONT);
	run_follow(&r, NULL);
	assert_int_equal(r.terminated, 1);
	assert_int_equal(r.exited, 1);
	run_finish(&r);
}

static void what_a_program_leaves_behind_is_ended_too(void **state)
{
	struct run r;

	(void)state;
	run_start(&r, "(trap '' TERM; setsid sleep 1000 &) ; exit 0");
	run_follow(&r, NULL);
	assert_int_equal(r.exited, 1);
	assert_int_equal(WEXITSTATUS(r.status), 0);
	run_finish(&r);
}

static void the_job_directory_is_locked_while_anything_runs(void **state)
{
	struct run r;

	(void)state;
	run_start(&r, "echo ready; exec sleep 1000");
	run_follow(&r, "ready");
	assert_true(keeper_holds(job_dir));
	keeper_stop(&r.keeper);
	run_follow(&r, NULL);
	run_finish(&r);
}

static void a_killed_keeper_takes_its_program_along(void **state)
{
	struct run r;

	(void)state;
	run_start(&r, "echo ready; exec sleep 1000");
	run_follow(&r, "ready");
	(void)kill(r.keeper.pid, SIGKILL);
	run_follow(&r, NULL);
	keeper_close(&r.keeper);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	run_finish(&r);
}

static void a_killed_keeper_takes_sessions_of_their_own_along(void **state)
{
	struct run r, other;

	(void)state;
	assert_int_equal(mkdir(other_dir, 0700), 0);
	run_start(&r, "trap '' TERM; setsid sh -c 'sleep 1000 & sleep 1000' >/dev/null 2>&1 & echo ready; "
		      "exec sleep 1000");
	run_follow(&r, "ready");
	run_start_in(other_dir, &other, "echo ready; exec sleep 1000");
	run_follow(&other, "ready");
	(void)kill(r.keeper.pid, SIGKILL);
	run_follow(&r, NULL);
	keeper_close(&r.keeper);
	buf_free(&r.output);
	/* and nothing else */
	assert_int_equal(kill(other.keeper.pid, 0), 0);
	assert_int_equal(kill(other.keeper.child, 0), 0);
	keeper_stop(&other.keeper);
	run_follow(&other, NULL);
	run_finish(&other);
	assert_int_equal(rmdir(other_dir), 0);
}

static void passwords_are_wiped_once_they_are_not_needed(void **state)
{
	struct run r;

	(void)state;
	run_start(
	    &r, "head -n 1 /dev/fd/3; while test -s /dev/fd/3 || test -s /dev/fd/4; do :; done; echo wiped");
	run_follow(&r, "source secret\n");
	keeper_forget_passwords(&r.keeper);
	keeper_forget_passwords(&r.keeper);
	run_follow(&r, NULL);
	assert_string_equal(r.output.data, "source secret\nwiped\n");
	run_finish(&r);
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
	    cmocka_unit_test(passwords_are_wiped_once_they_are_not_needed),
	    cmocka_unit_test(a_password_that_is_too_long_is_refused),
	};

	return RUN_KEEPER_TESTS(argc, argv, tests);
}
