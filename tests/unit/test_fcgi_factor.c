/* The pure parts of the second factor: codes, recovery codes, the QR code. */
#include "tests/unit/unit.h"

#include <string.h>

#include "fcgi/qr.h"
#include "fcgi/recovery.h"
#include "fcgi/totp.h"

/* RFC 6238, appendix B, the column for SHA-1; its codes have 8 digits, ours are the last 6 of them. */
static const unsigned char rfc_secret[TOTP_SECRET_BYTES + 1] = "12345678901234567890";
static const struct {
	int64_t at_s;
	const char *code;
} rfc[] = {
    {59, "287082"},
    {1111111109, "081804"},
    {1111111111, "050471"},
    {1234567890, "005924"},
    {2000000000, "279037"},
    {20000000000, "353130"},
};

enum { RFC_ROWS = sizeof(rfc) / sizeof(rfc[0]) };

static void the_codes_of_the_rfc_are_right_at_their_time(void **state)
{
	uint64_t step;

	(void)state;
	for (size_t i = 0; i < RFC_ROWS; i++) {
		step = 0;
		assert_int_equal(totp_check(rfc_secret, rfc[i].at_s, rfc[i].code, &step), ERR_OK);
		assert_int_equal(step, rfc[i].at_s / TOTP_STEP_S);
	}
}

static void a_code_is_right_one_step_early_or_late_and_no_more(void **state)
{
	int64_t begin_s = rfc[4].at_s / TOTP_STEP_S * TOTP_STEP_S;
	uint64_t step = 0;

	(void)state;
	assert_int_equal(totp_check(rfc_secret, begin_s - TOTP_STEP_S, rfc[4].code, &step), ERR_OK);
	assert_int_equal(step, begin_s / TOTP_STEP_S);
	assert_int_equal(totp_check(rfc_secret, begin_s + 2 * TOTP_STEP_S - 1, rfc[4].code, &step), ERR_OK);
	assert_int_equal(step, begin_s / TOTP_STEP_S);
	assert_int_equal(totp_check(rfc_secret, begin_s - TOTP_STEP_S - 1, rfc[4].code, &step), ERR_DENIED);
	assert_int_equal(totp_check(rfc_secret, begin_s + 2 * TOTP_STEP_S, rfc[4].code, &step), ERR_DENIED);
}

static void blanks_in_a_code_do_not_count(void **state)
{
	uint64_t step;

	(void)state;
	assert_int_equal(totp_check(rfc_secret, 59, " 287 082 ", &step), ERR_OK);
}

static void what_is_no_six_digits_is_no_code(void **state)
{
	static const char *const bad[] = {
	    "", " ", "28708", "2870821", "28708a", "-87082", "287\n082", "+87082"};
	uint64_t step;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(totp_check(rfc_secret, 59, bad[i], &step), ERR_INVALID);
}

static void nothing_breaks_at_the_beginning_of_time(void **state)
{
	uint64_t step = 9;

	(void)state;
	/* RFC 4226, appendix D, count 0 */
	assert_int_equal(totp_check(rfc_secret, 0, "755224", &step), ERR_OK);
	assert_int_equal(step, 0);
}

static void an_app_reads_secret_issuer_and_account(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();

	(void)state;
	assert_string_equal(totp_secret_text(a, rfc_secret), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
	assert_string_equal(totp_uri(a, rfc_secret, "mailconvoy a.example", "ann:x+y@example.org"),
	    "otpauth://totp/"
	    "mailconvoy%20a.example:annx%2By%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	    "&issuer=mailconvoy%20a.example&algorithm=SHA1&digits=6&period=30");
}

static void a_recovery_code_is_read_as_it_was_made(void **state)
{
	char text[RECOVERY_TEXT_LEN + 1], other[RECOVERY_TEXT_LEN + 1], code[RECOVERY_LEN + 1];

	(void)state;
	recovery_new(text);
	recovery_new(other);
	assert_string_not_equal(text, other);
	assert_int_equal(strlen(text), RECOVERY_TEXT_LEN);
	assert_int_equal(recovery_read(text, code), ERR_OK);
	for (size_t i = 0, n = 0; i < RECOVERY_TEXT_LEN; i++)
		if (text[i] != '-')
			assert_int_equal(text[i], code[n++]);
}

static void case_blanks_dashes_and_letters_that_look_alike_do_not_matter(void **state)
{
	static const char *const alike[] = {"0123-abcd-efgh-1jk1", "OL23 ABCD EFGH IJKL", "o123abcdefgh1jki",
	    "  0l23--abcd efgh-ijkl - ", "0123ABCDefghijkL"};
	char code[RECOVERY_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
		assert_int_equal(recovery_read(alike[i], code), ERR_OK);
		assert_string_equal(code, "0123abcdefgh1jk1");
	}
}

static void what_is_no_recovery_code_is_refused(void **state)
{
	static const char *const bad[] = {"", "0123-abcd-efgh-1jk", "0123-abcd-efgh-1jk1-2",
	    "0123-abcd-efgh-1ju1", "0123-abcd-efgh-1jk\xc3\xa9", "287082", "0123_abcd_efgh_1jk1"};
	char code[RECOVERY_LEN + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(recovery_read(bad[i], code), ERR_INVALID);
}

static void the_same_recovery_code_of_another_user_is_stored_as_another(void **state)
{
	unsigned char one[TOKEN_HASH_BYTES], again[TOKEN_HASH_BYTES], two[TOKEN_HASH_BYTES];

	(void)state;
	recovery_hash(1, "0123abcdefgh1jk1", one);
	recovery_hash(1, "0123abcdefgh1jk1", again);
	recovery_hash(2, "0123abcdefgh1jk1", two);
	assert_memory_equal(one, again, TOKEN_HASH_BYTES);
	assert_memory_not_equal(one, two, TOKEN_HASH_BYTES);
}

static void a_qr_code_is_a_square_of_finders_within_a_quiet_zone(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	const char *path = "";
	unsigned size = 0;

	(void)state;
	assert_int_equal(qr_path(a, "mailconvoy", &path, &size), ERR_OK);
	assert_int_equal(size, 21 + 2 * QR_QUIET);
	/* the first row begins with a finder's upper edge, and ends with another's */
	assert_int_equal(strncmp(path, "M4 4h7v1H4z", 11), 0);
	assert_non_null(strstr(path, "M18 4h7v1H18z"));
	assert_int_equal(strspn(path, "MhvHz 0123456789"), strlen(path));
}

static void what_no_qr_code_holds_is_refused(void **state)
{
	AUTO_ARENA struct arena *a = arena_new();
	char text[4001];
	const char *path;
	unsigned size;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(qr_path(a, text, &path, &size), ERR_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_codes_of_the_rfc_are_right_at_their_time),
	    cmocka_unit_test(a_code_is_right_one_step_early_or_late_and_no_more),
	    cmocka_unit_test(blanks_in_a_code_do_not_count),
	    cmocka_unit_test(what_is_no_six_digits_is_no_code),
	    cmocka_unit_test(nothing_breaks_at_the_beginning_of_time),
	    cmocka_unit_test(an_app_reads_secret_issuer_and_account),
	    cmocka_unit_test(a_recovery_code_is_read_as_it_was_made),
	    cmocka_unit_test(case_blanks_dashes_and_letters_that_look_alike_do_not_matter),
	    cmocka_unit_test(what_is_no_recovery_code_is_refused),
	    cmocka_unit_test(the_same_recovery_code_of_another_user_is_stored_as_another),
	    cmocka_unit_test(a_qr_code_is_a_square_of_finders_within_a_quiet_zone),
	    cmocka_unit_test(what_no_qr_code_holds_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
