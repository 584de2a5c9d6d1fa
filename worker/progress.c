#include "config.h"

#include "worker/progress.h"

#include <ctype.h>
#include <string.h>

#include "lib/utf8.h"

/* A piece of a line, not NUL-terminated. */
struct span {
	const char *s;
	size_t len;
};

static bool begins(struct span l, const char *label)
{
	size_t n = strlen(label);

	return l.len >= n && memcmp(l.s, label, n) == 0;
}

static bool drop_label(struct span *l, const char *label)
{
	if (!begins(*l, label))
		return false;
	l->s += strlen(label);
	l->len -= strlen(label);
	return true;
}

static const char *find(struct span l, const char *needle)
{
	return l.len == 0 ? NULL : memmem(l.s, l.len, needle, strlen(needle));
}

static bool contains(struct span l, const char *needle)
{
	return find(l, needle) != NULL;
}

static const char *find_last(struct span l, const char *needle)
{
	const char *found = NULL;
	const char *at;
	struct span rest = l;

	while ((at = find(rest, needle)) != NULL) {
		found = at;
		rest.len -= (size_t)(at + 1 - rest.s);
		rest.s = at + 1;
	}
	return found;
}

/* What follows the pointer p into l. */
static struct span after(struct span l, const char *p)
{
	return (struct span){.s = p, .len = (size_t)(l.s + l.len - p)};
}

static void skip_spaces(struct span *l)
{
	while (l->len > 0 && (*l->s == ' ' || *l->s == '\t' || *l->s == ':')) {
		l->s++;
		l->len--;
	}
}

/* Reads digits, saturating, and drops them; false when there is none. */
static bool take_number(struct span *l, int64_t *n_r)
{
	int64_t n = 0;
	size_t i = 0;

	skip_spaces(l);
	for (; i < l->len && isdigit((unsigned char)l->s[i]); i++)
		n = n > (INT64_MAX - 9) / 10 ? INT64_MAX - 9 : n * 10 + (l->s[i] - '0');
	if (i == 0)
		return false;
	l->s += i;
	l->len -= i;
	*n_r = n;
	return true;
}

/* A decimal fraction in thousandths; at most three decimals count. */
static bool take_milli(struct span *l, int64_t *milli_r)
{
	int64_t whole;
	int64_t part = 0;
	int64_t weight = 100;

	if (!take_number(l, &whole))
		return false;
	if (whole > INT64_MAX / 2000)
		whole = INT64_MAX / 2000;
	if (l->len > 0 && *l->s == '.') {
		l->s++;
		l->len--;
		for (; l->len > 0 && isdigit((unsigned char)*l->s); l->s++, l->len--) {
			part += (*l->s - '0') * weight;
			weight /= 10;
		}
	}
	*milli_r = whole * 1000 + part;
	return true;
}

static void set_number(struct span l, int64_t *n)
{
	int64_t value;

	if (take_number(&l, &value))
		*n = value;
}

/* Where the word that ends just before end begins. */
static const char *word_before(const char *start, const char *end)
{
	while (end > start && end[-1] == ' ')
		end--;
	while (end > start && end[-1] != ' ')
		end--;
	return end;
}

/* "ETA: <date>  S s  left/total msgs left", at the end of a line. */
static void read_eta(struct progress *p, struct span l)
{
	const char *eta = find_last(l, "ETA: ");
	const char *tail;
	const char *word;
	struct span s;
	int64_t left;
	int64_t total;
	int64_t eta_s;

	if (eta == NULL || (tail = find_last(after(l, eta), " msgs left")) == NULL)
		return;
	word = word_before(eta, tail);
	s = (struct span){.s = word, .len = (size_t)(tail - word)};
	if (!take_number(&s, &left) || s.len == 0 || *s.s != '/')
		return;
	s.s++;
	s.len--;
	if (!take_number(&s, &total))
		return;
	p->messages_left = left;
	word = word_before(eta, word); /* "s" */
	word = word_before(eta, word); /* the seconds */
	s = after(l, word);
	if (take_number(&s, &eta_s))
		p->eta_s = eta_s;
}

static void read_rate(struct progress *p, struct span l)
{
	static const struct {
		const char *name;
		int64_t bytes;
	} unit[] = {{" KiB/s", 1024}, {" MiB/s", 1024 * 1024}, {" GiB/s", 1024 * 1024 * 1024}};
	const char *at = find_last(l, " msgs/s ");
	struct span s;
	int64_t milli;

	if (at == NULL)
		return;
	s = after(l, word_before(l.s, at));
	if (take_milli(&s, &milli))
		p->rate_milli_messages = milli;
	s = after(l, at + strlen(" msgs/s "));
	if (!take_milli(&s, &milli))
		return;
	for (size_t i = 0; i < sizeof(unit) / sizeof(unit[0]); i++)
		if (begins(s, unit[i].name))
			p->rate_bytes =
			    milli > INT64_MAX / unit[i].bytes ? INT64_MAX : milli * unit[i].bytes / 1000;
}

static void count(int64_t *n, int64_t more)
{
	*n = *n > INT64_MAX - more ? INT64_MAX : *n + more;
}

/* "msg F/UID {bytes}  copied to F2/UID2  r msgs/s  x KiB/s y MiB copied ETA: …" and "msg … skipped (…)" */
static void read_message(struct progress *p, struct span l)
{
	const char *at = find_last(l, " copied to ");
	const char *brace;
	struct span s;
	int64_t bytes;

	if (at == NULL) {
		if (contains(l, " skipped (")) {
			count(&p->messages_skipped, 1);
			count(&p->warnings, 1);
		}
		return;
	}
	brace = find_last((struct span){.s = l.s, .len = (size_t)(at - l.s)}, "{");
	if (brace == NULL)
		return;
	s = after(l, brace + 1);
	if (!take_number(&s, &bytes) || s.len == 0 || *s.s != '}')
		return;
	count(&p->messages_copied, 1);
	count(&p->bytes_copied, bytes);
	read_rate(p, after(l, at));
	read_eta(p, after(l, at));
}

/* As much of a text as fits room and is valid UTF-8; other bytes and controls become "?". */
static void keep_text(struct span text, char *room, size_t size)
{
	size_t out = 0;

	for (size_t i = 0; i < text.len;) {
		size_t n = utf8_sequence(text.s + i, text.len - i);
		bool bad = n == 0 || utf8_is_control(text.s + i, n);

		if (out + (bad ? 1 : n) >= size)
			break;
		if (bad) {
			room[out++] = '?';
			i += n == 0 ? 1 : n;
		} else {
			memcpy(room + out, text.s + i, n);
			out += n;
			i += n;
		}
	}
	room[out] = '\0';
}

/* "Folder  i/n [raw] = [decoded] -> [raw] = [decoded]"; "= […]" only where the name is not ASCII. */
static void read_folder(struct progress *p, struct span l)
{
	int64_t index;
	int64_t total;
	const char *end;
	const char *decoded;

	if (!take_number(&l, &index) || l.len == 0 || *l.s != '/')
		return;
	l.s++;
	l.len--;
	if (!take_number(&l, &total) || index < 1 || index > total)
		return;
	p->folders_total = total;
	p->folders_done = index - 1;
	skip_spaces(&l);
	if (l.len == 0 || *l.s != '[')
		return;
	end = find(l, " -> [");
	l.len = end != NULL ? (size_t)(end - l.s) : l.len;
	while (l.len > 0 && l.s[l.len - 1] == ' ')
		l.len--;
	decoded = find_last(l, "] = [");
	if (decoded != NULL)
		l = after(l, decoded + strlen("] = "));
	if (l.len >= 2 && l.s[l.len - 1] == ']')
		keep_text(
		    (struct span){.s = l.s + 1, .len = l.len - 2}, p->folder_current, PROGRESS_FOLDER_MAX);
}

/* "HostN failure: …", l being what follows the colon. */
static void read_failure(struct progress *p, int side, struct span l)
{
	if (p->trouble[side] == TROUBLE_NONE)
		p->trouble[side] = trouble_read(l.s, l.len);
	if (p->detail[0] == '\0')
		keep_text(l, p->detail, PROGRESS_DETAIL_MAX);
	count(&p->errors, 1);
}

static void read_host(struct progress *p, int side, struct span l)
{
	bool source = side == SIDE_SOURCE;

	if (drop_label(&l, " failure: "))
		read_failure(p, side, l);
	else if (begins(l, ": success login on "))
		p->logged_in[side] = true;
	else if (!source && drop_label(&l, ": Quota current storage is ")) {
		set_number(l, &p->quota_used_bytes);
		if (find(l, "Limit is ") != NULL)
			set_number(
			    after(l, find(l, "Limit is ") + strlen("Limit is ")), &p->quota_limit_bytes);
	} else if (!source && drop_label(&l, ": nothing is deleted (--delete2): ")) {
		p->kept_surplus = true;
		if (p->detail[0] == '\0')
			keep_text(l, p->detail, PROGRESS_DETAIL_MAX);
	} else if (source && contains(l, " ignored (")) {
		count(&p->warnings, 1);
	} else if (source && !p->sizes_done) {
		if (drop_label(&l, " Nb messages:"))
			set_number(l, &p->messages_total);
		else if (drop_label(&l, " Total size:"))
			set_number(l, &p->bytes_total);
		else if (drop_label(&l, " Biggest message:"))
			set_number(l, &p->biggest_bytes);
	}
}

static void read_digest(struct progress *p, struct span l)
{
	size_t n = 0;

	if (!drop_label(&l, "Digest of deletions on host2 "))
		return;
	skip_spaces(&l);
	while (n < l.len && strchr("0123456789abcdef", l.s[n]) != NULL)
		n++;
	if (n == PROGRESS_DIGEST_LEN)
		memcpy(p->deletions, l.s, n);
}

/* Lines of "++++ Statistics" that are a label, a colon and a number. */
static void read_statistics(struct progress *p, struct span l)
{
	const struct {
		const char *label;
		int64_t *n;
		int64_t *could; /* of a dry run: "(could be N without dry mode)"; NULL: not looked for */
	} rows[] = {
	    {"Messages transferred ", &p->messages_copied, &p->messages_to_copy},
	    {"Messages skipped ", &p->messages_skipped, NULL},
	    {"Messages deleted on host2 ", &p->messages_deleted, &p->messages_to_delete},
	    {"Total bytes transferred ", &p->bytes_copied, NULL},
	    {"Reconnections to host1 ", &p->reconnections[SIDE_SOURCE], NULL},
	    {"Reconnections to host2 ", &p->reconnections[SIDE_DESTINATION], NULL},
	    {"Detected ", &p->errors, NULL},
	    {"The sync is not finished, there are ", &p->missing, NULL},
	    {"There are ", &p->unidentified, NULL},
	};
	const char *could;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span rest = l;

		if (!drop_label(&rest, rows[i].label))
			continue;
		if (rows[i].n == &p->unidentified && !contains(l, " unidentified message"))
			continue;
		set_number(rest, rows[i].n);
		could = rows[i].could != NULL ? find(rest, "(could be ") : NULL;
		if (could != NULL)
			set_number(after(rest, could + strlen("(could be ")), rows[i].could);
	}
	read_digest(p, l);
	if (drop_label(&l, "Folders synced "))
		set_number(l, &p->folders_done);
	else if (begins(l, "The sync looks good")) {
		p->looks_good = true;
		p->missing = 0;
	}
}

static void read_error(struct progress *p, struct span l)
{
	if (contains(l, " could not append ") || contains(l, " could not be fetched"))
		count(&p->messages_failed, 1);
	if (contains(l, "[OVERQUOTA]") || contains(l, "Quota limit will be exceeded"))
		p->quota_full = true;
	count(&p->errors, 1);
}

/* imapsync's words, and ours */
static bool is_folder_missing(struct span l)
{
	return (begins(l, "Host1: warning! ignoring folder ") && contains(l, " whole folders list")) ||
	       (begins(l, "Host1: folder [") && contains(l, "] does not exist, ignored"));
}

static void read_line(struct progress *p, struct span l)
{
	int64_t n;

	if (drop_label(&l, "msg "))
		read_message(p, l);
	else if (begins(l, "ETA: "))
		read_eta(p, l);
	else if (is_folder_missing(l))
		count(&p->folders_missing, 1);
	else if (drop_label(&l, "Host1"))
		read_host(p, SIDE_SOURCE, l);
	else if (drop_label(&l, "Host2"))
		read_host(p, SIDE_DESTINATION, l);
	else if (drop_label(&l, "Folder "))
		read_folder(p, l);
	else if (begins(l, "- msg ") || begins(l, "Could not create folder") ||
		 begins(l, "Could not select:"))
		read_error(p, l);
	else if (drop_label(&l, "++++ Looping on each one of ")) {
		set_number(l, &p->folders_total);
		p->folders_done = 0;
		p->sizes_done = true;
	} else if (begins(l, "++++ End looping")) {
		p->folder_current[0] = '\0';
		p->folders_done = p->folders_total;
	} else if (begins(l, "++++ Statistics"))
		p->statistics = true;
	else if (begins(l, "Maximum number of errors "))
		p->errors_max = true;
	else if (begins(l, "Out of memory") || contains(l, "memory exhausted"))
		p->out_of_memory = true;
	else if (drop_label(&l, "Exiting with return value ")) {
		if (take_number(&l, &n) && n <= 255)
			p->exit_code = (int)n;
	} else if (p->statistics)
		read_statistics(p, l);
}

void progress_init(struct progress *p)
{
	memset(p, 0, sizeof(*p));
	p->folders_total = p->folders_done = PROGRESS_UNKNOWN;
	p->messages_total = p->bytes_total = p->biggest_bytes = PROGRESS_UNKNOWN;
	p->messages_left = p->messages_to_copy = p->eta_s = PROGRESS_UNKNOWN;
	p->quota_used_bytes = p->quota_limit_bytes = PROGRESS_UNKNOWN;
	p->messages_to_delete = p->messages_deleted = PROGRESS_UNKNOWN;
	p->missing = p->unidentified = PROGRESS_UNKNOWN;
	p->exit_code = PROGRESS_UNKNOWN;
}

static void end_line(struct progress *p)
{
	while (p->line_len > 0 && p->line[p->line_len - 1] == '\r')
		p->line_len--;
	if (p->line_len > 0 && p->on_line != NULL)
		p->on_line(p->on_line_ctx, p->line, p->line_len);
	if (p->line_len > 0)
		read_line(p, (struct span){.s = p->line, .len = p->line_len});
	p->line_len = 0;
}

void progress_feed(struct progress *p, const void *bytes, size_t len)
{
	const char *s = bytes;

	while (len > 0) {
		const char *newline = memchr(s, '\n', len);
		size_t n = newline != NULL ? (size_t)(newline - s) : len;
		size_t room = PROGRESS_LINE_MAX - p->line_len;
		size_t kept = n < room ? n : room;

		memcpy(p->line + p->line_len, s, kept);
		p->line_len += kept;
		if (newline == NULL)
			return;
		end_line(p);
		s += n + 1;
		len -= n + 1;
	}
}

void progress_end(struct progress *p)
{
	end_line(p);
}

int64_t progress_messages_done(const struct progress *p)
{
	if (p->messages_total == PROGRESS_UNKNOWN)
		return PROGRESS_UNKNOWN;
	if (p->messages_left == PROGRESS_UNKNOWN)
		return p->statistics ? p->messages_total : 0;
	return p->messages_left > p->messages_total ? 0 : p->messages_total - p->messages_left;
}
