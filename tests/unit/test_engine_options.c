#include "tests/unit/unit.h"

#include <string.h>

#include "engine/options.h"

#define NEEDED \
	"--host1=a.example", "--user1=u1", "--passfile1=/p1", "--host2=b.example", "--user2=u2", \
	    "--passfile2=/p2"

struct fixture {
	struct options o;
	struct arena *arena;
	struct buf reason;
};

static enum err parse(struct fixture *f, const char **words)
{
	const char *argv[64] = {"mailconvoy-sync"};
	int argc = 1;
	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = words[argc - 1];
	buf_clear(&f->reason);
	return options_parse(&f->o, argc, (char **)argv, f->arena, &f->reason);
}
#define PARSE(f, ...) parse(f, (const char *[]){__VA_ARGS__, NULL})

static int setup(void **state)
{
	static struct fixture f;
	f = (struct fixture){.arena = arena_new(), .reason = BUF_INIT};
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	arena_free(&f->arena);
	buf_free(&f->reason);
	return 0;
}

static void both_ways_of_giving_a_value_are_read(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(
	    PARSE(f, NEEDED, "--port1", "1143", "--errorsmax=7", "--folder", "A", "--folder=B"), ERR_OK);
	assert_int_equal(f->o.side[0].port, 1143);
	assert_int_equal(f->o.errors_max, 7);
	assert_int_equal(f->o.folders.count, 2);
	assert_string_equal(f->o.folders.words[1], "B");
	assert_string_equal(f->o.side[1].passfile, "/p2");
}

static void what_the_worker_passes_is_accepted(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(
	    PARSE(f, NEEDED, "--port1=993", "--ssl1", "--tls2", "--sslargs1=SSL_verify_mode=1",
		"--sslargs1=SSL_verifycn_scheme=imap", "--sslargs1=SSL_verifycn_name=a.example",
		"--sslargs1=SSL_ca_file=/ca", "--sslargs1=SSL_hostname=a.example", "--notrylogin",
		"--automap", "--addheader", "--nolog", "--noreleasecheck", "--no-modulesversion",
		"--nodockercontext", "--tmpdir=/t", "--pidfile=/t/pid", "--dry"),
	    ERR_OK);
	assert_string_equal(f->o.side[0].ca_file, "/ca");
	assert_true(f->o.dry);
	assert_true(f->o.automap);
	assert_int_equal(f->o.side[1].security, IMAP_SECURITY_STARTTLS);
}

static void certificates_are_verified_unless_that_is_switched_off(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(PARSE(f, NEEDED, "--sslargs2=SSL_verify_mode=0"), ERR_OK);
	assert_true(f->o.side[0].verify);
	assert_false(f->o.side[1].verify);
}

static void clear_text_takes_both_refusals(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(PARSE(f, NEEDED, "--nossl1", "--port2=143"), ERR_OK);
	assert_int_equal(f->o.side[0].security, IMAP_SECURITY_STARTTLS);
	assert_int_equal(f->o.side[0].port, 143);
	assert_int_equal(f->o.side[1].security, IMAP_SECURITY_STARTTLS);
	assert_int_equal(PARSE(f, NEEDED, "--nossl1", "--notls1"), ERR_OK);
	assert_int_equal(f->o.side[0].security, IMAP_SECURITY_NONE);
	assert_int_equal(f->o.side[1].security, IMAP_SECURITY_TLS);
	assert_int_equal(f->o.side[1].port, 993);
}

static void unknown_options_are_named(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(PARSE(f, NEEDED, "--nosuchoption=1"), ERR_INVALID);
	assert_string_equal(f->reason.data, "Unknown option: nosuchoption\n");
	assert_int_equal(PARSE(f, NEEDED, "--regextrans2=s/a/b/"), ERR_INVALID);
	assert_int_equal(PARSE(f, NEEDED, "--nohost1"), ERR_INVALID);
}

static void stray_arguments_are_refused(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(PARSE(f, NEEDED, "strayarg"), ERR_INVALID);
	assert_non_null(strstr(f->reason.data, "Found 1 extra arguments : [strayarg]"));
}

static void passwords_on_the_command_line_are_refused_unprinted(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(PARSE(f, NEEDED, "--password1=geheim"), ERR_INVALID);
	assert_non_null(strstr(f->reason.data, "refused"));
	assert_null(strstr(f->reason.data, "geheim"));
	assert_int_equal(PARSE(f, NEEDED, "--password2", "geheim"), ERR_INVALID);
	assert_null(strstr(f->reason.data, "geheim"));
}

static void numbers_must_be_numbers(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(PARSE(f, NEEDED, "--errorsmax=0"), ERR_INVALID);
	assert_int_equal(PARSE(f, NEEDED, "--port1=65536"), ERR_INVALID);
	assert_int_equal(PARSE(f, NEEDED, "--port1=-1"), ERR_INVALID);
	assert_int_equal(PARSE(f, NEEDED, "--maxsize=12k"), ERR_INVALID);
	assert_int_equal(PARSE(f, NEEDED, "--port1"), ERR_INVALID);
}

static void verifying_another_name_than_the_host_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(PARSE(f, NEEDED, "--sslargs1=SSL_verifycn_name=evil.example"), ERR_INVALID);
	assert_int_equal(PARSE(f, NEEDED, "--sslargs1=SSL_cipher_list=NULL"), ERR_INVALID);
}

static void host_user_and_passfile_are_needed(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(PARSE(f, "--host1=a"), ERR_INVALID);
	assert_non_null(strstr(f->reason.data, "Option passfile2 is needed"));
	assert_int_equal(PARSE(f, "--version"), ERR_OK);
}

static void verify_takes_a_value_or_none(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(PARSE(f, NEEDED), ERR_OK);
	assert_int_equal(f->o.verify, VERIFY_OFF);
	assert_int_equal(PARSE(f, NEEDED, "--verify", "--json"), ERR_OK);
	assert_int_equal(f->o.verify, VERIFY_SIZE);
	assert_true(f->o.json);
	assert_int_equal(PARSE(f, NEEDED, "--verify=content", "--newerthan=1700000000"), ERR_OK);
	assert_int_equal(f->o.verify, VERIFY_CONTENT);
	assert_int_equal(f->o.newer_than_s, 1700000000);
	assert_int_equal(PARSE(f, NEEDED, "--verify=content", "--noverify"), ERR_OK);
	assert_int_equal(f->o.verify, VERIFY_OFF);
	assert_int_equal(PARSE(f, NEEDED, "--verify=everything"), ERR_INVALID);
	assert_int_equal(PARSE(f, NEEDED, "--json"), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(both_ways_of_giving_a_value_are_read, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_the_worker_passes_is_accepted, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		certificates_are_verified_unless_that_is_switched_off, setup, teardown),
	    cmocka_unit_test_setup_teardown(clear_text_takes_both_refusals, setup, teardown),
	    cmocka_unit_test_setup_teardown(unknown_options_are_named, setup, teardown),
	    cmocka_unit_test_setup_teardown(stray_arguments_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		passwords_on_the_command_line_are_refused_unprinted, setup, teardown),
	    cmocka_unit_test_setup_teardown(numbers_must_be_numbers, setup, teardown),
	    cmocka_unit_test_setup_teardown(verifying_another_name_than_the_host_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(verify_takes_a_value_or_none, setup, teardown),
	    cmocka_unit_test_setup_teardown(host_user_and_passfile_are_needed, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
