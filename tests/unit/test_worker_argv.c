#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "worker/argv.h"
#include "worker/option_words.h"

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

enum { BEGAN_S = 1551772800 }; /* 5 March 2019, 08:00 UTC */

/* What an option becomes for each program: words with a blank line between. */
static const struct option_row {
	enum joboption option;
	const char *text;
	const char *engine, *imapsync; /* NULL: the same */
} option_rows[] = {
    {OPTION_FOLDER, "Work\n-x", "--folder=Work\n--folder=-x\n--automap", NULL},
    {OPTION_FOLDER, "Entw\xC3\xBCrfe", "--folder=Entw&APw-rfe\n--automap", NULL},
    {OPTION_FOLDER, "Entw&APw-rfe", "--folder=Entw&APw-rfe\n--automap", NULL},
    {OPTION_FOLDER, "A & B", "--folder=A &- B\n--automap", NULL},
    {OPTION_FOLDERREC, "Work", "--folderrec=Work\n--automap", "--folderrec=Work\n--folder=Work\n--automap"},
    {OPTION_EXCLUDE, "a.b (c) [d] e*f+g?h|i^j$k\\l{m}",
	"--exclude=^a\\.b \\(c\\) \\[d\\] e\\*f\\+g\\?h\\|i\\^j\\$k\\\\l\\{m\\}$\n--automap", NULL},
    {OPTION_EXCLUDE, "(?{system 'x'})", "--exclude=^\\(\\?\\{system 'x'\\}\\)$\n--automap", NULL},
    {OPTION_EXCLUDE, "inbox", "--exclude=^[Ii][Nn][Bb][Oo][Xx]$\n--automap", NULL},
    {OPTION_F1F2, "\xC3\x9C=A/B", "--f1f2=&ANw-=A/B\n--automap", NULL},
    {OPTION_SUBFOLDER1, "Work", "--subfolder1=Work\n--automap", NULL},
    {OPTION_SUBFOLDER2, "Old", "--subfolder2=Old\n--automap", NULL},
    {OPTION_NOAUTOMAP, "1", "", NULL},
    {OPTION_NOSUBSCRIBE, "1", "--automap\n--nosubscribe", NULL},
    {OPTION_MAXSIZE, "25 MB", "--automap\n--maxsize=25000000", NULL},
    {OPTION_MINSIZE, "1 KiB", "--automap\n--minsize=1024", NULL},
    {OPTION_MAXAGE, "5", "--automap\n--search1=SENTSINCE 28-Feb-2019", NULL},
    {OPTION_MINAGE, "64", "--automap\n--search1=SENTBEFORE 31-Dec-2018", NULL},
    {OPTION_MAXAGE, "36500", "--automap\n--search1=SENTSINCE 1-Jan-1970", NULL},
    {OPTION_SINCE, "2019-12-09", "--automap\n--search1=SENTSINCE 9-Dec-2019", NULL},
    {OPTION_BEFORE, "2020-01-31", "--automap\n--search1=SENTBEFORE 31-Jan-2020", NULL},
    {OPTION_ONLY, "unseen", "--automap\n--search1=UNSEEN", NULL},
    {OPTION_ONLY, "seen", "--automap\n--search1=SEEN", NULL},
    {OPTION_ONLY, "flagged", "--automap\n--search1=FLAGGED", NULL},
    {OPTION_ONLY, "unflagged", "--automap\n--search1=UNFLAGGED", NULL},
    {OPTION_NOSYNCFLAGS, "1", "--automap\n--nosyncflags", NULL},
    {OPTION_USEHEADER, "Message-Id\nX-Id", "--automap\n--useheader=Message-Id\n--useheader=X-Id", NULL},
    {OPTION_MAXBYTESPERSECOND, "1 MB", "--automap\n--maxbytespersecond=1000000",
	"--automap\n--maxbytespersecond=1000000\n--maxsleep=300"},
    {OPTION_MAXMESSAGESPERSECOND, "7", "--automap\n--maxmessagespersecond=7",
	"--automap\n--maxmessagespersecond=7\n--maxsleep=300"},
    {OPTION_TIMEOUT, "300", "--automap\n--timeout1=300\n--timeout2=300", NULL},
    {OPTION_CONNECTIONS, "4", "--automap\n--connections=4", NULL},
    {OPTION_AUTHMECH1, "PLAIN", "--automap\n--authmech1=PLAIN", NULL},
    {OPTION_AUTHMECH2, "SCRAM-SHA-256", "--automap\n--authmech2=SCRAM-SHA-256", NULL},
    {OPTION_AUTHUSER1, "--delete2", "--automap\n--authuser1=--delete2", NULL},
    {OPTION_AUTHUSER2, "root*", "--automap\n--authuser2=root*", NULL},
};

static void set_option(struct joboptions *o, enum joboption i, const char *text, struct arena *a)
{
	const char *why = "";

	if (joboptions_set(o, i, text, a, &why) != ERR_OK)
		fail_msg("%s: %s", joboption_rows[i].name, why);
}

static const char *words_of(struct arena *a, const struct joboptions *o, bool is_engine)
{
	const char *all = "";

	for (char **word = option_words(a, o, is_engine, BEGAN_S); *word != NULL; word++)
		all = arena_printf(a, "%s%s%s", all, *all != '\0' ? "\n" : "", *word);
	return all;
}

static void each_option_becomes_words_of_its_own(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	bool seen[JOBOPTION__MAX] = {false};

	(void)state;
	for (size_t i = 0; i < sizeof(option_rows) / sizeof(option_rows[0]); i++) {
		const struct option_row *row = &option_rows[i];
		struct joboptions o = {0};

		seen[row->option] = true;
		set_option(&o, row->option, row->text, a);
		assert_string_equal(words_of(a, &o, true), row->engine);
		assert_string_equal(
		    words_of(a, &o, false), row->imapsync != NULL ? row->imapsync : row->engine);
	}
	for (unsigned i = 0; i < JOBOPTION__MAX; i++)
		if (!seen[i])
			fail_msg("%s is not tried", joboption_rows[i].name);
}

static void all_that_chooses_by_date_or_mark_is_one_search(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct joboptions o = {0};

	(void)state;
	set_option(&o, OPTION_MAXAGE, "10", a);
	set_option(&o, OPTION_MINAGE, "2", a);
	set_option(&o, OPTION_SINCE, "2018-01-01", a);
	set_option(&o, OPTION_BEFORE, "2020-01-01", a);
	set_option(&o, OPTION_ONLY, "flagged", a);
	assert_string_equal(words_of(a, &o, false), "--automap\n--search1=SENTSINCE 23-Feb-2019 SENTBEFORE "
						    "3-Mar-2019 SENTSINCE 1-Jan-2018 SENTBEFORE "
						    "1-Jan-2020 FLAGGED");
}

static void what_imapsync_cannot_is_known(void **state)
{
	static const struct {
		enum joboption option;
		const char *text;
		bool fits;
	} rows[] = {{OPTION_FOLDER, "\xC3\xBC*%", true}, {OPTION_NOSYNCFLAGS, "1", false},
	    {OPTION_CONNECTIONS, "2", false}, {OPTION_SUBFOLDER1, "A b/c.d-e_f", true},
	    {OPTION_SUBFOLDER1, "\xC3\xBC", false}, {OPTION_SUBFOLDER2, "a&b", false},
	    {OPTION_SUBFOLDER2, "0", false}, {OPTION_SUBFOLDER2, "@{[die]}", false},
	    {OPTION_AUTHMECH1, "LOGIN", true}, {OPTION_AUTHMECH1, "PLAIN", false},
	    {OPTION_AUTHMECH2, "XOAUTH2", false}, {OPTION_AUTHMECH1, "SCRAM-SHA-256", false},
	    {OPTION_AUTHUSER1, "root", true}, {OPTION_FOLDERREC, "A%", false},
	    {OPTION_FOLDERREC, "A*", false}, {OPTION_FOLDERREC, "A", true}};
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct joboptions o = {0};

		set_option(&o, rows[i].option, rows[i].text, a);
		assert_int_equal(option_words_unfit(&o) == NULL, rows[i].fits);
	}
}

static void options_stand_in_the_vector_and_the_verification_has_them_too(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct argv_job j = job();
	struct joboptions o = {0};

	(void)state;
	set_option(&o, OPTION_FOLDER, "--delete2", a);
	set_option(&o, OPTION_NOAUTOMAP, "1", a);
	set_option(&o, OPTION_MAXAGE, "5", a);
	j.options = &o;
	j.began_s = BEGAN_S;
	for (unsigned i = 0; i < 2; i++) {
		char **argv;

		j.verify = i == 1 ? "size" : NULL;
		argv = build(a, &j);
		assert_int_equal(has(argv, "--folder=--delete2"), 1);
		assert_int_equal(has(argv, "--delete2"), 0);
		assert_int_equal(has(argv, "--automap"), 0);
		assert_int_equal(has(argv, "--search1=SENTSINCE 28-Feb-2019"), 1);
		assert_int_equal(has(argv, "--newerthan=1551772800"), i);
	}
}

static void an_access_token_is_handed_over_as_one_and_not_as_a_password(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct argv_job j = job();
	struct joboptions o = {0};
	char **argv;

	(void)state;
	set_option(&o, OPTION_AUTHMECH2, "XOAUTH2", a);
	j.options = &o;
	argv = build(a, &j);
	assert_int_equal(has(argv, "--passfile1=/dev/fd/3"), 1);
	assert_int_equal(has(argv, "--oauthaccesstoken2=/dev/fd/4"), 1);
	assert_int_equal(has_prefix(argv, "--passfile2"), 0);
	assert_int_equal(has_prefix(argv, "--oauthaccesstoken1"), 0);
	assert_false(joboptions_takes_token(&o, 0));
	assert_true(joboptions_takes_token(&o, 1));
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

static void only_our_engine_deletes_and_never_without_a_limit(void **state)
{
	static const struct {
		bool engine, dry;
		int64_t max;
		enum err want;
	} rows[] = {
	    {true, true, -1, ERR_OK},
	    {true, false, 1, ERR_OK},
	    {true, false, 42, ERR_OK},
	    {true, false, -1, ERR_INVALID},
	    {true, false, 0, ERR_INVALID},
	    {true, false, INT64_MAX, ERR_INVALID},
	    {true, true, 42, ERR_INVALID},
	    {false, true, -1, ERR_INVALID},
	    {false, false, 42, ERR_INVALID},
	};
	static const char digest[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	static const char *const bad[] = {NULL, "", "00112233",
	    "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff",
	    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0",
	    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff "};
	AUTO_ARENA struct arena *a = arena_new();
	struct argv_job j = job();
	char **argv = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		j.is_engine = rows[i].engine;
		j.dry_run = rows[i].dry;
		j.delete2 = (struct argv_delete2){.wanted = true, .digest = digest, .max = rows[i].max};
		assert_int_equal(argv_build(a, &j, &argv), rows[i].want);
		if (rows[i].want != ERR_OK)
			continue;
		assert_int_equal(has(argv, "--delete2"), 1);
		assert_int_equal(has(argv, "--dry"), rows[i].dry);
		assert_int_equal(has_prefix(argv, "--maxdelete="), !rows[i].dry);
		assert_int_equal(
		    has(argv, arena_printf(a, "--maxdelete=%lld", (long long)rows[i].max)), !rows[i].dry);
		assert_int_equal(has(argv, arena_printf(a, "--deletedigest=%s", digest)), !rows[i].dry);
	}
	/* nothing is deleted that nobody has confirmed */
	j.is_engine = true;
	j.dry_run = false;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		j.delete2 = (struct argv_delete2){.wanted = true, .digest = bad[i], .max = 42};
		assert_int_equal(argv_build(a, &j, &argv), ERR_INVALID);
	}
	/* a limit with nothing that it limits is a mistake, too */
	j.delete2 = (struct argv_delete2){.wanted = false, .max = 42};
	assert_int_equal(argv_build(a, &j, &argv), ERR_INVALID);
	/* what proves the copy deletes nothing */
	j.is_engine = true;
	j.dry_run = false;
	j.delete2 = (struct argv_delete2){.wanted = true, .digest = digest, .max = 42};
	j.verify = "size";
	argv = build(a, &j);
	assert_int_equal(has(argv, "--delete2") + has_prefix(argv, "--maxdelete"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_our_engine_deletes_and_never_without_a_limit),
	    cmocka_unit_test(every_option_is_one_word_that_begins_with_two_dashes),
	    cmocka_unit_test(the_words_that_must_always_be_there_are_there),
	    cmocka_unit_test(each_security_has_its_own_switches_and_no_other),
	    cmocka_unit_test(certificates_and_names_are_verified_unless_the_server_says_no),
	    cmocka_unit_test(each_option_becomes_words_of_its_own),
	    cmocka_unit_test(all_that_chooses_by_date_or_mark_is_one_search),
	    cmocka_unit_test(what_imapsync_cannot_is_known),
	    cmocka_unit_test(options_stand_in_the_vector_and_the_verification_has_them_too),
	    cmocka_unit_test(an_access_token_is_handed_over_as_one_and_not_as_a_password),
	    cmocka_unit_test(a_hostile_value_stays_a_value),
	    cmocka_unit_test(what_could_reach_a_protocol_line_is_refused),
	    cmocka_unit_test(the_environment_is_built_from_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
