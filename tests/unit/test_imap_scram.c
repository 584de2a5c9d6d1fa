#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "imap/base64.h"
#include "imap/saslprep.h"
#include "imap/scram.h"

/* The conversation of RFC 7677, section 3. */
#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_FIRST "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define CLIENT_FINAL \
	"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0," \
	"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SERVER_FINAL "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static enum err answer(struct scram *s, const char *challenge, struct buf *out)
{
	struct buf first AUTO_BUF = BUF_INIT;

	assert_int_equal(scram_first(s, "user", NULL, NONCE, &first), ERR_OK);
	assert_string_equal(first.data, "n,,n=user,r=" NONCE);
	return scram_answer(s, challenge, strlen(challenge), "pencil", 6, out);
}

static void the_conversation_of_the_rfc_is_had_word_for_word(void **state)
{
	(void)state;
	struct scram s;
	struct buf out AUTO_BUF = BUF_INIT;

	assert_int_equal(answer(&s, SERVER_FIRST, &out), ERR_OK);
	assert_string_equal(out.data, CLIENT_FINAL);
	assert_int_equal(scram_check(&s, SERVER_FINAL, strlen(SERVER_FINAL)), ERR_OK);
	scram_free(&s);
}

static void a_server_that_does_not_know_the_password_is_found_out(void **state)
{
	(void)state;
	static const struct {
		const char *last;
		enum err e;
	} rows[] = {
	    {"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", ERR_CRYPTO},
	    {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl9", ERR_PROTOCOL},
	    {"v=", ERR_PROTOCOL},
	    {"v", ERR_PROTOCOL},
	    {"", ERR_PROTOCOL},
	    {"e=other-error", ERR_DENIED},
	};
	struct scram s;
	struct buf out AUTO_BUF = BUF_INIT;

	assert_int_equal(answer(&s, SERVER_FIRST, &out), ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(scram_check(&s, rows[i].last, strlen(rows[i].last)), rows[i].e);
	scram_free(&s);
}

static void a_challenge_that_is_none_or_costs_too_much_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *challenge;
		enum err e;
	} rows[] = {
	    {"r=" NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", ERR_PROTOCOL},
	    {"r=another" NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", ERR_PROTOCOL},
	    {"m=must,r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", ERR_PROTOCOL},
	    {"r=" NONCE "x,i=4096,s=W22ZaJ0SNY7soEsUEjb6gQ==", ERR_PROTOCOL},
	    {"r=" NONCE "x,s=,i=4096", ERR_PROTOCOL},
	    {"r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ=,i=4096", ERR_PROTOCOL},
	    {"r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==", ERR_PROTOCOL},
	    {"r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=", ERR_PROTOCOL},
	    {"r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-1", ERR_PROTOCOL},
	    {"r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999999999", ERR_PROTOCOL},
	    {"r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1", ERR_TOO_BIG},
	    {"r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", ERR_TOO_BIG},
	    {"r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2147483647", ERR_TOO_BIG},
	    {"r=" NONCE "x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,future=1", ERR_OK},
	    {"", ERR_PROTOCOL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scram s;
		struct buf out AUTO_BUF = BUF_INIT;
		assert_int_equal(answer(&s, rows[i].challenge, &out), rows[i].e);
		assert_int_equal(out.len > 0, rows[i].e == ERR_OK);
		scram_free(&s);
	}
}

static void names_are_written_so_that_they_end_no_field(void **state)
{
	(void)state;
	struct scram s;
	struct buf out AUTO_BUF = BUF_INIT;

	assert_int_equal(scram_first(&s, "a,b=c", "d=,e", NONCE, &out), ERR_OK);
	assert_string_equal(out.data, "n,a=d=3D=2Ce,n=a=2Cb=3Dc,r=" NONCE);
	scram_free(&s);
}

static void two_nonces_differ(void **state)
{
	(void)state;
	struct scram s[2];
	struct buf out[2] = {BUF_INIT, BUF_INIT};

	for (int i = 0; i < 2; i++)
		assert_int_equal(scram_first(&s[i], "u", NULL, NULL, &out[i]), ERR_OK);
	assert_int_equal(out[0].len, strlen("n,,n=u,r=") + 24);
	assert_string_not_equal(out[0].data, out[1].data);
	for (int i = 0; i < 2; i++) {
		scram_free(&s[i]);
		buf_free(&out[i]);
	}
}

static void passwords_are_prepared_as_rfc_4013_has_it(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
	    {"I\xC2\xADX", "IX"},
	    {"user", "user"},
	    {"USER", "USER"},
	    {"\xC2\xAA", "a"},
	    {"\xE2\x85\xA8", "IX"},
	    {"\xC2\xA0x", " x"},
	    {"u\xCC\x88", "\xC3\xBC"},
	    {"plain \x07 control", "plain \x07 control"},
	    /* what it forbids, and what is no text, goes as it is */
	    {"\xD8\xA7\x31", "\xD8\xA7\x31"},
	    {"\xC3\xBC\x07", "\xC3\xBC\x07"},
	    {"\xFF\xFE", "\xFF\xFE"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out AUTO_BUF = BUF_INIT;
		saslprep_add(rows[i][0], strlen(rows[i][0]), &out);
		assert_string_equal(out.data, rows[i][1]);
	}
}

static void base64_is_read_strictly(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "A", "AB", "ABC", "ABCDE", "A===", "====", "AB=C", "AB C", " ABCD==", "AB\nC", "AB-_"};
	struct buf out AUTO_BUF = BUF_INIT;
	struct buf code AUTO_BUF = BUF_INIT;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(base64_decode(bad[i], strlen(bad[i]), &out), ERR_INVALID);
	assert_int_equal(out.len, 0);
	for (size_t len = 0; len < 10; len++) {
		buf_clear(&out);
		buf_clear(&code);
		base64_add("\0bytes\xFFmore", len, &code);
		assert_int_equal(base64_decode(code.data, code.len, &out), ERR_OK);
		assert_int_equal(out.len, len);
		assert_memory_equal(out.data, "\0bytes\xFFmore", len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_conversation_of_the_rfc_is_had_word_for_word),
	    cmocka_unit_test(a_server_that_does_not_know_the_password_is_found_out),
	    cmocka_unit_test(a_challenge_that_is_none_or_costs_too_much_is_refused),
	    cmocka_unit_test(names_are_written_so_that_they_end_no_field),
	    cmocka_unit_test(two_nonces_differ),
	    cmocka_unit_test(passwords_are_prepared_as_rfc_4013_has_it),
	    cmocka_unit_test(base64_is_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
