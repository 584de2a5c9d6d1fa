/* The options of a job, written: for forms, for people, for the row, and read back from there. */
#include <inttypes.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/joboptions.h"

static const char *join(const struct joboption_value *v, const char *between, struct arena *a)
{
	AUTO_BUF struct buf b = BUF_INIT;

	for (unsigned i = 0; i < v->count; i++)
		buf_addf(&b, "%s%s", i > 0 ? between : "", v->words[i]);
	return arena_strndup(a, b.data, b.len);
}

/* The largest unit of which it is a whole number. */
static const char *bytes_text(uint64_t n, struct arena *a)
{
	static const struct {
		uint64_t bytes;
		const char *name;
	} units[] = {{1000000000, "GB"}, {1 << 30, "GiB"}, {1000000, "MB"}, {1 << 20, "MiB"}, {1000, "KB"},
	    {1 << 10, "KiB"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (n % units[i].bytes == 0)
			return arena_printf(a, "%" PRIu64 " %s", n / units[i].bytes, units[i].name);
	return arena_printf(a, "%" PRIu64 " bytes", n);
}

const char *joboptions_text(const struct joboptions *o, enum joboption i, struct arena *a)
{
	const struct joboption_value *v = &o->values[i];

	if (!joboptions_has(o, i))
		return "";
	switch (joboption_rows[i].kind) {
	case JOBOPTION_BYTES: return bytes_text(v->number, a);
	case JOBOPTION_COUNT:
	case JOBOPTION_SWITCH: return arena_printf(a, "%" PRIu64, v->number);
	default: return join(v, "\n", a);
	}
}

static const char *choice_label(const struct joboption_row *row, const char *value)
{
	const struct joboption_choice *c = row->choices;

	while (c->value != NULL && strcmp(c->value, value) != 0)
		c++;
	return c->value != NULL ? c->label : value;
}

const char *joboptions_say(const struct joboptions *o, enum joboption i, struct arena *a)
{
	const struct joboption_row *row = &joboption_rows[i];
	const struct joboption_value *v = &o->values[i];
	const char *value, *at = strstr(row->say, "%s");

	switch (row->kind) {
	case JOBOPTION_SWITCH: return row->say;
	case JOBOPTION_BYTES: value = bytes_text(v->number, a); break;
	case JOBOPTION_COUNT: value = arena_printf(a, "%" PRIu64, v->number); break;
	case JOBOPTION_CHOICE: value = choice_label(row, v->words[0]); break;
	default: value = join(v, ", ", a); break;
	}
	return arena_printf(a, "%.*s%s%s", (int)(at - row->say), row->say, value, at + 2);
}

const char *joboptions_say_all(const struct joboptions *o, struct arena *a)
{
	AUTO_BUF struct buf b = BUF_INIT;

	for (unsigned i = 0; i < JOBOPTION__MAX; i++)
		if (joboptions_has(o, (enum joboption)i))
			buf_addf(&b, "%s%s", b.len > 0 ? "; " : "", joboptions_say(o, (enum joboption)i, a));
	return b.len > 0 ? arena_strndup(a, b.data, b.len) : NULL;
}

/* ---- as JSON ---- */

static struct json_object *value_json(const struct joboptions *o, enum joboption i)
{
	const struct joboption_value *v = &o->values[i];
	struct json_object *list;

	switch (joboption_rows[i].kind) {
	case JOBOPTION_SWITCH: return json_object_new_boolean(1);
	case JOBOPTION_BYTES:
	case JOBOPTION_COUNT: return json_object_new_int64((int64_t)v->number);
	case JOBOPTION_FOLDERS:
	case JOBOPTION_PAIRS:
	case JOBOPTION_FIELDS:
		list = json_object_new_array();
		for (unsigned k = 0; k < v->count; k++)
			json_object_array_add(list, json_object_new_string(v->words[k]));
		return list;
	default: return json_object_new_string(v->words[0]);
	}
}

struct json_object *joboptions_json(const struct joboptions *o)
{
	struct json_object *all = json_object_new_object();

	for (unsigned i = 0; i < JOBOPTION__MAX; i++)
		if (joboptions_has(o, (enum joboption)i))
			json_object_object_add(all, joboption_rows[i].name, value_json(o, (enum joboption)i));
	return all;
}

const char *joboptions_write(const struct joboptions *o, struct arena *a)
{
	struct json_object *all;
	const char *text;

	if (!joboptions_any(o))
		return NULL;
	all = joboptions_json(o);
	text = arena_strdup(
	    a, json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(all);
	return text;
}

/* The text that joboptions_set() takes; NULL: a value of no kind that was written. */
static const char *value_text(struct json_object *val, struct arena *a)
{
	AUTO_BUF struct buf b = BUF_INIT;

	switch (json_object_get_type(val)) {
	case json_type_boolean: return json_object_get_boolean(val) ? "1" : NULL;
	case json_type_int: return arena_printf(a, "%" PRId64, json_object_get_int64(val));
	case json_type_string: buf_adds(&b, json_object_get_string(val)); break;
	case json_type_array:
		for (size_t i = 0; i < json_object_array_length(val); i++) {
			struct json_object *one = json_object_array_get_idx(val, i);

			if (!json_object_is_type(one, json_type_string) ||
			    strchr(json_object_get_string(one), '\n') != NULL)
				return NULL;
			buf_addf(&b, "%s%s", i > 0 ? "\n" : "", json_object_get_string(one));
		}
		break;
	default: return NULL;
	}
	return arena_strndup(a, b.data, b.len);
}

static enum err read_one(
    struct joboptions *o, const char *name, struct json_object *val, struct arena *a, const char **why_r)
{
	enum joboption i = joboption_named(name);
	const char *text = value_text(val, a), *why = "a value of another kind";

	if (i == JOBOPTION__MAX) {
		*why_r = arena_printf(a, "%s: no such option", name);
		return ERR_INVALID;
	}
	if (text != NULL && joboptions_set(o, i, text, a, &why) == ERR_OK)
		return ERR_OK;
	*why_r = arena_printf(a, "%s: %s", name, why);
	return ERR_INVALID;
}

static enum err read_all(struct joboptions *o, struct json_object *all, struct arena *a, const char **why_r)
{
	enum joboption where = JOBOPTION__MAX;
	enum err e = ERR_OK;

	json_object_object_foreach(all, name, val)
	{
		if (e == ERR_OK)
			e = read_one(o, name, val, a, why_r);
	}
	return e == ERR_OK ? joboptions_check(o, &where, why_r) : e;
}

enum err joboptions_read(struct joboptions *o_r, const char *text, struct arena *a, const char **why_r)
{
	struct json_tokener *tok;
	struct json_object *all = NULL;
	const char *why = "not the object that was written";
	enum err e = ERR_INVALID;

	*o_r = (struct joboptions){0};
	if (text == NULL)
		return ERR_OK;
	tok = json_tokener_new_ex(4);
	if (tok == NULL)
		return ERR_INTERNAL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	if (strlen(text) <= JOBOPTIONS_MAX_BYTES)
		all = json_tokener_parse_ex(tok, text, (int)strlen(text) + 1);
	if (json_object_is_type(all, json_type_object))
		e = read_all(o_r, all, a, &why);
	json_object_put(all);
	json_tokener_free(tok);
	if (e != ERR_OK)
		*o_r = (struct joboptions){0};
	if (why_r != NULL)
		*why_r = e == ERR_OK ? "" : why;
	return e;
}
