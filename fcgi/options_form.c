#include "fcgi/options_form.h"

#include <string.h>

#include "fcgi/view.h"
#include "lib/joboptions.h"

#define PREFIX REQUEST_NESTED "."

static const char *field_name(enum joboption i, struct arena *a)
{
	return arena_printf(a, "%s%s", PREFIX, joboption_rows[i].name);
}

static enum form_kind field_kind(enum joboption_kind k)
{
	switch (k) {
	case JOBOPTION_FOLDERS:
	case JOBOPTION_PAIRS:
	case JOBOPTION_FIELDS: return FORM_LINES;
	case JOBOPTION_SWITCH: return FORM_CHECK;
	default: return FORM_TEXT;
	}
}

const struct form_spec *options_form_specs(
    struct arena *a, const struct form_spec *base, unsigned base_count, unsigned *count_r)
{
	struct form_spec *all = arena_array(a, base_count + JOBOPTION__MAX, sizeof(*all));

	memcpy(all, base, base_count * sizeof(*all));
	for (unsigned i = 0; i < JOBOPTION__MAX; i++)
		all[base_count + i] = (struct form_spec){.name = field_name((enum joboption)i, a),
		    .kind = field_kind(joboption_rows[i].kind),
		    .max_bytes = joboption_max_bytes((enum joboption)i)};
	*count_r = base_count + JOBOPTION__MAX;
	return all;
}

/* "false" and "no" are not what a ticked box sends: refused, lest they switch something on. */
static bool is_switch(const char *sent)
{
	return sent == NULL || *sent == '\0' || strcmp(sent, "0") == 0 || strcmp(sent, "1") == 0;
}

/* A name in the body that is none of ours must not be passed over in silence. */
static bool refuse_strange(struct form *f, struct arena *a, const struct params *body, bool *given_r)
{
	*given_r = false;
	for (unsigned i = 0; i < body->count; i++) {
		const char *name = body->list[i].name;

		if (strcmp(name, REQUEST_NESTED) == 0) {
			*given_r = true;
			if (strcmp(body->list[i].value, "1") == 0)
				continue;
			form_refuse(f, NULL, "The options must be an object: {\"maxsize\": 25000000}.");
			return true;
		}
		if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		*given_r = true;
		if (joboption_named(name + strlen(PREFIX)) != JOBOPTION__MAX)
			continue;
		form_refuse(f, NULL, arena_printf(a, "There is no option “%.60s”.", name + strlen(PREFIX)));
		return true;
	}
	return false;
}

enum err options_form_take(struct form *f, struct arena *a, const struct params *body, const char **stored_r)
{
	struct joboptions o = {0};
	enum joboption where;
	const char *why;
	bool given;

	*stored_r = NULL;
	if (refuse_strange(f, a, body, &given))
		return ERR_INVALID;
	if (!given)
		return f->has_errors ? ERR_INVALID : ERR_OK;
	for (unsigned i = 0; i < JOBOPTION__MAX; i++) {
		const char *name = field_name((enum joboption)i, a);
		const struct form_field *fd = form_get(f, name);
		const char *text = fd->state == FORM_VALUE ? fd->text : "";

		if (fd->spec->kind == FORM_CHECK && !is_switch(params_get(body, name)))
			form_refuse(f, name, "This is on (true, or 1) or off (false, or 0).");
		/* what the form refused already keeps its reason */
		if (fd->state != FORM_INVALID &&
		    joboptions_set(&o, (enum joboption)i, text, a, &why) != ERR_OK)
			form_refuse(f, name, why);
	}
	if (!f->has_errors && joboptions_check(&o, &where, &why) != ERR_OK)
		form_refuse(f, field_name(where, a), why);
	if (f->has_errors)
		return ERR_INVALID;
	*stored_r = joboptions_write(&o, a);
	if (*stored_r == NULL)
		*stored_r = "";
	return ERR_OK;
}

enum err options_form_check_secrets(struct form *f, struct arena *a, const char *stored)
{
	static const char *const names[] = {"source_password", "dest_password"};
	struct joboptions o;

	/* *o is empty when what is stored is none of ours */
	if (stored != NULL && *stored == '\0')
		stored = NULL;
	(void)!joboptions_read(&o, stored, a, NULL);
	for (int side = 0; side < 2; side++) {
		const struct form_field *fd = form_get(f, names[side]);

		if (fd->state == FORM_VALUE && strlen(fd->text) > FORM_PASSWORD_MAX_BYTES &&
		    !joboptions_takes_token(&o, side))
			form_refuse(f, names[side],
			    arena_printf(a,
				"This is longer than %d bytes. If it is an access token, say so under "
				"Options, Sign-in.",
				FORM_PASSWORD_MAX_BYTES));
	}
	return f->has_errors ? ERR_INVALID : ERR_OK;
}

void options_form_fill(struct form *f, struct arena *a, const char *stored)
{
	struct joboptions o;

	/* what another version stored and this one does not know is not offered again */
	if (joboptions_read(&o, stored, a, NULL) != ERR_OK)
		return;
	for (unsigned i = 0; i < JOBOPTION__MAX; i++) {
		const char *name = field_name((enum joboption)i, a);

		if (!joboptions_has(&o, (enum joboption)i))
			continue;
		if (joboption_rows[i].kind == JOBOPTION_SWITCH)
			form_set_check(f, name, true);
		else
			form_set(f, name, joboptions_text(&o, (enum joboption)i, a));
	}
}

static struct json_object *choices_view(const struct joboption_row *row, const char *value)
{
	struct json_object *list = json_object_new_array();

	for (const struct joboption_choice *c = row->choices; c != NULL && c->value != NULL; c++) {
		struct json_object *o = json_object_new_object();

		view_str(o, "value", c->value);
		view_str(o, "label", c->label);
		view_bool(o, "selected", strcmp(c->value, value) == 0);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *field_view(enum joboption i, const struct form_field *fd, struct arena *a)
{
	const struct joboption_row *row = &joboption_rows[i];
	enum form_kind kind = fd->spec->kind;
	struct json_object *o = json_object_new_object();

	view_str(o, "name", fd->spec->name);
	view_str(o, "id", arena_printf(a, "%s-%s", REQUEST_NESTED, row->name));
	view_str(o, "label", row->label);
	view_str(o, "hint", row->hint);
	view_str(o, "error", fd->error);
	view_add(o, "value", json_object_new_string(fd->text));
	view_bool(o, "is_lines", kind == FORM_LINES);
	view_bool(o, "is_check", kind == FORM_CHECK);
	view_bool(o, "is_choice", row->kind == JOBOPTION_CHOICE);
	view_bool(o, "is_text", kind == FORM_TEXT && row->kind != JOBOPTION_CHOICE);
	view_str(o, "type", row->kind == JOBOPTION_DATE ? "date" : "text");
	view_bool(o, "checked", fd->checked);
	view_add(o, "choices", choices_view(row, fd->text));
	return o;
}

void options_form_view(struct json_object *model, struct arena *a, const struct form *f)
{
	struct json_object *groups = json_object_new_array();
	bool open = false;

	for (unsigned g = 0; g < JOBOPTION_GROUP__MAX; g++) {
		struct json_object *o = json_object_new_object(), *fields = json_object_new_array();

		for (unsigned i = 0; i < JOBOPTION__MAX; i++) {
			const struct form_field *fd = form_get(f, field_name((enum joboption)i, a));

			if ((unsigned)joboption_rows[i].group != g)
				continue;
			open = open || fd->error != NULL || fd->checked ||
			       (fd->spec->kind != FORM_CHECK && fd->text[0] != '\0');
			json_object_array_add(fields, field_view((enum joboption)i, fd, a));
		}
		view_str(o, "label", joboption_group_label((enum joboption_group)g));
		view_add(o, "fields", fields);
		json_object_array_add(groups, o);
	}
	view_add(model, "option_groups", groups);
	view_bool(model, "options_open", open);
}

void options_view(struct json_object *job, struct arena *a, const char *stored)
{
	struct json_object *list = json_object_new_array();
	struct joboptions o;
	const char *why;
	bool good = joboptions_read(&o, stored, a, &why) == ERR_OK;

	for (unsigned i = 0; i < JOBOPTION__MAX; i++) {
		struct json_object *one;

		if (!joboptions_has(&o, (enum joboption)i))
			continue;
		one = json_object_new_object();
		view_str(one, "name", joboption_rows[i].name);
		view_str(one, "text", joboptions_say(&o, (enum joboption)i, a));
		json_object_array_add(list, one);
	}
	if (!good) {
		struct json_object *one = json_object_new_object();

		view_str(one, "name", "unknown");
		view_str(one, "text", arena_printf(a, "options this version does not know (%s)", why));
		json_object_array_add(list, one);
	}
	view_add(job, "options", joboptions_json(&o));
	view_bool(job, "has_options", json_object_array_length(list) > 0);
	view_add(job, "option_list", list);
}

static struct json_object *typed(const char *type)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "type", type);
	return o;
}

static struct json_object *value_schema(enum joboption i)
{
	const struct joboption_row *row = &joboption_rows[i];
	struct json_object *o, *list;

	switch (row->kind) {
	case JOBOPTION_SWITCH: return typed("boolean");
	case JOBOPTION_BYTES:
	case JOBOPTION_COUNT:
		o = typed("integer");
		view_int(o, "minimum", (int64_t)row->min);
		view_int(o, "maximum", (int64_t)row->max);
		return o;
	case JOBOPTION_FOLDERS:
	case JOBOPTION_PAIRS:
	case JOBOPTION_FIELDS:
		o = typed("array");
		view_add(o, "items", typed("string"));
		return o;
	case JOBOPTION_CHOICE:
		o = typed("string");
		list = json_object_new_array();
		for (const struct joboption_choice *c = row->choices; c->value != NULL; c++)
			json_object_array_add(list, json_object_new_string(c->value));
		view_add(o, "enum", list);
		return o;
	default:
		o = typed("string");
		if (row->kind == JOBOPTION_DATE)
			view_str(o, "format", "date");
		else
			view_int(o, "maxLength", (int64_t)joboption_max_bytes(i));
		return o;
	}
}

struct json_object *options_schema(void)
{
	struct json_object *o = typed("object"), *props = json_object_new_object();

	for (unsigned i = 0; i < JOBOPTION__MAX; i++) {
		struct json_object *one = value_schema((enum joboption)i);

		view_str(one, "description", joboption_rows[i].label);
		view_add(props, joboption_rows[i].name, one);
	}
	view_str(o, "description", "Given, it is the whole of them: what is not in it is not wanted.");
	view_add(o, "properties", props);
	view_bool(o, "additionalProperties", false);
	return o;
}
