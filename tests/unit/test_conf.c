#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/portlist.h"

static enum err load(const char *text, struct conf **conf_r, struct buf *why)
{
	char path[] = "/tmp/mcv-conf-XXXXXX";
	int fd = mkstemp(path);
	enum err e;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	e = conf_load(path, conf_r, why);
	(void)unlink(path);
	return e;
}

static void an_empty_file_means_the_defaults(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct conf *conf;

	(void)state;
	assert_int_equal(load("# nothing\n", &conf, &why), ERR_OK);
	assert_int_equal(conf->lease_s, 60);
	assert_string_equal(conf->sync_program, "");
	assert_string_equal(conf->trusted_proxies.items[0], "127.0.0.1");
	assert_int_equal(conf->trusted_proxies.count, 2);
	conf_free(&conf);
	assert_null(conf);
}

static void values_given_replace_the_defaults(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct conf *conf;

	(void)state;
	assert_int_equal(
	    load("poll_ms = 100\nbase_url = \"https://x\"\ndeny_networks = {}\ndebug = true\n", &conf, &why),
	    ERR_OK);
	assert_int_equal(conf->poll_ms, 100);
	assert_string_equal(conf->base_url, "https://x");
	assert_int_equal(conf->deny_networks.count, 0);
	assert_true(conf->debug);
	conf_free(&conf);
}

static bool is_open(const struct conf *conf, unsigned port)
{
	return portlist_has((const char *const *)conf->member_ports.items, conf->member_ports.count, port);
}

static void ports_are_numbers_and_ranges(void **state)
{
	static const char *const bad[] = {
	    "0", "65536", "imap", "143-", "-143", "200-100", "1-65536", "143,993", " 143", ""};
	AUTO_BUF struct buf why = BUF_INIT;
	struct conf *conf;

	(void)state;
	assert_int_equal(load("", &conf, &why), ERR_OK);
	assert_true(is_open(conf, 143) && is_open(conf, 993) && !is_open(conf, 25));
	conf_free(&conf);
	assert_int_equal(load("member_ports = {\"993\", \"1024-2048\"}\n", &conf, &why), ERR_OK);
	assert_true(is_open(conf, 993) && is_open(conf, 1024) && is_open(conf, 2048));
	assert_false(is_open(conf, 143) || is_open(conf, 1023) || is_open(conf, 2049));
	conf_free(&conf);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[100];

		(void)snprintf(text, sizeof(text), "member_ports = {\"993\", \"%s\"}\n", bad[i]);
		buf_clear(&why);
		assert_int_equal(load(text, &conf, &why), ERR_INVALID);
		assert_non_null(strstr(why.data, "member_ports"));
	}
}

static void an_unknown_setting_is_refused_with_its_line(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct conf *conf;

	(void)state;
	assert_int_equal(load("poll_ms = 100\nsped = 3\n", &conf, &why), ERR_INVALID);
	assert_non_null(strstr(why.data, "line 2"));
	assert_non_null(strstr(why.data, "sped"));
}

static void a_number_out_of_range_is_refused_with_the_range(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct conf *conf;

	(void)state;
	assert_int_equal(load("poll_ms = 1\n", &conf, &why), ERR_INVALID);
	assert_non_null(strstr(why.data, "from 50 to 60000"));
}

static void a_run_that_could_outlive_its_lease_is_refused(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct conf *conf;

	(void)state;
	assert_int_equal(load("lease_s = 50\n", &conf, &why), ERR_INVALID);
	assert_non_null(strstr(why.data, "outlive"));
}

static void a_base_url_has_a_host_and_no_path(void **state)
{
	static const char *const bad[] = {"", "mail.example.org", "ftp://x", "http://", "https://x/",
	    "https://x/panel", "https://x y", "https://user@x"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_BUF struct buf why = BUF_INIT, text = BUF_INIT;
		struct conf *conf;

		buf_addf(&text, "base_url = \"%s\"\n", bad[i]);
		assert_int_equal(load(text.data, &conf, &why), ERR_INVALID);
		assert_non_null(strstr(why.data, "base_url"));
	}
}

static void a_relay_needs_a_sender_and_a_password_tls(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
	    {"smtp_host = \"mail.example.org\"\n", "mail_from"},
	    {"smtp_host = \"a b\"\nmail_from = \"a@example.org\"\n", "smtp_host"},
	    {"smtp_security = \"ssl\"\n", "smtp_security"},
	    {"notify_batch = \"never\"\n", "notify_batch"},
	    {"smtp_host = \"m\"\nmail_from = \"a@example.org\"\nsmtp_user = \"x\"\n", "smtp_password_file"},
	    {"smtp_host = \"m\"\nmail_from = \"a@example.org\"\nsmtp_user = \"x\"\nsmtp_password_file = "
	     "\"/f\"\n"
	     "smtp_security = \"none\"\n",
		"password"},
	};
	AUTO_BUF struct buf none = BUF_INIT;
	struct conf *conf;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_BUF struct buf why = BUF_INIT;

		assert_int_equal(load(bad[i].text, &conf, &why), ERR_INVALID);
		assert_non_null(strstr(why.data, bad[i].why));
	}
	assert_int_equal(load("smtp_host = \"m\"\nmail_from = \"a@example.org\"\n", &conf, &none), ERR_OK);
	assert_string_equal(conf->smtp_security, "starttls");
	conf_free(&conf);
}

static void a_list_item_that_is_no_network_is_named(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct conf *conf;

	(void)state;
	assert_int_equal(
	    load("trusted_proxies = {\"127.0.0.1\", \"10.0.0.0/40\"}\n", &conf, &why), ERR_INVALID);
	assert_non_null(strstr(why.data, "\"10.0.0.0/40\" in trusted_proxies"));
}

static void a_panel_that_may_not_be_listed_is_named(void **state)
{
	static const char *const bad[] = {"http://panel.example.org", "https://a https://b", "*"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_BUF struct buf why = BUF_INIT, text = BUF_INIT, named = BUF_INIT;
		struct conf *conf;

		buf_addf(&text, "panel_origins = {\"https://good.example.org\", \"%s\"}\n", bad[i]);
		buf_addf(&named, "\"%s\" in panel_origins", bad[i]);
		assert_int_equal(load(text.data, &conf, &why), ERR_INVALID);
		assert_non_null(strstr(why.data, named.data));
	}
}

static void a_value_of_the_wrong_type_is_refused_with_its_line(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT, more = BUF_INIT;
	struct conf *conf;

	(void)state;
	assert_int_equal(load("# one\npoll_ms = \"often\"\n", &conf, &why), ERR_INVALID);
	assert_non_null(strstr(why.data, "line 2"));
	assert_int_equal(load("debug = perhaps\n", &conf, &more), ERR_INVALID);
	assert_non_null(strstr(more.data, "line 1"));
}

static void comments_do_not_move_the_line_that_is_named(void **state)
{
	static const char *const files[] = {
	    "# one\n\n# two\nbad = 1\n",
	    "// one\n  # two\n\nbad = 1\n",
	    "/* one\n * two\n */\nbad = 1\n",
	    "debug = true # one\nbase_url = \"http://x\" // two\n\nbad = 1\n",
	    "trusted_proxies = {\"127.0.0.1\", # one\n\"::1\"}\n\nbad = 1 # two\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		AUTO_BUF struct buf why = BUF_INIT;
		struct conf *conf;

		assert_int_equal(load(files[i], &conf, &why), ERR_INVALID);
		if (strstr(why.data, "line 4: ") == NULL)
			fail_msg("file %zu: %s", i, why.data);
	}
}

static void what_looks_like_a_comment_in_a_string_is_kept(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct conf *conf;

	(void)state;
	assert_int_equal(
	    load("state_dir = \"/a#b//c/*d*/\\\"#\"\nrun_dir = '/x#y' # no\n", &conf, &why), ERR_OK);
	assert_string_equal(conf->state_dir, "/a#b//c/*d*/\"#");
	assert_string_equal(conf->run_dir, "/x#y");
	conf_free(&conf);
}

/* What print writes to a stream, to be freed. */
static char *printed(const struct conf *conf)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	if (conf == NULL)
		conf_print_sample(f);
	else
		conf_print(conf, f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void the_sample_shows_the_defaults(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT, given = BUF_INIT;
	char *sample = printed(NULL), *by_sample, *by_default;
	struct conf *sampled, *defaults;
	int settings = 0;

	(void)state;
	for (char *line = strtok(sample, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		assert_int_equal(line[0], '#');
		if (line[1] == ' ')
			continue;
		buf_addf(&given, "%s\n", line + 1);
		settings++;
	}
	assert_true(settings > 30);
	assert_int_equal(load(given.data, &sampled, &why), ERR_OK);
	assert_int_equal(load("", &defaults, &why), ERR_OK);
	by_sample = printed(sampled);
	by_default = printed(defaults);
	assert_string_equal(by_sample, by_default);
	free(sample);
	free(by_sample);
	free(by_default);
	conf_free(&sampled);
	conf_free(&defaults);
}

static void a_missing_file_is_named(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct conf *conf;

	(void)state;
	assert_int_equal(conf_load("/nonexistent/mailconvoy.conf", &conf, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.data, "/nonexistent/mailconvoy.conf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_file_means_the_defaults),
	    cmocka_unit_test(values_given_replace_the_defaults),
	    cmocka_unit_test(ports_are_numbers_and_ranges),
	    cmocka_unit_test(an_unknown_setting_is_refused_with_its_line),
	    cmocka_unit_test(a_number_out_of_range_is_refused_with_the_range),
	    cmocka_unit_test(a_run_that_could_outlive_its_lease_is_refused),
	    cmocka_unit_test(a_base_url_has_a_host_and_no_path),
	    cmocka_unit_test(a_relay_needs_a_sender_and_a_password_tls),
	    cmocka_unit_test(a_list_item_that_is_no_network_is_named),
	    cmocka_unit_test(a_panel_that_may_not_be_listed_is_named),
	    cmocka_unit_test(a_value_of_the_wrong_type_is_refused_with_its_line),
	    cmocka_unit_test(comments_do_not_move_the_line_that_is_named),
	    cmocka_unit_test(what_looks_like_a_comment_in_a_string_is_kept),
	    cmocka_unit_test(the_sample_shows_the_defaults),
	    cmocka_unit_test(a_missing_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
