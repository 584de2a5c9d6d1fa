#include "tests/unit/unit.h"

#include <string.h>

#include "engine/identity.h"
#include "engine/match.h"

static struct identity identity(const char *header)
{
	struct identity id = {0};
	enum err e = identity_from_fields(&id, header, strlen(header));
	if (e == ERR_NOT_FOUND)
		e = identity_from_header(&id, header, strlen(header));
	assert_int_equal(e, ERR_OK);
	return id;
}

static int same(const char *a, const char *b)
{
	struct identity x = identity(a);
	struct identity y = identity(b);
	return memcmp(x.key, y.key, sizeof(x.key)) == 0;
}

/* key and hint stand for a header; the UID is the place in the list. */
static void add(struct message_list *l, uint8_t key, uint64_t hint, uint64_t size, int64_t date_s)
{
	struct message *m = message_list_add(l, l->count + 1);
	m->id.key[0] = key;
	m->id.hint = hint;
	m->size = size;
	m->date_s = date_s;
	m->known = m->identified = true;
}

static uint32_t unpaired(struct message_list *source, struct message_list *destination)
{
	uint32_t n = 0;
	match_messages(source, destination);
	for (uint32_t i = 0; i < source->count; i++)
		n += source->items[i].partner == MESSAGE_UNPAIRED;
	return n;
}

static void free_both(struct message_list *a, struct message_list *b)
{
	message_list_free(a);
	message_list_free(b);
}

static void folding_blanks_and_line_ends_do_not_count(void **state)
{
	(void)state;
	assert_true(same("Message-Id: <a@b>\r\nReceived: from x\r\n\tby y\r\n\r\n",
	    "received:  from x by  y\nMESSAGE-ID :<a@b>\n"));
}

static void another_way_is_another_message(void **state)
{
	(void)state;
	assert_false(
	    same("Message-Id: <a@b>\r\nReceived: from x\r\n", "Message-Id: <a@b>\r\nReceived: from y\r\n"));
	assert_false(same("Message-Id: <a@b>\r\n", "Message-Id: <a@b>\r\nReceived: from y\r\n"));
}

static void case_of_the_id_counts(void **state)
{
	(void)state;
	assert_false(same("Message-Id: <A@b>\r\n", "Message-Id: <a@b>\r\n"));
}

static void without_id_and_way_the_whole_header_speaks(void **state)
{
	struct identity id;
	(void)state;
	assert_int_equal(identity_from_fields(&id, "Subject: x\r\n\r\n", 14), ERR_NOT_FOUND);
	assert_int_equal(identity_from_fields(&id, "", 0), ERR_NOT_FOUND);
	assert_true(same("Subject: x\r\nFrom: y\r\n\r\n", "Subject:  x\nFrom: y\n"));
	assert_false(same("Subject: x\r\n", "Subject: y\r\n"));
	assert_true(same("", "\r\n"));
}

static void what_imapsync_added_to_its_copy_does_not_count(void **state)
{
	(void)state;
	assert_true(same("Subject: x\r\n\r\n", "Message-Id: <41@imapsync>\r\nSubject: x\r\n\r\n"));
	assert_true(same("\r\n", "Message-Id: <43@imapsync>\r\n\r\n"));
	assert_false(same("Subject: x\r\n\r\n", "Message-Id: <a41@imapsync>\r\nSubject: x\r\n\r\n"));
	assert_false(same("Subject: x\r\n\r\n", "Message-Id: <@imapsync>\r\nSubject: x\r\n\r\n"));
	assert_false(
	    same("Subject: x\r\n\r\n", "Message-Id: <41@imapsync.example.org>\r\nSubject: x\r\n\r\n"));
	assert_false(same("Message-Id: <1@example.org>\r\n", "Message-Id: <41@imapsync>\r\n"));
}

static void a_second_run_finds_everything(void **state)
{
	struct message_list a = {0};
	struct message_list b = {0};
	(void)state;
	for (int i = 0; i < 3; i++) {
		add(&a, 1, 1, 100, 5);
		add(&a, 2, 1, 100, 5);
		add(&b, 2, 1, 100, 5);
		add(&b, 1, 1, 100, 5);
	}
	assert_int_equal(unpaired(&a, &b), 0);
	assert_int_equal(match_duplicates(&a), 4);
	free_both(&a, &b);
}

static void n_copies_ask_for_n_copies(void **state)
{
	struct message_list a = {0};
	struct message_list b = {0};
	(void)state;
	add(&a, 1, 1, 100, 5);
	add(&a, 1, 1, 100, 5);
	add(&a, 1, 1, 100, 5);
	add(&b, 1, 1, 100, 5);
	assert_int_equal(unpaired(&a, &b), 2);
	assert_int_equal(a.items[0].partner, 0);
	free_both(&a, &b);
}

static void the_strictest_likeness_decides_who_is_missing(void **state)
{
	struct message_list a = {0};
	struct message_list b = {0};
	(void)state;
	add(&a, 1, 1, 100, 5);
	add(&a, 1, 1, 200, 5);
	add(&b, 1, 1, 200, 5);
	assert_int_equal(unpaired(&a, &b), 1);
	assert_int_equal(a.items[0].partner, MESSAGE_UNPAIRED);
	assert_int_equal(a.items[1].partner, 0);
	free_both(&a, &b);
}

static void a_changed_size_or_date_or_field_is_forgiven(void **state)
{
	struct message_list a = {0};
	struct message_list b = {0};
	(void)state;
	add(&a, 1, 1, 100, 5);
	add(&a, 2, 1, 100, 5);
	add(&a, 3, 1, 100, 5);
	add(&b, 1, 1, 103, 5);
	add(&b, 2, 1, 100, 9);
	add(&b, 3, 7, 100, 5);
	assert_int_equal(unpaired(&a, &b), 0);
	free_both(&a, &b);
}

static void a_draft_saved_again_is_another_message(void **state)
{
	struct message_list a = {0};
	struct message_list b = {0};
	(void)state;
	add(&a, 1, 2, 150, 60);
	add(&b, 1, 1, 100, 5);
	assert_int_equal(unpaired(&a, &b), 1);
	add(&a, 2, 2, 150, 60);
	add(&b, 2, 2, 150, 60);
	assert_int_equal(unpaired(&a, &b), 1);
	free_both(&a, &b);
}

static void a_destination_that_keeps_neither_size_nor_date_is_not_filled_twice(void **state)
{
	struct message_list a = {0};
	struct message_list b = {0};
	(void)state;
	for (uint8_t i = 0; i < 10; i++) {
		add(&a, i, i, 100, 5);
		add(&b, i, i, 104, 99);
	}
	assert_int_equal(unpaired(&a, &b), 0);
	free_both(&a, &b);
}

static void sorting_keeps_each_uid_once(void **state)
{
	struct message_list a = {0};
	(void)state;
	message_list_add(&a, 7)->known = true;
	message_list_add(&a, 3);
	message_list_add(&a, 7);
	message_list_sort(&a);
	assert_int_equal(a.count, 2);
	assert_int_equal(a.items[0].uid, 3);
	assert_non_null(message_list_find(&a, 7));
	assert_null(message_list_find(&a, 4));
	assert_int_equal(message_list_drop_unknown(&a), 1);
	message_list_free(&a);
}

static void keywords_are_a_set(void **state)
{
	(void)state;
	assert_true(identity_of_words(identity_of_words(0, "$A"), "b") ==
		    identity_of_words(identity_of_words(0, "B"), "$a"));
	assert_true(identity_of_words(0, "a") != identity_of_words(0, "b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(folding_blanks_and_line_ends_do_not_count),
	    cmocka_unit_test(another_way_is_another_message),
	    cmocka_unit_test(case_of_the_id_counts),
	    cmocka_unit_test(without_id_and_way_the_whole_header_speaks),
	    cmocka_unit_test(what_imapsync_added_to_its_copy_does_not_count),
	    cmocka_unit_test(a_second_run_finds_everything),
	    cmocka_unit_test(n_copies_ask_for_n_copies),
	    cmocka_unit_test(the_strictest_likeness_decides_who_is_missing),
	    cmocka_unit_test(a_changed_size_or_date_or_field_is_forgiven),
	    cmocka_unit_test(a_draft_saved_again_is_another_message),
	    cmocka_unit_test(a_destination_that_keeps_neither_size_nor_date_is_not_filled_twice),
	    cmocka_unit_test(sorting_keeps_each_uid_once),
	    cmocka_unit_test(keywords_are_a_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
