#include "lib/joboptions.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "lib/buf.h"
#include "lib/parse.h"
#include "lib/utf8.h"

bool joboptions_has(const struct joboptions *o, enum joboption i)
{
	return o->values[i].count > 0 || o->values[i].number > 0;
}

bool joboptions_any(const struct joboptions *o)
{
	for (unsigned i = 0; i < JOBOPTION__MAX; i++)
		if (joboptions_has(o, (enum joboption)i))
			return true;
	return false;
}

/* ---- from text ---- */

static bool is_list(enum joboption_kind k)
{
	return k == JOBOPTION_FOLDERS || k == JOBOPTION_PAIRS || k == JOBOPTION_FIELDS;
}

static const char *trimmed(struct arena *a, const char *s, size_t len)
{
	while (len > 0 && strchr(" \t\r", *s) != NULL) {
		s++;
		len--;
	}
	while (len > 0 && strchr(" \t\r", s[len - 1]) != NULL)
		len--;
	return arena_strndup(a, s, len);
}

static const char *check_plain(const char *s)
{
	size_t len = strlen(s), n;

	if (len > JOBOPTION_NAME_MAX_BYTES)
		return "This name is too long.";
	for (size_t i = 0; i < len; i += n) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0 || utf8_is_control(s + i, n))
			return "A name cannot contain control characters.";
	}
	return NULL;
}

/* INBOX is the one name whose case means nothing (RFC 9051 section 5.1). */
static const char *folder_name(const char *s)
{
	return strcasecmp(s, "INBOX") == 0 ? "INBOX" : s;
}

static const char *check_pair(const char **word, struct arena *a)
{
	const char *eq = strchr(*word, '='), *from, *to;

	if (eq == NULL || strchr(eq + 1, '=') != NULL)
		return "Write each line as name=other name. A name that itself contains “=” cannot be given "
		       "here.";
	from = folder_name(trimmed(a, *word, (size_t)(eq - *word)));
	to = folder_name(trimmed(a, eq + 1, strlen(eq + 1)));
	if (*from == '\0' || *to == '\0')
		return "A name is missing beside the “=”.";
	*word = arena_printf(a, "%s=%s", from, to);
	return NULL;
}

/* RFC 5322 section 3.6.8, less what would mean something to IMAP.  ALL is every field to imapsync. */
static const char *check_field(const char *s)
{
	bool good = strlen(s) <= 100 && strcasecmp(s, "ALL") != 0;

	for (const char *c = s; *c != '\0'; c++)
		good = good && (*c == '-' || (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
				   (*c >= 'A' && *c <= 'Z'));
	return good ? NULL
		    : "The name of a header field has letters, digits and hyphens alone, like Message-Id.";
}

static const char *check_word(enum joboption_kind k, const char **word, struct arena *a)
{
	const char *why = check_plain(*word);

	if (why != NULL)
		return why;
	switch (k) {
	case JOBOPTION_PAIRS: return check_pair(word, a);
	case JOBOPTION_FIELDS: return check_field(*word);
	case JOBOPTION_USER: return NULL;
	default: *word = folder_name(*word); return NULL;
	}
}

static const char *set_words(
    struct joboption_value *v, enum joboption_kind k, const char *text, struct arena *a)
{
	const char **words = arena_array(a, JOBOPTION_WORDS_MAX, sizeof(*words));
	unsigned max = k == JOBOPTION_FIELDS                        ? 8
		       : k == JOBOPTION_NAME || k == JOBOPTION_USER ? 1
								    : JOBOPTION_WORDS_MAX;
	unsigned count = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		const char *word = trimmed(a, text, len), *why;

		text += len;
		text += *text == '\n';
		if (*word == '\0')
			continue;
		if (count == max)
			return arena_printf(a, "These are more than %u.", max);
		why = check_word(k, &word, a);
		if (why != NULL)
			return why;
		words[count++] = word;
	}
	v->words = words;
	v->count = count;
	return NULL;
}

static const struct unit {
	const char *name;
	uint64_t bytes;
} units[] = {{"GB", 1000000000}, {"GiB", 1 << 30}, {"MB", 1000000}, {"MiB", 1 << 20}, {"KB", 1000},
    {"KiB", 1 << 10}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"bytes", 1}, {"B", 1}, {"", 1}};

static const char *set_bytes(
    struct joboption_value *v, const struct joboption_row *row, const char *text, struct arena *a)
{
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits + strspn(text + digits, " ");
	uint64_t n;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t by = units[i].bytes;

		if (strcasecmp(units[i].name, unit) != 0)
			continue;
		if (parse_u64(arena_strndup(a, text, digits), 1, row->max / by, &n) != ERR_OK)
			break;
		if (n * by < row->min)
			break;
		v->number = n * by;
		return NULL;
	}
	if (row->min <= 1)
		return "Give a size like 25 MB or 500 KiB.";
	return arena_printf(a, "Give a size like 25 MB, not under %" PRIu64 " bytes.", row->min);
}

static const char *set_count(
    struct joboption_value *v, const struct joboption_row *row, const char *text, struct arena *a)
{
	if (parse_u64(text, row->min, row->max, &v->number) == ERR_OK)
		return NULL;
	return arena_printf(a, "Give a whole number from %" PRIu64 " to %" PRIu64 ".", row->min, row->max);
}

static bool is_date(const char *s)
{
	static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint64_t y, m, d;
	AUTO_ARENA struct arena *a = arena_new();

	if (strlen(s) != 10 || s[4] != '-' || s[7] != '-' ||
	    parse_u64(arena_strndup(a, s, 4), 1970, 2999, &y) != ERR_OK ||
	    parse_u64(arena_strndup(a, s + 5, 2), 1, 12, &m) != ERR_OK)
		return false;
	bool leap = m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
	return parse_u64(s + 8, 1, days[m - 1] + leap, &d) == ERR_OK;
}

static const char *set_one(struct joboption_value *v, const char *text, struct arena *a)
{
	const char **words = arena_array(a, 1, sizeof(*words));

	words[0] = text;
	v->words = words;
	v->count = 1;
	return NULL;
}

static const char *set_choice(
    struct joboption_value *v, const struct joboption_row *row, const char *text, struct arena *a)
{
	for (const struct joboption_choice *c = row->choices; c->value != NULL; c++)
		if (strcmp(c->value, text) == 0)
			return set_one(v, c->value, a);
	return "Choose one of the values offered.";
}

enum err joboptions_set(
    struct joboptions *o, enum joboption i, const char *text, struct arena *a, const char **why_r)
{
	const struct joboption_row *row = &joboption_rows[i];
	struct joboption_value v = {0};
	const char *one = trimmed(a, text, strlen(text));
	const char *why = NULL;

	if (strlen(text) > joboption_max_bytes(i))
		why = arena_printf(a, "This is longer than %zu bytes.", joboption_max_bytes(i));
	else if (is_list(row->kind) || row->kind == JOBOPTION_NAME || row->kind == JOBOPTION_USER)
		why = set_words(&v, row->kind, text, a);
	else if (*one == '\0')
		why = NULL;
	else if (row->kind == JOBOPTION_BYTES)
		why = set_bytes(&v, row, one, a);
	else if (row->kind == JOBOPTION_COUNT)
		why = set_count(&v, row, one, a);
	else if (row->kind == JOBOPTION_DATE)
		why = is_date(one) ? set_one(&v, one, a) : "Give a day like 2026-01-31.";
	else if (row->kind == JOBOPTION_CHOICE)
		why = set_choice(&v, row, one, a);
	else
		v.number = strcmp(one, "0") != 0;
	*why_r = why;
	if (why != NULL)
		return ERR_INVALID;
	o->values[i] = v;
	return ERR_OK;
}

/* ---- together ---- */

#define NO_MASTER "A master user signs in by PLAIN or SCRAM-SHA-256: choose one of these, or nothing, above."

static uint64_t number(const struct joboptions *o, enum joboption i)
{
	return o->values[i].number;
}

static bool is_word(const struct joboptions *o, enum joboption i, const char *word)
{
	return joboptions_has(o, i) && strcmp(o->values[i].words[0], word) == 0;
}

bool joboptions_takes_token(const struct joboptions *o, int side)
{
	enum joboption i = side == 0 ? OPTION_AUTHMECH1 : OPTION_AUTHMECH2;

	return is_word(o, i, "XOAUTH2") || is_word(o, i, "OAUTHBEARER");
}

/* LOGIN has no place for a master user, and a token says itself who signs in. */
static bool has_no_master(const struct joboptions *o, int side)
{
	return is_word(o, side == 0 ? OPTION_AUTHMECH1 : OPTION_AUTHMECH2, "LOGIN") ||
	       joboptions_takes_token(o, side);
}

enum err joboptions_check(const struct joboptions *o, enum joboption *where_r, const char **why_r)
{
	const struct {
		bool is_wrong;
		enum joboption where;
		const char *why;
	} rules[] = {
	    {number(o, OPTION_MAXSIZE) != 0 && number(o, OPTION_MINSIZE) >= number(o, OPTION_MAXSIZE),
		OPTION_MINSIZE, "No message is larger than this and within the size above."},
	    {number(o, OPTION_MAXAGE) != 0 && number(o, OPTION_MINAGE) >= number(o, OPTION_MAXAGE),
		OPTION_MINAGE, "No message is older than this and within the days above."},
	    {joboptions_has(o, OPTION_SINCE) && joboptions_has(o, OPTION_BEFORE) &&
		    strcmp(o->values[OPTION_SINCE].words[0], o->values[OPTION_BEFORE].words[0]) >= 0,
		OPTION_BEFORE, "No day is before this and not before the day above."},
	    {joboptions_has(o, OPTION_AUTHUSER1) && has_no_master(o, 0), OPTION_AUTHUSER1, NO_MASTER},
	    {joboptions_has(o, OPTION_AUTHUSER2) && has_no_master(o, 1), OPTION_AUTHUSER2, NO_MASTER},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!rules[i].is_wrong)
			continue;
		*where_r = rules[i].where;
		*why_r = rules[i].why;
		return ERR_INVALID;
	}
	return ERR_OK;
}
