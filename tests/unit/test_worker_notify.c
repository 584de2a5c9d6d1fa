#include "tests/unit/unit.h"

#include "worker/notify.h"

static void tries_are_a_minute_to_four_hours_apart(void **state)
{
	static const unsigned minutes[] = {1, 2, 4, 8, 16, 32, 64, 128, 240, 240};
	unsigned sum_s = 0, tries = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++)
		assert_int_equal(notify_backoff_s(i + 1), minutes[i] * 60);
	assert_int_equal(notify_backoff_s(UINT32_MAX), 4 * 3600);
	while (sum_s + notify_backoff_s(tries + 1) <= NOTIFY_GIVE_UP_S)
		sum_s += notify_backoff_s(++tries);
	assert_int_equal(tries, 12);
}

static void a_mail_is_given_up_after_a_day_of_tries(void **state)
{
	(void)state;
	assert_false(notify_is_last_try(1, 60));
	assert_false(notify_is_last_try(12, 73000));
	assert_true(notify_is_last_try(13, 73000));
	/* held back for weeks, and tried for the first time */
	assert_false(notify_is_last_try(1, 14 * 86400));
	/* its notifier died whenever it was sent */
	assert_false(notify_is_last_try(500, 3600));
	assert_true(notify_is_last_try(UINT32_MAX, 86400));
}

static void the_configuration_says_who_is_told(void **state)
{
	struct conf conf = {.smtp_host = "", .notify_batch = "summary", .notify_suppress_s = 60};
	struct outbox_policy p = notify_policy(&conf);

	(void)state;
	assert_false(p.is_on);
	conf.smtp_host = "mail.example.org";
	p = notify_policy(&conf);
	assert_true(p.is_on);
	assert_int_equal(p.batch, OUTBOX_SUMMARY);
	assert_int_equal(p.suppress_s, 60);
	conf.notify_batch = "each";
	assert_int_equal(notify_policy(&conf).batch, OUTBOX_EACH);
	conf.notify_batch = "off";
	assert_int_equal(notify_policy(&conf).batch, OUTBOX_OFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tries_are_a_minute_to_four_hours_apart),
	    cmocka_unit_test(a_mail_is_given_up_after_a_day_of_tries),
	    cmocka_unit_test(the_configuration_says_who_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
