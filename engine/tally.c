#include "config.h"

#include "engine/tally.h"

#include <string.h>
#include <time.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "imap/mutf7.h"
#include "engine/json.h"
#include "engine/output.h"

struct count_row {
	const char *key;
	const char *label; /* for people */
	size_t at;         /* in struct tally_count */
};

#define COUNT(field, text) \
	{ \
		.key = #field, .label = (text), .at = offsetof(struct tally_count, field) \
	}

static const struct count_row count_rows[] = {
    COUNT(compared, "Messages compared"),
    COUNT(verified, "Messages verified on host2"),
    COUNT(missing, "Messages missing on host2"),
    COUNT(altered, "Messages altered on host2"),
    COUNT(doubled, "Messages doubled on host2"),
    COUNT(extra, "Messages on host2 only"),
    COUNT(newer, "Messages newer than the run"),
    COUNT(left_out, "Messages left out by an option"),
    COUNT(repeated, "Repeated on host1, once on host2"),
    COUNT(relined, "Bytes changed by a server"),
    COUNT(marked, "Message-Id added by imapsync"),
    COUNT(redated, "Arrival date not kept by host2"),
    COUNT(unread, "Messages that could not be compared"),
};
enum { COUNT_ROWS = sizeof(count_rows) / sizeof(count_rows[0]) };

static const char *const fault_names[] = {
    [FAULT_MISSING] = "missing",
    [FAULT_ALTERED] = "altered",
    [FAULT_DOUBLED] = "doubled",
};

static uint64_t count_of(const struct tally_count *c, const struct count_row *row)
{
	uint64_t n;
	memcpy(&n, (const char *)c + row->at, sizeof(n));
	return n;
}

static const char *decoded(struct arena *a, const char *name)
{
	AUTO_BUF struct buf shown = BUF_INIT;
	mutf7_display(name, strlen(name), &shown);
	return arena_strndup(a, shown.data, shown.len);
}

static void add_counts(struct buf *line, const struct tally_count *c)
{
	for (size_t i = 0; i < COUNT_ROWS; i++)
		json_number(line, count_rows[i].key, count_of(c, &count_rows[i]));
}

static void say_json(struct buf *line)
{
	json_end(line);
	out_data(line->data);
}

/* "05-Mar-2019 08:09:10 +0000" */
static const char *date_text(struct arena *a, int64_t date_s)
{
	char text[64];
	time_t t = (time_t)date_s;
	struct tm tm;

	if (date_s == 0 || gmtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%d-%b-%Y %H:%M:%S +0000", &tm) == 0)
		return "";
	return arena_strdup(a, text);
}

bool tally_wants_words(const struct tally *t)
{
	return t->listed < TALLY_DESCRIBED;
}

void tally_fault(struct tally *t, enum fault fault, const struct message *m, const struct fault_words *w)
{
	AUTO_ARENA struct arena *a = arena_new();
	const char *date = date_text(a, m->date_s);

	if (t->listed++ >= TALLY_LISTED)
		return;
	if (t->report->options->json) {
		AUTO_BUF struct buf line = BUF_INIT;
		json_begin(&line, "message");
		json_text(&line, "fault", fault_names[fault]);
		json_text(&line, "folder", decoded(a, w->folder));
		json_number(&line, "side", w->side + 1);
		json_number(&line, "uid", m->uid);
		json_number(&line, "bytes", m->size);
		json_text(&line, "date", date);
		if (w->from[0] != '\0')
			json_text(&line, "from", w->from);
		if (w->subject[0] != '\0')
			json_text(&line, "subject", w->subject);
		say_json(&line);
		return;
	}
	out("Verify %s: msg %s/%u on the %s {%llu} [%s]%s%s%s%s", fault_names[fault], decoded(a, w->folder),
	    m->uid, w->side == 0 ? "source" : "destination", (unsigned long long)m->size, date,
	    w->from[0] != '\0' ? " From: " : "", w->from, w->subject[0] != '\0' ? " Subject: " : "",
	    w->subject);
}

static void add_up(struct tally_count *sum, const struct tally_count *c)
{
	for (size_t i = 0; i < COUNT_ROWS; i++) {
		uint64_t n = count_of(sum, &count_rows[i]) + count_of(c, &count_rows[i]);
		memcpy((char *)sum + count_rows[i].at, &n, sizeof(n));
	}
}

void tally_folder(struct tally *t, unsigned number, unsigned folders, const char *source, const char *to,
    const struct tally_count *c)
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_BUF struct buf line = BUF_INIT;

	add_up(&t->total, c);
	if (t->report->options->json) {
		json_begin(&line, "folder");
		json_text(&line, "source", decoded(a, source));
		json_text(&line, "destination", decoded(a, to));
		add_counts(&line, c);
		say_json(&line);
		return;
	}
	buf_addf(&line, "Verify folder %u/%u ", number, folders);
	out_folder(&line, source);
	buf_adds(&line, " -> ");
	out_folder(&line, to);
	buf_addf(&line, ": %llu of %llu on both, %llu missing, %llu altered, %llu doubled",
	    (unsigned long long)c->verified, (unsigned long long)c->compared, (unsigned long long)c->missing,
	    (unsigned long long)c->altered, (unsigned long long)c->doubled);
	for (size_t i = 0; i < COUNT_ROWS; i++) {
		/* what is no fault is told where there is any */
		if (count_rows[i].at >= offsetof(struct tally_count, extra) &&
		    count_of(c, &count_rows[i]) > 0)
			buf_addf(&line, ", %llu %s", (unsigned long long)count_of(c, &count_rows[i]),
			    count_rows[i].key);
	}
	out("%s", line.data);
}

static enum exit_code verdict(const struct tally *t)
{
	if (t->total.missing > 0)
		return EXIT_CODE_VERIFY_MISSING;
	if (t->total.altered > 0)
		return EXIT_CODE_VERIFY_ALTERED;
	return t->total.doubled > 0 ? EXIT_CODE_VERIFY_DOUBLED : EXIT_CODE_OK;
}

enum exit_code tally_summary(const struct tally *t)
{
	enum exit_code code = verdict(t);
	const char *mode = t->report->options->verify == VERIFY_CONTENT ? "content" : "size";
	bool complete = t->folders_unread == 0 && t->total.unread == 0;

	if (t->report->options->json) {
		AUTO_BUF struct buf line = BUF_INIT;
		json_begin(&line, "summary");
		json_text(&line, "mode", mode);
		add_counts(&line, &t->total);
		json_number(&line, "folders_unread", t->folders_unread);
		json_bool(&line, "complete", complete);
		json_number(&line, "exit_code", (uint64_t)code);
		say_json(&line);
		return code;
	}
	out("++++ Verification by %s", mode);
	for (size_t i = 0; i < COUNT_ROWS; i++)
		out("%-40s: %llu", count_rows[i].label,
		    (unsigned long long)count_of(&t->total, &count_rows[i]));
	out("%-40s: %u", "Folders that could not be compared", t->folders_unread);
	if (t->listed > TALLY_LISTED)
		out("Only the first %d faulty messages are listed.", TALLY_LISTED);
	if (code == EXIT_CODE_OK && complete)
		out("The destination holds all %llu messages of the source.",
		    (unsigned long long)t->total.compared);
	else if (code == EXIT_CODE_OK)
		out("The verification is not complete.");
	else
		out("The destination does not hold what the source holds.");
	return code;
}
