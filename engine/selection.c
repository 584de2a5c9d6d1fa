#include "config.h"

#include "engine/selection.h"

#include <time.h>

#include "imap/search.h"
#include "lib/buf.h"
#include "engine/output.h"

#define DAY_S 86400

bool selection_takes_size(const struct options *o, uint64_t size)
{
	return (o->maxsize == 0 || size <= o->maxsize) && (o->minsize == 0 || size > o->minsize);
}

const char *selection_why(const struct options *o, uint64_t size, struct arena *a)
{
	bool big = o->maxsize != 0 && size > o->maxsize;

	return big ? arena_printf(a, "%llu exceeds maxsize limit %llu bytes", (unsigned long long)size,
			 (unsigned long long)o->maxsize)
		   : arena_printf(a, "%llu smaller than minsize %llu bytes", (unsigned long long)size,
			 (unsigned long long)o->minsize);
}

bool selection_searches(const struct options *o)
{
	return o->search != NULL || o->max_age_days != 0 || o->min_age_days != 0;
}

/* "SENTSINCE 5-Mar-2019" for the day so many days before. */
static void add_day(struct buf *b, const char *key, int64_t now_s, unsigned days)
{
	static const char months[12][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int64_t then_s = now_s - (int64_t)days * DAY_S;
	time_t t = then_s > 0 ? (time_t)then_s : 0;
	struct tm tm = {0};

	(void)gmtime_r(&t, &tm);
	buf_addf(b, "%s %d-%s-%04d", key, tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900);
}

/* As imapsync has it: between the two ages, or, where that would be nothing, outside of them. */
static void add_criteria(struct buf *b, const struct options *o, int64_t now_s)
{
	bool outside = o->max_age_days != 0 && o->min_age_days > o->max_age_days;

	if (outside)
		buf_adds(b, "OR ");
	if (o->max_age_days != 0)
		add_day(b, "SENTSINCE", now_s, o->max_age_days);
	if (o->max_age_days != 0 && o->min_age_days != 0)
		buf_addc(b, ' ');
	if (o->min_age_days != 0)
		add_day(b, "SENTBEFORE", now_s, o->min_age_days);
	if (o->search != NULL)
		buf_addf(b, "%s%s", b->len > 0 ? " " : "", o->search);
}

static void on_found(void *ctx, uint32_t first, uint32_t last)
{
	struct message_list *list = ctx;
	uint32_t low = 0;
	uint32_t high = list->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (list->items[middle].uid < first)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < list->count && list->items[low].uid <= last; low++)
		list->items[low].unselected = false;
}

static enum err search(
    struct link *l, struct message_list *list, uint32_t first, uint32_t last, const char *criteria)
{
	const struct imap_range range = {.first = list->items[first].uid, .last = list->items[last].uid};
	for (;;) {
		enum err e = imap_search(l->session, &range, criteria, on_found, list);
		if (e == ERR_OK) {
			link_worked(l);
			return ERR_OK;
		}
		if (imap_session_alive(l->session))
			return e;
		e = link_revive(l);
		if (e != ERR_OK)
			return e;
	}
}

enum err selection_mark(struct link *l, struct message_list *list, bool whole)
{
	AUTO_BUF struct buf criteria = BUF_INIT;
	const struct options *o = l->report->options;
	int64_t now_s = o->newer_than_s != 0 ? (int64_t)o->newer_than_s : l->report->started_s;
	enum err e = ERR_OK;

	if (!selection_searches(o))
		return ERR_OK;
	add_criteria(&criteria, o, now_s);
	for (uint32_t i = 0; i < list->count; i++)
		list->items[i].unselected = true;
	for (uint32_t first = 0; first < list->count && e == ERR_OK;) {
		uint32_t last = first;
		while (last + 1 < list->count && last + 1 - first < IMAP_SEARCH_SPAN &&
		       (whole || list->items[last + 1].uid - list->items[first].uid < IMAP_SEARCH_SPAN))
			last++;
		e = search(l, list, first, last, criteria.data);
		out_alive(
		    "Host1: folder [%s] %u of %u messages searched", l->selected, last + 1, list->count);
		first = last + 1;
	}
	return e;
}
