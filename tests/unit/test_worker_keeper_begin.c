/* What a keeper asks before it begins a run: whether it is still wanted, and whether its hosts are allowed.
 */
#include "tests/unit/keeper_run.h"

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/arena.h"
#include "worker/argv.h"
#include "worker/keeper_wire.h"
#include "worker/spawn.h"

static void a_run_whose_fence_has_passed_never_begins(void **state)
{
	struct run r;

	(void)state;
	run_start_with(&r, "/bin/sh", "echo ran; exec sleep 1000", -1, 1);
	run_follow(&r, NULL);
	assert_string_equal(r.output.data, "");
	assert_int_equal(r.started, 0);
	assert_int_equal(r.fenced, 1);
	run_finish(&r);
}

static void start_vetted(struct run *r, const char *source, const char *destination)
{
	AUTO_ARENA struct arena *a = arena_new();
	char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char[]){"echo ran $2 $4"}, (char[]){"sh"},
	    (char[]){"--port1=993"}, arena_printf(a, "--host1=%s", source != NULL ? source : "here"),
	    (char[]){"--port2=993"},
	    arena_printf(a, "--host2=%s", destination != NULL ? destination : "here"), NULL};
	char *networks[] = {(char[]){"192.0.2.0/24"}, (char[]){"127.0.0.0/8"}, (char[]){"::1"}};
	const struct conf_list deny = {.items = networks, .count = 3};
	const struct keeper_plan plan = {.argv = argv,
	    .envp = argv_environment(a, job_dir),
	    .job_dir = job_dir,
	    .passwords = {{"", 0}, {"", 0}},
	    .fence = mono_after(mono_now(), DEADLINE_MS * 2),
	    .vet = {source, destination},
	    .deny = &deny};

	run_start_plan(r, &plan);
	run_follow(r, NULL);
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
		run_finish(&r);
	}
}

static void a_vetted_host_elsewhere_is_connected_to(void **state)
{
	struct run r;

	(void)state;
	start_vetted(&r, "198.51.100.1", "2001:db8::1");
	assert_string_equal(r.output.data, "ran --host1=198.51.100.1 --host2=2001:db8::1\n");
	assert_int_equal(r.denied | r.no_name, 0);
	run_finish(&r);
}

/* 198.51.100.7 as one number, which the resolver takes for an address: as a name server's answer would be. */
static void the_program_is_given_the_address_that_was_vetted_and_not_the_name(void **state)
{
	struct run r;

	(void)state;
	start_vetted(&r, "3325256711", NULL);
	assert_string_equal(r.output.data, "ran --host1=198.51.100.7 --host2=here\n");
	run_finish(&r);
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
	run_finish(&r);
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_run_whose_fence_has_passed_never_begins),
	    cmocka_unit_test(a_host_in_a_denied_network_is_not_connected_to),
	    cmocka_unit_test(a_vetted_host_elsewhere_is_connected_to),
	    cmocka_unit_test(the_program_is_given_the_address_that_was_vetted_and_not_the_name),
	    cmocka_unit_test(a_vetted_name_that_does_not_resolve_begins_nothing),
	    cmocka_unit_test(nothing_begins_for_a_worker_that_is_gone),
	};

	return RUN_KEEPER_TESTS(argc, argv, tests);
}
