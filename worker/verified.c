#include "config.h"

#include "worker/verified.h"

#include <string.h>

#include "lib/utf8.h"

void verified_init(struct verified *v)
{
	memset(v, 0, sizeof(*v));
}

static const char *behind(const char *line, size_t len, const char *label)
{
	size_t n = strlen(label);

	return len >= n && memcmp(line, label, n) == 0 ? line + n : NULL;
}

/* The number behind the colon, 0 where there is none; saturates. */
static int64_t number(const char *s, const char *end)
{
	int64_t n = 0;

	while (s < end && (*s == ' ' || *s == ':'))
		s++;
	for (; s < end && *s >= '0' && *s <= '9'; s++)
		n = n > (INT64_MAX - 9) / 10 ? INT64_MAX - 9 : n * 10 + (*s - '0');
	return n;
}

static void add(int64_t *sum, int64_t n)
{
	*sum = *sum > INT64_MAX - n ? INT64_MAX : *sum + n;
}

/* Adds as much as fits a row; what is not UTF-8, and controls, become "?". */
static void add_row(struct verified *v, const char *fault, const char *text, size_t len)
{
	size_t begin;

	if (v->row_count >= VERIFIED_ROWS_MAX)
		return;
	v->row_count++;
	memcpy(v->rows + v->rows_len, fault, strlen(fault));
	v->rows_len += strlen(fault);
	v->rows[v->rows_len++] = '\t';
	begin = v->rows_len;
	for (size_t i = 0; i < len;) {
		size_t n = utf8_sequence(text + i, len - i);
		bool bad = n == 0 || utf8_is_control(text + i, n);

		if (v->rows_len - begin + (bad ? 1 : n) > VERIFIED_ROW_MAX)
			break;
		if (bad)
			v->rows[v->rows_len++] = '?';
		else
			memcpy(v->rows + v->rows_len, text + i, n);
		v->rows_len += bad ? 0 : n;
		i += n == 0 ? 1 : n;
	}
	v->rows[v->rows_len++] = '\n';
	v->rows[v->rows_len] = '\0';
	v->faulty_rows = true;
}

static void read_fault(struct verified *v, const char *line, size_t len)
{
	static const struct {
		const char *label, *fault;
	} kinds[] = {
	    {"Verify missing: msg ", "missing"},
	    {"Verify altered: msg ", "altered"},
	    {"Verify doubled: msg ", "doubled"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *text = behind(line, len, kinds[i].label);

		if (text != NULL)
			add_row(v, kinds[i].fault, text, (size_t)(line + len - text));
	}
}

static void read_count(struct verified *v, const char *line, size_t len)
{
	const struct {
		const char *label;
		int64_t *n;
	} rows[] = {
	    {"Messages compared ", &v->messages},
	    {"Messages verified on host2 ", &v->verified},
	    {"Messages missing on host2 ", &v->missing},
	    {"Messages altered on host2 ", &v->altered},
	    {"Messages doubled on host2 ", &v->doubled},
	    {"Messages on host2 only ", &v->extra},
	    {"Messages newer than the run ", &v->newer},
	    {"Repeated on host1, once on host2 ", &v->adapted},
	    {"Bytes changed by a server ", &v->adapted},
	    {"Message-Id added by imapsync ", &v->adapted},
	    {"Arrival date not kept by host2 ", &v->adapted},
	    {"Messages that could not be compared ", &v->unread},
	    {"Folders that could not be compared ", &v->unread},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *rest = behind(line, len, rows[i].label);

		if (rest != NULL)
			add(rows[i].n, number(rest, line + len));
	}
}

void verified_line(void *ctx, const char *line, size_t len)
{
	struct verified *v = ctx;
	const char *rest;

	if (v->summary)
		read_count(v, line, len);
	else if (behind(line, len, "++++ Verification by ") != NULL)
		v->summary = true;
	else if ((rest = behind(line, len, "Folders the copier put elsewhere ")) != NULL)
		v->elsewhere = number(rest, line + len);
	else
		read_fault(v, line, len);
}
