/* A log is what the run wrote, byte for byte, read from anywhere at the same cost. */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "sql/logzip.h"
#include "sql/store_log.h"

static struct queue_token token;
static uint64_t job_id;

static void begin(void)
{
	job_id = make_job(&member_a, 0, 0);
	claim_next(&token);
}

/* Bytes no compressor likes, the same for the same length. */
static void add_noise(struct buf *b, size_t len)
{
	unsigned seed = 1;

	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245u + 12345u;
		buf_addc(b, (char)(seed >> 16));
	}
}

static void append(int64_t start, const char *s)
{
	assert_ok(store_log_append(db, &token, start, s, strlen(s)));
}

static void a_log_reads_back_byte_for_byte_from_any_offset(void **state)
{
	AUTO_BUF struct buf whole = BUF_INIT;
	static const size_t sizes[] = {1, 65536, 7, 300, 65535, 2, 65536};
	struct log_slice s;

	(void)state;
	begin();
	add_noise(&whole, 200000);
	for (size_t i = 0, at = 0; i < COUNT_OF(sizes); at += sizes[i], i++) {
		if (at + sizes[i] > whole.len)
			break;
		assert_ok(store_log_append(db, &token, (int64_t)at, whole.data + at, sizes[i]));
	}
	assert_ok(store_log_read(db, arena, &member_a, job_id, 0, 1, &s));
	for (int64_t offset = 0; offset < s.end; offset += 1237) {
		size_t expected = (size_t)(s.end - offset) < 70000 ? (size_t)(s.end - offset) : 70000;

		arena_reset(arena);
		assert_ok(store_log_read(db, arena, &member_a, job_id, offset, 70000, &s));
		assert_int_equal(s.start, offset);
		assert_int_equal(s.len, expected);
		assert_memory_equal(s.bytes, whole.data + offset, s.len);
	}
	assert_consistent();
}

static void many_small_chunks_are_read_across(void **state)
{
	AUTO_BUF struct buf whole = BUF_INIT;
	struct log_slice s;

	(void)state;
	begin();
	for (int i = 0; i < 60; i++) {
		char line[32];

		snprintf(line, sizeof(line), "line %d\n", i);
		append((int64_t)whole.len, line);
		buf_adds(&whole, line);
	}
	assert_ok(store_log_read(db, arena, &member_a, job_id, 3, LOG_READ_MAX, &s));
	assert_int_equal(s.len, whole.len - 3);
	assert_memory_equal(s.bytes, whole.data + 3, s.len);
	assert_int_equal(s.state, JOB_RUNNING);
}

static void the_end_of_a_log_is_empty_and_beyond_it_invalid(void **state)
{
	struct log_slice s;

	(void)state;
	begin();
	assert_ok(store_log_read(db, arena, &member_a, job_id, 0, 100, &s));
	assert_int_equal(s.len, 0);
	append(0, "hello");
	assert_ok(store_log_read(db, arena, &member_a, job_id, 5, 100, &s));
	assert_int_equal(s.len, 0);
	assert_int_equal(s.end, 5);
	assert_int_equal(store_log_read(db, arena, &member_a, job_id, 6, 100, &s), ERR_INVALID);
	assert_int_equal(s.end, 5);
	assert_int_equal(store_log_read(db, arena, &member_a, job_id, -1, 100, &s), ERR_INVALID);
}

static void a_chunk_must_begin_at_the_end(void **state)
{
	(void)state;
	begin();
	append(0, "hello");
	assert_int_equal(store_log_append(db, &token, 6, "x", 1), ERR_CONFLICT);
	assert_int_equal(store_log_append(db, &token, 4, "x", 1), ERR_CONFLICT);
	assert_int_equal(store_log_append(db, &token, 5, "", 0), ERR_INVALID);
	append(5, "x");
	assert_consistent();
}

static void a_repeated_append_is_the_same_append(void **state)
{
	(void)state;
	begin();
	append(0, "hello");
	append(0, "hello");
	assert_int_equal(number("SELECT COUNT(*) FROM job_log"), 1);
	assert_int_equal(number("SELECT log_bytes FROM job"), 5);
}

static void who_lost_the_job_writes_no_log(void **state)
{
	struct queue_token stale;

	(void)state;
	begin();
	stale = token;
	stale.bytes[3] ^= 1;
	assert_int_equal(store_log_append(db, &stale, 0, "x", 1), ERR_LOST);
	finish_as(&token, JOB_DONE);
	assert_int_equal(store_log_append(db, &token, 0, "x", 1), ERR_LOST);
	assert_int_equal(number("SELECT COUNT(*) FROM job_log"), 0);
}

static void trimming_keeps_head_and_tail_and_one_gap(void **state)
{
	struct log_slice s;
	int64_t cut, all = 0;

	(void)state;
	begin();
	for (int i = 0; i < 100; i++)
		append(i * 10, "0123456789");
	assert_ok(store_log_trim(db, &token, 95, 200, &cut));
	assert_int_equal(cut, 700);
	all += cut;
	for (int i = 100; i < 110; i++)
		append(i * 10, "abcdefghij");
	assert_ok(store_log_trim(db, &token, 95, 200, &cut));
	assert_int_equal(cut, 100);
	all += cut;
	assert_consistent();
	assert_ok(store_log_read(db, arena, &member_a, job_id, 0, 5000, &s));
	assert_int_equal(s.len, 100);
	assert_int_equal(s.cut_start, 100);
	assert_int_equal(s.cut_bytes, all);
	assert_ok(store_log_read(db, arena, &member_a, job_id, 500, 5000, &s));
	assert_int_equal(s.start, 100 + all);
	assert_int_equal(s.len, 200);
	assert_int_equal(s.end, 1100);
	assert_memory_equal(s.bytes + 100, "abcdefghij", 10);
}

static void chunks_without_a_job_are_swept(void **state)
{
	uint64_t at = 0;
	bool more = true;

	(void)state;
	begin();
	append(0, "hello");
	run_sql("INSERT INTO job_log (job_id, start, length, encoding, bytes, at)"
		" SELECT 999999, seq * 5, 5, 0, 'lost.', UTC_TIMESTAMP(6) FROM seq_0_to_1200");
	run_sql("INSERT INTO job_log (job_id, start, length, encoding, bytes, at)"
		" SELECT 1000000 + seq, 0, 5, 0, 'lost.', UTC_TIMESTAMP(6) FROM seq_1_to_150");
	while (more)
		assert_ok(store_log_sweep(db, &at, &more));
	assert_int_equal(number("SELECT COUNT(*) FROM job_log"), 1);
	assert_consistent();
}

static void a_damaged_chunk_is_an_error_not_garbage(void **state)
{
	struct log_slice s;

	(void)state;
	begin();
	append(0, "hello hello hello hello hello hello hello hello hello");
	assert_int_equal(number("SELECT encoding FROM job_log"), LOG_ZLIB);
	run_sql("UPDATE job_log SET bytes = 'not zlib'");
	assert_int_equal(store_log_read(db, arena, &member_a, job_id, 0, 100, &s), ERR_INTERNAL);
}

static void nothing_unpacks_to_more_than_promised(void **state)
{
	AUTO_BUF struct buf zeros = BUF_INIT, packed = BUF_INIT;
	char room[100];

	(void)state;
	buf_reserve(&zeros, 60000);
	memset(zeros.data, 0, 60000);
	assert_int_equal(logzip_pack(zeros.data, 60000, &packed), LOG_ZLIB);
	assert_true(packed.len < 1000);
	assert_int_equal(logzip_unpack(LOG_ZLIB, packed.data, packed.len, room, sizeof(room)), ERR_PROTOCOL);
	assert_int_equal(logzip_unpack(LOG_PLAIN, "abc", 3, room, 2), ERR_PROTOCOL);
	assert_int_equal(logzip_unpack((enum log_encoding)9, "abc", 3, room, 3), ERR_PROTOCOL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(a_log_reads_back_byte_for_byte_from_any_offset),
	    STORE_TEST(many_small_chunks_are_read_across),
	    STORE_TEST(the_end_of_a_log_is_empty_and_beyond_it_invalid),
	    STORE_TEST(a_chunk_must_begin_at_the_end),
	    STORE_TEST(a_repeated_append_is_the_same_append),
	    STORE_TEST(who_lost_the_job_writes_no_log),
	    STORE_TEST(trimming_keeps_head_and_tail_and_one_gap),
	    STORE_TEST(chunks_without_a_job_are_swept),
	    STORE_TEST(a_damaged_chunk_is_an_error_not_garbage),
	    STORE_TEST(nothing_unpacks_to_more_than_promised),
	};

	return FIXTURE_RUN(tests);
}
