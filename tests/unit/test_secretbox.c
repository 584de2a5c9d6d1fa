#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/secretbox.h"

static char dir[] = "/tmp/mcv-secretbox-XXXXXX";
static char path[64], other_path[64];
static struct secretbox_key key;

static int make_key(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	(void)snprintf(other_path, sizeof(other_path), "%s/other", dir);
	return secretbox_keygen(path, &why) != ERR_OK || secretbox_load(path, &key, &why) != ERR_OK;
}

static int drop_key(void **state)
{
	(void)state;
	secretbox_forget(&key);
	(void)unlink(path);
	(void)unlink(other_path);
	return rmdir(dir);
}

static enum err open_as(const char *aad, const void *box, size_t len)
{
	AUTO_ARENA struct arena *clean = arena_new_clean();
	char *plain;
	size_t plain_len;

	return secretbox_open(&key, aad, box, len, clean, &plain, &plain_len);
}

static void what_is_sealed_opens_byte_for_byte_for_whom_it_was_sealed(void **state)
{
	AUTO_ARENA struct arena *clean = arena_new_clean();
	AUTO_BUF struct buf box = BUF_INIT;
	char *plain;
	size_t len;

	(void)state;
	assert_int_equal(secretbox_seal(&key, "user 1", "p\xA7\0w ", 5, &box), ERR_OK);
	assert_int_equal(box.len, 5 + SECRETBOX_OVERHEAD_BYTES);
	assert_int_equal(secretbox_open(&key, "user 1", box.data, box.len, clean, &plain, &len), ERR_OK);
	assert_int_equal(len, 5);
	assert_memory_equal(plain, "p\xA7\0w ", 6);
	assert_int_equal(open_as("user 2", box.data, box.len), ERR_CRYPTO);
}

static void no_changed_or_missing_byte_goes_unnoticed(void **state)
{
	AUTO_BUF struct buf box = BUF_INIT;

	(void)state;
	assert_int_equal(secretbox_seal(&key, "aad", "secret", 6, &box), ERR_OK);
	for (size_t i = 0; i < box.len; i++) {
		box.data[i] ^= 1;
		assert_int_not_equal(open_as("aad", box.data, box.len), ERR_OK);
		box.data[i] ^= 1;
		assert_int_not_equal(open_as("aad", box.data, i), ERR_OK);
	}
	assert_int_equal(open_as("aad", box.data, box.len), ERR_OK);
}

static void the_same_secret_never_makes_the_same_box(void **state)
{
	AUTO_BUF struct buf one = BUF_INIT, two = BUF_INIT;

	(void)state;
	assert_int_equal(secretbox_seal(&key, "aad", "secret", 6, &one), ERR_OK);
	assert_int_equal(secretbox_seal(&key, "aad", "secret", 6, &two), ERR_OK);
	assert_memory_not_equal(one.data + 5, two.data + 5, one.len - 5);
}

static void another_key_is_told_from_a_broken_box(void **state)
{
	AUTO_ARENA struct arena *clean = arena_new_clean();
	AUTO_BUF struct buf box = BUF_INIT, why = BUF_INIT;
	struct secretbox_key other;
	char *plain;
	size_t len;

	(void)state;
	assert_int_equal(secretbox_keygen(other_path, &why), ERR_OK);
	assert_int_equal(secretbox_load(other_path, &other, &why), ERR_OK);
	assert_int_equal(secretbox_seal(&key, "aad", "secret", 6, &box), ERR_OK);
	assert_memory_equal(box.data + SECRETBOX_KEY_ID_AT, key.id, SECRETBOX_KEY_ID_BYTES);
	assert_int_equal(
	    secretbox_open(&other, "aad", box.data, box.len, clean, &plain, &len), ERR_NOT_FOUND);
	assert_int_equal(unlink(other_path), 0);
}

static void too_much_is_refused(void **state)
{
	static const char much[SECRETBOX_PLAIN_MAX_BYTES + 1];
	AUTO_BUF struct buf box = BUF_INIT;

	(void)state;
	assert_int_equal(secretbox_seal(&key, "aad", much, sizeof(much), &box), ERR_TOO_BIG);
	assert_int_equal(secretbox_seal(&key, "aad", much, sizeof(much) - 1, &box), ERR_OK);
	assert_int_equal(open_as("aad", box.data, box.len), ERR_OK);
}

static void a_key_is_its_owners_alone_and_never_overwritten(void **state)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct secretbox_key again;
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0400);
	assert_int_equal(secretbox_keygen(path, &why), ERR_CONFLICT);
	assert_int_equal(secretbox_load(path, &again, &why), ERR_OK);
	assert_memory_equal(again.bytes, key.bytes, SECRETBOX_KEY_BYTES);
	assert_int_equal(chmod(path, 0440), 0);
	buf_clear(&why);
	assert_int_equal(secretbox_load(path, &again, &why), ERR_DENIED);
	assert_non_null(strstr(why.data, "chmod 0400"));
	assert_int_equal(chmod(path, 0400), 0);
}

static void what_is_no_key_is_refused_without_showing_it(void **state)
{
	static const char *const bad[] = {
	    "", "\n", "5a5a\n", "not hex, but secret all the same, and of 64 characters, as a key\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_BUF struct buf why = BUF_INIT;
		struct secretbox_key none;
		FILE *f = fopen(other_path, "w");

		assert_non_null(f);
		assert_int_equal(fputs(bad[i], f) < 0, 0);
		assert_int_equal(fclose(f), 0);
		assert_int_equal(chmod(other_path, 0400), 0);
		assert_int_equal(secretbox_load(other_path, &none, &why), ERR_CRYPTO);
		assert_non_null(strstr(why.data, "64 hex digits"));
		assert_null(strstr(why.data, "secret all the same"));
		assert_int_equal(unlink(other_path), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_sealed_opens_byte_for_byte_for_whom_it_was_sealed),
	    cmocka_unit_test(no_changed_or_missing_byte_goes_unnoticed),
	    cmocka_unit_test(the_same_secret_never_makes_the_same_box),
	    cmocka_unit_test(another_key_is_told_from_a_broken_box),
	    cmocka_unit_test(too_much_is_refused),
	    cmocka_unit_test(a_key_is_its_owners_alone_and_never_overwritten),
	    cmocka_unit_test(what_is_no_key_is_refused_without_showing_it),
	};

	return cmocka_run_group_tests(tests, make_key, drop_key);
}
