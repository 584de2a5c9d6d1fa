#include "fcgi/verify_view.h"

#include <string.h>

#include "lib/buf.h"
#include "fcgi/view.h"
#include "sql/job_say.h"

static const struct {
	const char *fault, *text;
} fault_texts[] = {{"missing", "Missing"}, {"altered", "Altered"}, {"doubled", "Doubled"}};

static void add_part(struct buf *b, struct arena *a, int64_t n, const char *what)
{
	if (n > 0)
		buf_addf(b, "%s%s %s", b->len > 0 ? ", " : "", view_number_text(a, (uint64_t)n), what);
}

/* What was told apart, and is no fault. */
static const char *remarks(struct arena *a, const struct job_verify *v)
{
	AUTO_BUF struct buf b = BUF_INIT;

	add_part(&b, a, v->extra, "on the destination only");
	add_part(&b, a, v->newer, "newer than the run on the source");
	add_part(&b, a, v->adapted, "with line ends, dates or the like changed by a server");
	return b.len > 0 ? arena_printf(a, "No fault, but told apart: %s.", b.data) : NULL;
}

static const char *fault_text(const char *fault, size_t len)
{
	for (size_t i = 0; i < sizeof(fault_texts) / sizeof(fault_texts[0]); i++)
		if (strlen(fault_texts[i].fault) == len && memcmp(fault_texts[i].fault, fault, len) == 0)
			return fault_texts[i].text;
	return "Faulty";
}

static struct json_object *faulty_rows(struct arena *a, const char *rows)
{
	struct json_object *list = json_object_new_array();

	while (rows != NULL && *rows != '\0') {
		size_t len = strcspn(rows, "\n");
		const char *tab = memchr(rows, '\t', len);

		if (tab != NULL) {
			struct json_object *o = json_object_new_object();

			view_str(o, "fault", arena_strndup(a, rows, (size_t)(tab - rows)));
			view_str(o, "fault_text", fault_text(rows, (size_t)(tab - rows)));
			view_str(o, "text", arena_strndup(a, tab + 1, len - (size_t)(tab + 1 - rows)));
			json_object_array_add(list, o);
		}
		rows += len;
		rows += *rows == '\n';
	}
	return list;
}

static void count(struct json_object *o, struct arena *a, const char *key, int64_t n)
{
	view_count(o, a, key, n < 0 ? 0 : (uint64_t)n, n >= 0);
}

struct json_object *verify_view(struct arena *a, const struct job *j)
{
	const struct job_verify *v = &j->verify;
	struct json_object *o, *rows;
	int64_t shown, faults = 0;

	if (v->state == VERIFY_NONE)
		return NULL;
	o = json_object_new_object();
	rows = faulty_rows(a, v->rows);
	shown = (int64_t)json_object_array_length(rows);
	if (v->missing >= 0)
		faults = v->missing + v->altered + v->doubled;
	view_str(o, "state", verify_state_name(v->state));
	view_bool(o, "is_running", v->state == VERIFY_RUNNING);
	view_bool(o, "is_verified", v->state == VERIFY_VERIFIED);
	view_bool(o, "is_faulty", v->state == VERIFY_FAULTS);
	view_bool(o, "is_unverified", v->state == VERIFY_UNVERIFIED);
	view_str(o, "mode", v->mode);
	view_str(o, "sentence", job_say_verification(a, j));
	view_str(o, "remarks", remarks(a, v));
	view_str(o, "note", v->note);
	view_str(o, "faults_text", job_say_faults(a, v));
	count(o, a, "messages", v->messages);
	count(o, a, "verified", v->verified);
	count(o, a, "missing", v->missing);
	count(o, a, "altered", v->altered);
	count(o, a, "doubled", v->doubled);
	count(o, a, "extra", v->extra);
	count(o, a, "newer", v->newer);
	count(o, a, "adapted", v->adapted);
	view_bool(o, "has_rows", shown > 0);
	view_str(o, "more_text",
	    faults > shown && shown > 0 ? arena_printf(a, "and %s more: the log lists them",
					      view_number_text(a, (uint64_t)(faults - shown)))
					: NULL);
	view_add(o, "rows", rows);
	return o;
}
