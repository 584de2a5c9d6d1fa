#include "worker/option_words.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "imap/mutf7.h"
#include "lib/buf.h"

enum { DAY_S = 86400, SLEEP_MAX_S = 300 };

struct words {
	struct arena *a;
	char **word;
	unsigned count;
};

static void add(struct words *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* option_words() has made room */
static void add(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	w->word[w->count++] = arena_vprintf(w->a, fmt, ap);
	va_end(ap);
}

/* As the server writes it: what is no modified UTF-7 is how a name reads. */
static const char *raw_name(const char *given, struct arena *a)
{
	AUTO_BUF struct buf raw = BUF_INIT;
	AUTO_BUF struct buf read = BUF_INIT;

	if (mutf7_decode(given, strlen(given), &read) == ERR_OK ||
	    mutf7_encode(given, strlen(given), &raw) != ERR_OK)
		return given;
	return arena_strndup(a, raw.data, raw.len);
}

/* Means itself alone, to Perl and to POSIX; INBOX in whatever case the server writes it. */
static const char *quoted(const char *name, struct arena *a)
{
	AUTO_BUF struct buf b = BUF_INIT;

	if (strcmp(name, "INBOX") == 0)
		return "^[Ii][Nn][Bb][Oo][Xx]$";
	buf_addc(&b, '^');
	for (; *name != '\0'; name++) {
		if (strchr("\\^$.[]()|*+?{}", *name) != NULL)
			buf_addc(&b, '\\');
		buf_addc(&b, *name);
	}
	buf_addc(&b, '$');
	return arena_strndup(a, b.data, b.len);
}

static const char *raw_pair(const char *pair, struct arena *a)
{
	const char *eq = strchr(pair, '=');

	return arena_printf(
	    a, "%s=%s", raw_name(arena_strndup(a, pair, (size_t)(eq - pair)), a), raw_name(eq + 1, a));
}

/* ---- which messages ---- */

static void add_key(struct buf *b, const char *key)
{
	buf_addf(b, "%s%s", b->len > 0 ? " " : "", key);
}

/* "5-Mar-2019" (RFC 9051, date) */
static void add_date(struct buf *b, const char *key, int day, int month, int year)
{
	static const char months[12][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	add_key(b, key);
	buf_addf(b, " %d-%s-%04d", day, months[month % 12], year);
}

static void add_days_ago(struct buf *b, const char *key, int64_t now_s, uint64_t days)
{
	int64_t then_s = now_s - (int64_t)days * DAY_S;
	time_t t = then_s > 0 ? (time_t)then_s : 0;
	struct tm tm = {0};

	(void)gmtime_r(&t, &tm);
	add_date(b, key, tm.tm_mday, tm.tm_mon, tm.tm_year + 1900);
}

/* "2026-01-31", checked (lib/joboptions.c) */
static void add_day(struct buf *b, const char *key, const char *day)
{
	const int n[] = {day[0] - '0', day[1] - '0', day[2] - '0', day[3] - '0', day[5] - '0', day[6] - '0',
	    day[8] - '0', day[9] - '0'};

	add_date(b, key, n[6] * 10 + n[7], n[4] * 10 + n[5] - 1, n[0] * 1000 + n[1] * 100 + n[2] * 10 + n[3]);
}

static void add_search(struct words *w, const struct joboptions *o, int64_t began_s)
{
	static const struct {
		const char *value, *key;
	} flags[] = {
	    {"unseen", "UNSEEN"}, {"seen", "SEEN"}, {"flagged", "FLAGGED"}, {"unflagged", "UNFLAGGED"}};
	AUTO_BUF struct buf b = BUF_INIT;

	if (joboptions_has(o, OPTION_MAXAGE))
		add_days_ago(&b, "SENTSINCE", began_s, o->values[OPTION_MAXAGE].number);
	if (joboptions_has(o, OPTION_MINAGE))
		add_days_ago(&b, "SENTBEFORE", began_s, o->values[OPTION_MINAGE].number);
	if (joboptions_has(o, OPTION_SINCE))
		add_day(&b, "SENTSINCE", o->values[OPTION_SINCE].words[0]);
	if (joboptions_has(o, OPTION_BEFORE))
		add_day(&b, "SENTBEFORE", o->values[OPTION_BEFORE].words[0]);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && joboptions_has(o, OPTION_ONLY); i++)
		if (strcmp(o->values[OPTION_ONLY].words[0], flags[i].value) == 0)
			add_key(&b, flags[i].key);
	if (b.len > 0)
		add(w, "--search1=%s", b.data);
}

/* ---- all of it ---- */

static void add_folders(struct words *w, const struct joboptions *o, bool is_engine)
{
	const struct joboption_value *v = o->values;
	struct arena *a = w->a;

	for (unsigned i = 0; i < v[OPTION_FOLDER].count; i++)
		add(w, "--folder=%s", raw_name(v[OPTION_FOLDER].words[i], a));
	for (unsigned i = 0; i < v[OPTION_FOLDERREC].count; i++) {
		const char *name = raw_name(v[OPTION_FOLDERREC].words[i], a);

		add(w, "--folderrec=%s", name);
		/* imapsync says of these alone that there is no such folder */
		if (!is_engine)
			add(w, "--folder=%s", name);
	}
	for (unsigned i = 0; i < v[OPTION_EXCLUDE].count; i++)
		add(w, "--exclude=%s", quoted(raw_name(v[OPTION_EXCLUDE].words[i], a), a));
	for (unsigned i = 0; i < v[OPTION_F1F2].count; i++)
		add(w, "--f1f2=%s", raw_pair(v[OPTION_F1F2].words[i], a));
	if (v[OPTION_SUBFOLDER1].count > 0)
		add(w, "--subfolder1=%s", raw_name(v[OPTION_SUBFOLDER1].words[0], a));
	if (v[OPTION_SUBFOLDER2].count > 0)
		add(w, "--subfolder2=%s", raw_name(v[OPTION_SUBFOLDER2].words[0], a));
	if (!joboptions_has(o, OPTION_NOAUTOMAP))
		add(w, "--automap");
	if (joboptions_has(o, OPTION_NOSUBSCRIBE))
		add(w, "--nosubscribe");
}

static void add_numbers(struct words *w, const struct joboptions *o, bool is_engine)
{
	static const struct {
		enum joboption option;
		const char *word[2];
	} rows[] = {
	    {OPTION_MAXSIZE, {"maxsize"}},
	    {OPTION_MINSIZE, {"minsize"}},
	    {OPTION_MAXBYTESPERSECOND, {"maxbytespersecond"}},
	    {OPTION_MAXMESSAGESPERSECOND, {"maxmessagespersecond"}},
	    {OPTION_TIMEOUT, {"timeout1", "timeout2"}},
	    {OPTION_CONNECTIONS, {"connections"}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (unsigned k = 0; k < 2 && rows[i].word[k] != NULL; k++)
			if (joboptions_has(o, rows[i].option))
				add(w, "--%s=%" PRIu64, rows[i].word[k], o->values[rows[i].option].number);
	/* imapsync otherwise never waits for more than two seconds, however much one message was */
	if (!is_engine &&
	    (joboptions_has(o, OPTION_MAXBYTESPERSECOND) || joboptions_has(o, OPTION_MAXMESSAGESPERSECOND)))
		add(w, "--maxsleep=%d", SLEEP_MAX_S);
}

static void add_signin(struct words *w, const struct joboptions *o)
{
	static const enum joboption mechanism[] = {OPTION_AUTHMECH1, OPTION_AUTHMECH2};
	static const enum joboption user[] = {OPTION_AUTHUSER1, OPTION_AUTHUSER2};

	for (unsigned n = 0; n < 2; n++) {
		if (joboptions_has(o, mechanism[n]))
			add(w, "--authmech%u=%s", n + 1, o->values[mechanism[n]].words[0]);
		if (joboptions_has(o, user[n]))
			add(w, "--authuser%u=%s", n + 1, o->values[user[n]].words[0]);
	}
}

char **option_words(struct arena *a, const struct joboptions *o, bool is_engine, int64_t began_s)
{
	struct words w = {.a = a};
	size_t room = 3 * JOBOPTION__MAX;

	for (unsigned i = 0; i < JOBOPTION__MAX; i++)
		room += 2 * (size_t)o->values[i].count;
	w.word = arena_array(a, room, sizeof(*w.word));
	add_folders(&w, o, is_engine);
	add_numbers(&w, o, is_engine);
	add_search(&w, o, began_s);
	for (unsigned i = 0; i < o->values[OPTION_USEHEADER].count; i++)
		add(&w, "--useheader=%s", o->values[OPTION_USEHEADER].words[i]);
	add_signin(&w, o);
	if (joboptions_has(o, OPTION_NOSYNCFLAGS))
		add(&w, "--nosyncflags");
	return w.word;
}

/* imapsync drops all else from the names of subfolders, and "0" is none to it. */
static bool is_plain(const struct joboption_value *v)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./ ";

	return v->count == 0 ||
	       (v->words[0][strspn(v->words[0], plain)] == '\0' && strcmp(v->words[0], "0") != 0);
}

static bool has_word(const struct joboption_value *v, const char *word)
{
	for (unsigned i = 0; i < v->count; i++)
		if (strcmp(v->words[i], word) == 0)
			return true;
	return false;
}

/* "0" is no name to Perl: all folders instead of those below it, and no other name for a folder. */
static bool has_zero(const struct joboptions *o)
{
	const struct joboption_value *pairs = &o->values[OPTION_F1F2];

	for (unsigned i = 0; i < pairs->count; i++) {
		const char *target = strchr(pairs->words[i], '=');

		if (target != NULL && strcmp(target, "=0") == 0)
			return true;
	}
	return has_word(&o->values[OPTION_FOLDERREC], "0");
}

/* It asks the server for what is below such a folder by a pattern. */
static bool has_wildcard(const struct joboption_value *v)
{
	for (unsigned i = 0; i < v->count; i++)
		if (strpbrk(v->words[i], "*%") != NULL)
			return true;
	return false;
}

/* With PLAIN it names nobody who signs in, unless that is a master user. */
static bool is_known_mechanism(const struct joboptions *o, enum joboption mechanism, enum joboption user)
{
	const struct joboption_value *v = &o->values[mechanism];

	return v->count == 0 || strcmp(v->words[0], "LOGIN") == 0 ||
	       (strcmp(v->words[0], "PLAIN") == 0 && joboptions_has(o, user));
}

const char *option_words_unfit(const struct joboptions *o)
{
	if (joboptions_has(o, OPTION_NOSYNCFLAGS))
		return "it cannot leave flags behind";
	if (joboptions_has(o, OPTION_CONNECTIONS))
		return "it has one connection to each server";
	if (!is_plain(&o->values[OPTION_SUBFOLDER1]) || !is_plain(&o->values[OPTION_SUBFOLDER2]))
		return "it takes letters, digits, blanks and - _ . / alone in the name of such a folder";
	if (joboptions_has(o, OPTION_SUBFOLDER1) &&
	    (joboptions_has(o, OPTION_FOLDER) || joboptions_has(o, OPTION_FOLDERREC)))
		return "it copies folders that are named beside such a folder even if they are not below it";
	if (has_zero(o))
		return "it takes no folder by the name 0";
	if (!is_known_mechanism(o, OPTION_AUTHMECH1, OPTION_AUTHUSER1) ||
	    !is_known_mechanism(o, OPTION_AUTHMECH2, OPTION_AUTHUSER2))
		return "it does not sign in this way";
	if (has_wildcard(&o->values[OPTION_FOLDERREC]))
		return "it takes * and % in the name of a folder for wildcards";
	return NULL;
}
