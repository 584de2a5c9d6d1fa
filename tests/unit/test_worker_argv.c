#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "worker/argv.h"

static struct argv_job job(void)
{
	return (struct argv_job){
	    .program = "/usr/bin/imapsync",
	    .job_dir = "/var/lib/mailconvoy/jobs/7-ab",
	    .ca_file = "",
	    .source = {"imap.example.org", 993, ARGV_TLS, true, "accounts", 3},
	    .destination = {"192.0.2.7", 143, ARGV_STARTTLS, true, "accounts", 4},
	};
}

static int has(char **argv, const char *word)
{
	int n = 0;

	for (; *argv != NULL; argv++)
		n += strcmp(*argv, word) == 0;
	return n;
}

static int has_prefix(char **argv, const char *prefix)
{
	int n = 0;

	for (; *argv != NULL; argv++)
		n += strncmp(*argv, prefix, strlen(prefix)) == 0;
	return n;
}

static char **build(struct arena *a, const struct argv_job *j)
{
	char **argv = NULL;

	assert_int_equal(argv_build(a, j, &argv), ERR_OK);
	return argv;
}

static void every_option_is_one_word_that_begins_with_two_dashes(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct argv_job j = job();
	char **argv = build(a, &j);

	(void)state;
	assert_string_equal(argv[0], "/usr/bin/imapsync");
	for (argv++; *argv != NULL; argv++)
		assert_true(strncmp(*argv, "--", 2) == 0);
}

static void the_words_that_must_always_be_there_are_there(void **state)
{
	static const char *const words[] = {"--host1=imap.example.org", "--port1=993", "--user1=accounts",
	    "--passfile1=/dev/fd/3", "--host2=192.0.2.7", "--port2=143", "--user2=accounts",
	    "--passfile2=/dev/fd/4", "--notrylogin", "--nolog", "--noreleasecheck", "--no-modulesversion",
	    "--automap", "--addheader", "--nodockercontext", "--tmpdir=/var/lib/mailconvoy/jobs/7-ab",
	    "--pidfile=/var/lib/mailconvoy/jobs/7-ab/pid"};
	AUTO_ARENA struct arena *a = arena_new();
	struct argv_job j = job();
	char **argv = build(a, &j);

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has(argv, words[i]) != 1)
			fail_msg("%s is there %d times", words[i], has(argv, words[i]));
	assert_int_equal(has_prefix(argv, "--errorsmax="), 1);
	assert_int_equal(has_prefix(argv, "--dry"), 0);
	j.dry_run = true;
	assert_int_equal(has(build(a, &j), "--dry"), 1);
}

static void each_security_has_its_own_switches_and_no_other(void **state)
{
	static const struct {
		enum argv_security security;
		int ssl, tls, nossl, notls;
	} rows[] = {{ARGV_TLS, 1, 0, 0, 0}, {ARGV_STARTTLS, 0, 1, 0, 0}, {ARGV_NONE, 0, 0, 1, 1}};
	AUTO_ARENA struct arena *a = arena_new();
	struct argv_job j = job();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char **argv;

		j.source.security = rows[i].security;
		argv = build(a, &j);
		assert_int_equal(has(argv, "--ssl1"), rows[i].ssl);
		assert_int_equal(has(argv, "--tls1"), rows[i].tls);
		assert_int_equal(has(argv, "--nossl1"), rows[i].nossl);
		assert_int_equal(has(argv, "--notls1"), rows[i].notls);
	}
}

static void certificates_and_names_are_verified_unless_the_server_says_no(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct argv_job j = job();
	char **argv;

	(void)state;
	j.ca_file = "/etc/ca.pem";
	j.destination.verify = false;
	argv = build(a, &j);
	assert_int_equal(has(argv, "--sslargs1=SSL_verify_mode=1"), 1);
	assert_int_equal(has(argv, "--sslargs1=SSL_verifycn_scheme=imap"), 1);
	assert_int_equal(has(argv, "--sslargs1=SSL_verifycn_name=imap.example.org"), 1);
	assert_int_equal(has(argv, "--sslargs1=SSL_hostname=imap.example.org"), 1);
	assert_int_equal(has(argv, "--sslargs1=SSL_ca_file=/etc/ca.pem"), 1);
	assert_int_equal(has(argv, "--sslargs2=SSL_verify_mode=0"), 1);
	assert_int_equal(has_prefix(argv, "--sslargs2="), 1);
}

static void a_hostile_value_stays_a_value(void **state)
{
	static const char *const users[] = {"--pipemess=touch /tmp/x", "-v", "a b", "a=b", "$(id)",
	    "u*master*pw", "\xA7latin", "'\"`\\", "--delete2"};
	AUTO_ARENA struct arena *a = arena_new();
	struct argv_job j = job();

	(void)state;
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		char word[64];

		j.source.user = users[i];
		(void)snprintf(word, sizeof(word), "--user1=%s", users[i]);
		assert_int_equal(has(build(a, &j), word), 1);
		assert_int_equal(has(build(a, &j), users[i]), 0);
	}
}

static void what_could_reach_a_protocol_line_is_refused(void **state)
{
	static const char *const bad[] = {"", "a\r\nb", "a\nb", "a\tb", "a\x7F"};
	AUTO_ARENA struct arena *a = arena_new();
	struct argv_job j;
	char **argv;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		j = job();
		j.source.user = bad[i];
		assert_int_equal(argv_build(a, &j, &argv), ERR_INVALID);
		j = job();
		j.destination.host = bad[i];
		assert_int_equal(argv_build(a, &j, &argv), ERR_INVALID);
	}
	j = job();
	j.source.port = 65536;
	assert_int_equal(argv_build(a, &j, &argv), ERR_INVALID);
	j = job();
	j.program = "imapsync";
	assert_int_equal(argv_build(a, &j, &argv), ERR_INVALID);
}

static void the_environment_is_built_from_nothing(void **state)
{
	static const char *const names[] = {"PATH=", "HOME=/job", "TMPDIR=/job", "LC_ALL=C.UTF-8", "TZ=UTC"};
	AUTO_ARENA struct arena *a = arena_new();
	char **env = argv_environment(a, "/job");
	size_t count = 0;

	(void)state;
	while (env[count] != NULL)
		count++;
	assert_int_equal(count, sizeof(names) / sizeof(names[0]));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(has_prefix(env, names[i]), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_option_is_one_word_that_begins_with_two_dashes),
	    cmocka_unit_test(the_words_that_must_always_be_there_are_there),
	    cmocka_unit_test(each_security_has_its_own_switches_and_no_other),
	    cmocka_unit_test(certificates_and_names_are_verified_unless_the_server_says_no),
	    cmocka_unit_test(a_hostile_value_stays_a_value),
	    cmocka_unit_test(what_could_reach_a_protocol_line_is_refused),
	    cmocka_unit_test(the_environment_is_built_from_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
