#include "tests/unit/unit.h"

#include "lib/netmask.h"

static const char *const items[] = {"10.0.0.0/8", "172.16.0.0/12", "127.0.0.1", "fe80::/10", "::1/128"};

static struct netmask_list *list_of(void)
{
	struct netmask_list *list;
	size_t bad;

	assert_int_equal(netmask_list_new(items, sizeof(items) / sizeof(items[0]), &list, &bad), ERR_OK);
	return list;
}

static void addresses_inside_are_held_and_neighbours_are_not(void **state)
{
	struct netmask_list *list = list_of();

	(void)state;
	assert_true(netmask_list_has_text(list, "10.255.255.255"));
	assert_false(netmask_list_has_text(list, "11.0.0.0"));
	assert_true(netmask_list_has_text(list, "172.31.255.255"));
	assert_false(netmask_list_has_text(list, "172.32.0.0"));
	assert_true(netmask_list_has_text(list, "127.0.0.1"));
	assert_false(netmask_list_has_text(list, "127.0.0.2"));
	assert_true(netmask_list_has_text(list, "febf::1"));
	assert_false(netmask_list_has_text(list, "fec0::1"));
	assert_true(netmask_list_has_text(list, "::1"));
	netmask_list_free(&list);
}

static void an_ipv4_address_hidden_in_ipv6_is_seen(void **state)
{
	struct netmask_list *list = list_of();

	(void)state;
	assert_true(netmask_list_has_text(list, "::ffff:10.1.2.3"));
	assert_true(netmask_list_has_text(list, "64:ff9b::7f00:1"));
	assert_true(netmask_list_has_text(list, "2002:a01:203::1"));
	assert_false(netmask_list_has_text(list, "::ffff:192.0.2.1"));
	netmask_list_free(&list);
}

static void what_is_no_network_is_refused_by_its_place(void **state)
{
	static const char *const bad[] = {
	    "10.0.0.0/33", "10.0.0/8", "::/129", "x", "10.0.0.0/", "10.0.0.0/8x", ""};
	struct netmask_list *list;
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *const two[] = {"10.0.0.0/8", bad[i]};

		assert_int_equal(netmask_list_new(two, 2, &list, &at), ERR_INVALID);
		assert_int_equal(at, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_inside_are_held_and_neighbours_are_not),
	    cmocka_unit_test(an_ipv4_address_hidden_in_ipv6_is_seen),
	    cmocka_unit_test(what_is_no_network_is_refused_by_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
