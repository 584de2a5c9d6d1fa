#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/password.h"

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

static void a_missing_file_is_named(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct conf *conf;

	(void)state;
	assert_int_equal(conf_load("/nonexistent/mailconvoy.conf", &conf, &why), ERR_NOT_FOUND);
	assert_non_null(strstr(why.data, "/nonexistent/mailconvoy.conf"));
}

static void a_password_verifies_against_its_own_hash_only(void **state)
{
	char hash[PASSWORD_HASH_MAX], again[PASSWORD_HASH_MAX];

	(void)state;
	assert_int_equal(password_hash("correct horse", hash), ERR_OK);
	assert_int_equal(password_hash("correct horse", again), ERR_OK);
	assert_string_not_equal(hash, again);
	assert_memory_equal(hash, "$y$", 3);
	assert_true(password_verify("correct horse", hash));
	assert_false(password_verify("correct hors", hash));
	assert_false(password_verify("nobody has this password", NULL));
}

static void a_short_password_is_refused(void **state)
{
	char hash[PASSWORD_HASH_MAX];

	(void)state;
	assert_int_equal(password_hash("short", hash), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_file_means_the_defaults),
	    cmocka_unit_test(values_given_replace_the_defaults),
	    cmocka_unit_test(an_unknown_setting_is_refused_with_its_line),
	    cmocka_unit_test(a_number_out_of_range_is_refused_with_the_range),
	    cmocka_unit_test(a_run_that_could_outlive_its_lease_is_refused),
	    cmocka_unit_test(a_missing_file_is_named),
	    cmocka_unit_test(a_password_verifies_against_its_own_hash_only),
	    cmocka_unit_test(a_short_password_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
