#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/sso_ask.h"
#include "fcgi/sso_peer.h"
#include "fcgi/sso_rate.h"

static const struct conf_list nobody = {NULL, 0};

/* The people of a machine whose login.defs says this. */
static struct sso_people people(const char *login_defs)
{
	char path[] = "/tmp/mcv-login-defs-XXXXXX";
	struct sso_people p;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, login_defs, strlen(login_defs)), strlen(login_defs));
	assert_int_equal(close(fd), 0);
	sso_people_read(&p, path, &nobody);
	assert_int_equal(unlink(path), 0);
	return p;
}

static void people_begin_where_the_machine_says_so(void **state)
{
	struct sso_people p;

	(void)state;
	p = people("# UID_MIN 1\nUID_MIN\t\t 500 # people\nUID_MAX 60000\n");
	assert_false(sso_is_person(&p, 499));
	assert_true(sso_is_person(&p, 500));
	p = people("UID_MIN 500\nSYS_UID_MAX 999\n");
	assert_false(sso_is_person(&p, 999));
	assert_true(sso_is_person(&p, 1000));
	p = people("UID_MIN ten\nUID_MINIMUM 5\n");
	assert_false(sso_is_person(&p, 999));
	assert_true(sso_is_person(&p, 1000));
	sso_people_read(&p, "/nonexistent", &nobody);
	assert_false(sso_is_person(&p, 999));
	assert_true(sso_is_person(&p, 1000));
	p = people("UID_MIN 0\n");
	assert_false(sso_is_person(&p, 0));
}

static void nobodys_numbers_are_no_persons(void **state)
{
	static const uint32_t none[] = {0, 1, 999, 61184, 65519, 65534, 65535, UINT32_MAX - 1, UINT32_MAX};
	struct sso_people p = people("");

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(sso_is_person(&p, none[i]));
	assert_true(sso_is_person(&p, 61183));
	assert_true(sso_is_person(&p, 100000));
	p.uid_unmapped = 100000;
	assert_false(sso_is_person(&p, 100000));
}

static void who_is_nobody_may_not_ask_even_when_listed(void **state)
{
	char *all[] = {"nobody", "65534", ""};
	const struct conf_list trusted = {all, 3};
	struct sso_people p;
	struct sso_peer peer;
	const char *why;

	(void)state;
	sso_people_read(&p, "/nonexistent", &trusted);
	assert_int_equal(sso_peer_look_up(&p, 65534, &peer, &why), ERR_DENIED);
	assert_non_null(strstr(why, "nobody"));
	assert_int_equal(sso_peer_look_up(&p, 3999999999U, &peer, &why), ERR_DENIED);
	assert_non_null(strstr(why, "no name"));
	assert_int_equal(sso_peer_look_up(&p, 0, &peer, &why), ERR_OK);
	assert_true(peer.may_name);
	assert_false(peer.is_person);
	/* "daemon" and its like: a name, but a service's */
	assert_int_equal(sso_peer_look_up(&p, 1, &peer, &why), ERR_DENIED);
	assert_non_null(strstr(why, "sso_trusted_users"));
	all[2] = "1";
	assert_int_equal(sso_peer_look_up(&p, 1, &peer, &why), ERR_OK);
	assert_true(peer.may_name);
	assert_false(peer.is_person);
}

static void names_are_plain(void **state)
{
	static const char *const bad[] = {"", "-x", "a b", "a/b", "a\nb", "a\"b", "\303\244", "a:b",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(sso_name_ok(bad[i]));
	assert_true(sso_name_ok("bob"));
	assert_true(sso_name_ok("Bob.B-1_x@example.org+y"));
}

static enum err ask(struct arena *a, const struct sso_peer *peer, const char *line, struct sso_ask *ask_r)
{
	const char *why = NULL;
	enum err e = sso_ask_read(a, line, strlen(line), ask_r, &why);

	if (e == ERR_OK)
		e = sso_ask_judge(peer, ask_r, &why);
	if (e != ERR_OK)
		assert_non_null(why);
	return e;
}

static void an_ordinary_user_gets_what_is_theirs_and_names_nobody(void **state)
{
	static const char *const naming[] = {"{\"account\":\"eve\"}", "{\"account\":\"bob\"}",
	    "{\"user\":\"bob\"}", "{\"check\":true}", "{\"support\":\"bob\"}",
	    "{\"account\":\"bob\",\"user\":\"bob\"}"};
	const struct sso_peer bob = {.uid = 1001, .name = "bob", .is_person = true};
	struct arena *a = arena_new();
	struct sso_ask got;

	(void)state;
	assert_int_equal(ask(a, &bob, "{}", &got), ERR_OK);
	assert_string_equal(got.account, "bob");
	assert_null(got.user);
	assert_null(got.support);
	assert_int_equal(got.ttl_s, 60);
	assert_int_equal(ask(a, &bob, "{\"return_to\":\"/x\",\"ttl\":7}", &got), ERR_OK);
	assert_string_equal(got.account, "bob");
	assert_string_equal(got.return_to, "/x");
	assert_int_equal(got.ttl_s, 7);
	for (size_t i = 0; i < sizeof(naming) / sizeof(naming[0]); i++)
		assert_int_equal(ask(a, &bob, naming[i], &got), ERR_DENIED);
	arena_free(&a);
}

static void who_is_trusted_may_name_and_root_must(void **state)
{
	const struct sso_peer root = {.uid = 0, .name = "root", .may_name = true};
	const struct sso_peer panel = {.uid = 1001, .name = "panel", .is_person = true, .may_name = true};
	struct arena *a = arena_new();
	struct sso_ask got;

	(void)state;
	assert_int_equal(ask(a, &root, "{}", &got), ERR_INVALID);
	assert_int_equal(ask(a, &root, "{\"user\":\"x\"}", &got), ERR_INVALID);
	assert_int_equal(ask(a, &root, "{\"check\":true}", &got), ERR_OK);
	assert_int_equal(ask(a, &root, "{\"account\":\"eve\",\"user\":\"x\"}", &got), ERR_OK);
	assert_string_equal(got.account, "eve");
	assert_string_equal(got.user, "x");
	assert_string_equal(got.support, "root");
	assert_int_equal(ask(a, &root, "{\"account\":\"eve\",\"support\":\"Ada\"}", &got), ERR_OK);
	assert_string_equal(got.support, "Ada");
	assert_int_equal(ask(a, &panel, "{}", &got), ERR_OK);
	assert_null(got.support);
	assert_string_equal(got.account, "panel");
	assert_int_equal(ask(a, &panel, "{\"account\":\"eve\"}", &got), ERR_OK);
	assert_string_equal(got.account, "eve");
	assert_null(got.support);
	arena_free(&a);
}

static void what_is_no_request_is_refused_with_a_reason(void **state)
{
	static const char *const bad[] = {"", "x", "[]", "{", "{} {}", "{\"ttl\":0}", "{\"ttl\":121}",
	    "{\"ttl\":-1}", "{\"ttl\":\"x\"}", "{\"uid\":0}", "{\"role\":\"admin\"}", "{\"account\":\"a b\"}",
	    "{\"account\":\"\"}", "{\"user\":\"a/b\"}", "{\"account\":[]}", "{\"account\":{}}",
	    "{\"return_to\":\"a\\u0000b\"}", "{\"return_to\":\"\xff\"}", "{\"ttl\":1,\"ttl\":2,}",
	    "{\"account\":\"eve\",\"support\":\"\"}", "{\"account\":\"eve\",\"support\":\" \"}"};
	const struct sso_peer root = {.uid = 0, .name = "root", .may_name = true};
	struct arena *a = arena_new();
	struct sso_ask got;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ask(a, &root, bad[i], &got), ERR_INVALID);
	arena_free(&a);
}

static void each_uid_is_counted_for_itself_and_for_a_minute(void **state)
{
	struct sso_rate *r = calloc(1, sizeof(*r));
	const mono_time begun = {1000};

	(void)state;
	assert_non_null(r);
	for (int i = 0; i < 3; i++)
		assert_int_equal(sso_rate_count(r, 1001, 3, begun), 0);
	assert_int_equal(sso_rate_count(r, 1001, 3, begun), SSO_RATE_WINDOW_S);
	assert_int_equal(sso_rate_count(r, 1001, 3, mono_after(begun, 59001)), 1);
	assert_int_equal(sso_rate_count(r, 1002, 3, begun), 0);
	assert_int_equal(sso_rate_count(r, 0, 3, begun), 0);
	assert_int_equal(sso_rate_count(r, 1001, 3, mono_after(begun, 60000)), 0);
	free(r);
}

static void when_all_seats_are_taken_the_oldest_gives_way(void **state)
{
	struct sso_rate *r = calloc(1, sizeof(*r));

	(void)state;
	assert_non_null(r);
	for (uint32_t uid = 1; uid <= SSO_RATE_SEATS; uid++)
		assert_int_equal(sso_rate_count(r, uid, 1, (mono_time){uid}), 0);
	assert_int_equal(sso_rate_count(r, 5000, 1, (mono_time){5000}), 0);
	assert_true(sso_rate_count(r, 2, 1, (mono_time){5000}) > 0);
	assert_true(sso_rate_count(r, 5000, 1, (mono_time){5000}) > 0);
	assert_int_equal(sso_rate_count(r, 1, 1, (mono_time){5000}), 0);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(people_begin_where_the_machine_says_so),
	    cmocka_unit_test(nobodys_numbers_are_no_persons),
	    cmocka_unit_test(who_is_nobody_may_not_ask_even_when_listed),
	    cmocka_unit_test(names_are_plain),
	    cmocka_unit_test(an_ordinary_user_gets_what_is_theirs_and_names_nobody),
	    cmocka_unit_test(who_is_trusted_may_name_and_root_must),
	    cmocka_unit_test(what_is_no_request_is_refused_with_a_reason),
	    cmocka_unit_test(each_uid_is_counted_for_itself_and_for_a_minute),
	    cmocka_unit_test(when_all_seats_are_taken_the_oldest_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
