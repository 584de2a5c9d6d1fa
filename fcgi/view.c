#include "fcgi/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/say.h"
#include "lib/utf8.h"

void view_add(struct json_object *o, const char *key, struct json_object *val)
{
	json_object_object_add(o, key, val);
}

void view_str(struct json_object *o, const char *key, const char *s)
{
	AUTO_BUF struct buf clean = BUF_INIT;
	size_t len, i, n;

	if (s == NULL || s[0] == '\0') {
		view_null(o, key);
		return;
	}
	len = strlen(s);
	if (utf8_valid(s, len)) {
		view_add(o, key, json_object_new_string(s));
		return;
	}
	for (i = 0; i < len; i += n ? n : 1) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0)
			buf_adds(&clean, "\xEF\xBF\xBD");
		else
			buf_add(&clean, s + i, n);
	}
	view_add(o, key, json_object_new_string_len(clean.data, (int)clean.len));
}

void view_int(struct json_object *o, const char *key, int64_t n)
{
	view_add(o, key, json_object_new_int64(n));
}

void view_bool(struct json_object *o, const char *key, bool b)
{
	view_add(o, key, json_object_new_boolean(b));
}

void view_null(struct json_object *o, const char *key)
{
	view_add(o, key, NULL);
}

static void with_text(
    struct json_object *o, struct arena *a, const char *key, uint64_t n, bool known, const char *text)
{
	view_add(o, key, known ? json_object_new_int64(n > INT64_MAX ? INT64_MAX : (int64_t)n) : NULL);
	view_str(o, arena_printf(a, "%s_text", key), known ? text : NULL);
}

void view_count(struct json_object *o, struct arena *a, const char *key, uint64_t n, bool known)
{
	with_text(o, a, key, n, known, view_number_text(a, n));
}

void view_size(struct json_object *o, struct arena *a, const char *key, uint64_t bytes, bool known)
{
	with_text(o, a, key, bytes, known, view_size_text(a, bytes));
}

void view_moment(struct json_object *o, struct arena *a, const char *key, int64_t at_s, int64_t now_s)
{
	char iso[40] = "", text[40] = "";
	time_t t = (time_t)at_s;
	struct tm tm;
	bool known = at_s > 0 && gmtime_r(&t, &tm) != NULL;

	if (known) {
		(void)strftime(iso, sizeof(iso), "%Y-%m-%dT%H:%M:%SZ", &tm);
		(void)strftime(text, sizeof(text), "%-d %b %Y %H:%M:%S UTC", &tm);
	}
	view_add(o, arena_printf(a, "%s_at", key), known ? json_object_new_int64(at_s) : NULL);
	view_str(o, arena_printf(a, "%s_iso", key), iso);
	view_str(o, arena_printf(a, "%s_abs", key), text);
	view_str(o, arena_printf(a, "%s_rel", key), known ? view_relative_text(a, at_s, now_s) : NULL);
}

const char *view_number_text(struct arena *a, uint64_t n)
{
	return say_number(a, n);
}

const char *view_plural_text(struct arena *a, uint64_t n, const char *noun)
{
	return say_plural(a, n, noun);
}

const char *view_size_text(struct arena *a, uint64_t bytes)
{
	return say_size(a, bytes);
}

const char *view_duration_text(struct arena *a, int64_t s)
{
	if (s < 0)
		s = 0;
	if (s < 60)
		return arena_printf(a, "%d s", (int)s);
	if (s < 3600)
		return s % 60 ? arena_printf(a, "%d min %d s", (int)(s / 60), (int)(s % 60))
			      : arena_printf(a, "%d min", (int)(s / 60));
	if (s < 86400)
		return s / 60 % 60 ? arena_printf(a, "%d h %d min", (int)(s / 3600), (int)(s / 60 % 60))
				   : arena_printf(a, "%d h", (int)(s / 3600));
	return s / 3600 % 24 ? arena_printf(a, "%" PRId64 " d %d h", s / 86400, (int)(s / 3600 % 24))
			     : arena_printf(a, "%" PRId64 " d", s / 86400);
}

const char *view_elapsed_text(struct arena *a, int64_t ms)
{
	if (ms < 1000)
		return arena_printf(a, "%d ms", (int)(ms < 0 ? 0 : ms));
	return arena_printf(a, "%.1f s", (double)ms / 1000);
}

const char *view_relative_text(struct arena *a, int64_t at_s, int64_t now_s)
{
	static const struct {
		int64_t below_s, unit_s;
		const char *noun;
	} steps[] = {{60, 1, "second"}, {3600, 60, "minute"}, {86400, 3600, "hour"},
	    {86400 * 30, 86400, "day"}, {86400 * 365, 86400 * 30, "month"}, {INT64_MAX, 86400 * 365, "year"}};
	int64_t d = now_s - at_s;
	bool future = d < 0;
	size_t i = 0;
	const char *amount;

	if (future)
		d = -d;
	if (d < 5)
		return "just now";
	while (d >= steps[i].below_s)
		i++;
	amount = view_plural_text(a, (uint64_t)(d / steps[i].unit_s), steps[i].noun);
	return future ? arena_printf(a, "in %s", amount) : arena_printf(a, "%s ago", amount);
}

const char *view_eta_text(struct arena *a, int64_t s)
{
	const char *unit = "minute";
	int64_t unit_s = 60, low, high;

	if (s < 60)
		return "less than a minute";
	if (s >= 2 * 3600) {
		unit = "hour";
		unit_s = 3600;
	}
	/* a fifth either way: what is left is never known better while sizes vary */
	low = s * 4 / 5 / unit_s;
	high = (s * 6 / 5 + unit_s - 1) / unit_s;
	if (low < 1)
		low = 1;
	if (high <= low)
		return arena_printf(a, "about %s", view_plural_text(a, (uint64_t)low, unit));
	return arena_printf(a, "about %" PRId64 " to %" PRId64 " %ss", low, high, unit);
}
