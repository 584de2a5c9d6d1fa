#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/vault.h"

static char dir[] = "/tmp/mcv-vault-XXXXXX";
static char private_path[64], public_path[64];
static struct vault_public_key *pub;
static struct vault_private_key *priv;

static int make_keys(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(private_path, sizeof(private_path), "%s/key", dir);
	(void)snprintf(public_path, sizeof(public_path), "%s/pub", dir);
	if (vault_keygen(private_path, public_path, &why) != ERR_OK)
		return -1;
	return vault_public_load(public_path, &pub, &why) != ERR_OK ||
	       vault_private_load(private_path, &priv, &why) != ERR_OK;
}

static int drop_keys(void **state)
{
	(void)state;
	vault_public_free(&pub);
	vault_private_free(&priv);
	(void)unlink(private_path);
	(void)unlink(public_path);
	return rmdir(dir);
}

static void what_is_sealed_opens_byte_for_byte(void **state)
{
	AUTO_ARENA struct arena *clean = arena_new_clean();
	AUTO_BUF struct buf box = BUF_INIT;
	char *plain;
	size_t len;

	(void)state;
	assert_int_equal(vault_seal(pub, "aad", "p\xA7\0w ", 5, &box), ERR_OK);
	assert_int_equal(box.len, 5 + VAULT_OVERHEAD_BYTES);
	assert_int_equal(vault_open(priv, "aad", box.data, box.len, clean, &plain, &len), ERR_OK);
	assert_int_equal(len, 5);
	assert_memory_equal(plain, "p\xA7\0w ", 6);
}

static void a_box_opens_only_for_the_account_and_side_it_was_sealed_for(void **state)
{
	AUTO_ARENA struct arena *clean = arena_new_clean();
	AUTO_BUF struct buf box = BUF_INIT;
	char *plain;
	size_t len;

	(void)state;
	assert_int_equal(vault_seal(pub, vault_aad(clean, 7, VAULT_SOURCE), "secret", 6, &box), ERR_OK);
	assert_int_equal(
	    vault_open(priv, vault_aad(clean, 8, VAULT_SOURCE), box.data, box.len, clean, &plain, &len),
	    ERR_CRYPTO);
	assert_int_equal(
	    vault_open(priv, vault_aad(clean, 7, VAULT_DESTINATION), box.data, box.len, clean, &plain, &len),
	    ERR_CRYPTO);
}

static void no_changed_or_missing_byte_goes_unnoticed(void **state)
{
	AUTO_ARENA struct arena *clean = arena_new_clean();
	AUTO_BUF struct buf box = BUF_INIT;
	char *plain;
	size_t len;

	(void)state;
	assert_int_equal(vault_seal(pub, "aad", "secret", 6, &box), ERR_OK);
	for (size_t i = 0; i < box.len; i++) {
		box.data[i] ^= 1;
		assert_int_not_equal(vault_open(priv, "aad", box.data, box.len, clean, &plain, &len), ERR_OK);
		box.data[i] ^= 1;
		assert_int_not_equal(vault_open(priv, "aad", box.data, i, clean, &plain, &len), ERR_OK);
	}
}

static void the_same_password_never_makes_the_same_box(void **state)
{
	AUTO_BUF struct buf one = BUF_INIT, two = BUF_INIT;

	(void)state;
	assert_int_equal(vault_seal(pub, "aad", "secret", 6, &one), ERR_OK);
	assert_int_equal(vault_seal(pub, "aad", "secret", 6, &two), ERR_OK);
	assert_memory_not_equal(one.data + 5, two.data + 5, one.len - 5);
}

static void a_private_key_others_may_read_is_refused_with_the_remedy(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct vault_private_key *key = NULL;

	(void)state;
	assert_int_equal(chmod(private_path, 0440), 0);
	assert_int_equal(vault_private_load(private_path, &key, &why), ERR_DENIED);
	assert_non_null(strstr(why.data, "chmod 0400"));
	assert_int_equal(chmod(private_path, 0400), 0);
}

static void a_private_key_behind_a_symbolic_link_is_refused(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct vault_private_key *key = NULL;
	char link_path[80];

	(void)state;
	(void)snprintf(link_path, sizeof(link_path), "%s/link", dir);
	assert_int_equal(symlink(private_path, link_path), 0);
	assert_int_equal(vault_private_load(link_path, &key, &why), ERR_DENIED);
	(void)unlink(link_path);
}

static void keys_are_never_overwritten(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;

	(void)state;
	assert_int_equal(vault_keygen(private_path, public_path, &why), ERR_CONFLICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_sealed_opens_byte_for_byte),
	    cmocka_unit_test(a_box_opens_only_for_the_account_and_side_it_was_sealed_for),
	    cmocka_unit_test(no_changed_or_missing_byte_goes_unnoticed),
	    cmocka_unit_test(the_same_password_never_makes_the_same_box),
	    cmocka_unit_test(a_private_key_others_may_read_is_refused_with_the_remedy),
	    cmocka_unit_test(a_private_key_behind_a_symbolic_link_is_refused),
	    cmocka_unit_test(keys_are_never_overwritten),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
