#include "tests/unit/unit.h"

#include "lib/buf.h"
#include "lib/conf.h"
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

/* Private, shared, link-local, loopback, multicast, reserved, "this" network and what stands for them in
 * IPv6. */
static void the_default_denies_every_network_that_is_not_public(void **state)
{
	static const char *const inside[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1",
	    "100.127.255.255", "127.0.0.53", "169.254.169.254", "172.16.0.1", "192.0.0.8", "192.168.0.1",
	    "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1",
	    "::ffff:192.168.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:c0a8:1::1", "fc00::1",
	    "fdff::1", "fe80::1", "fec0::1", "ff02::1"};
	static const char *const outside[] = {"9.9.9.9", "100.63.255.255", "100.128.0.1", "172.32.0.1",
	    "192.167.255.255", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2001:db8::1", "::ffff:9.9.9.9",
	    "64:ff9b::909:909", "2002:909:909::1"};
	AUTO_BUF struct buf why = BUF_INIT;
	struct netmask_list *list;
	struct conf *conf = NULL;
	size_t bad;

	(void)state;
	assert_int_equal(conf_load("/dev/null", &conf, &why), ERR_OK);
	assert_int_equal(netmask_list_new((const char *const *)conf->deny_networks.items,
			     conf->deny_networks.count, &list, &bad),
	    ERR_OK);
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if (!netmask_list_has_text(list, inside[i]))
			fail_msg("%s may be reached", inside[i]);
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		if (netmask_list_has_text(list, outside[i]))
			fail_msg("%s may not be reached", outside[i]);
	netmask_list_free(&list);
	conf_free(&conf);
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
	    cmocka_unit_test(the_default_denies_every_network_that_is_not_public),
	    cmocka_unit_test(what_is_no_network_is_refused_by_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
