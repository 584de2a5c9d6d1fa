#include "fcgi/form.h"

#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/parse.h"
#include "lib/utf8.h"

/* Why s cannot stand in a form: of characters that cannot be seen, but those in allowed; or NULL. */
static const char *judge_characters(struct arena *a, const char *s, const char *allowed)
{
	size_t len = strlen(s), i, n;

	for (i = 0; i < len; i += n) {
		n = utf8_sequence(s + i, len - i);
		if (n == 0 || (utf8_is_control(s + i, n) && strchr(allowed, s[i]) == NULL))
			return "This contains a control character.";
		if (utf8_is_hidden(s + i, n))
			return arena_printf(a,
			    "This contains an invisible character (U+%04X) that makes text look like "
			    "another. "
			    "Type it by hand.",
			    utf8_code(s + i, n));
	}
	return NULL;
}

static const char *trimmed(struct arena *a, const char *s)
{
	size_t len;

	s += strspn(s, " \t\r\n");
	len = strlen(s);
	while (len > 0 && strchr(" \t\r\n", s[len - 1]) != NULL)
		len--;
	return arena_strndup(a, s, len);
}

/* As a browser sends a text of several lines: CR LF between. */
static const char *with_lf(struct arena *a, const char *s)
{
	char *text = arena_strdup(a, s), *to = text;

	for (const char *from = text; *from != '\0'; from++)
		if (from[0] != '\r' || from[1] != '\n')
			*to++ = *from;
	*to = '\0';
	return text;
}

static const char *check_host(struct form_field *fd, struct arena *a)
{
	size_t len = strlen(fd->text);

	if (len > 2 && fd->text[0] == '[' && fd->text[len - 1] == ']')
		fd->text = arena_strndup(a, fd->text + 1, len - 2);
	if (parse_is_address(fd->text) || parse_is_hostname(fd->text))
		return NULL;
	if (strstr(fd->text, "://") != NULL)
		return "Give the host name alone, without “imap://” or a path.";
	return "This is not a host name or an IP address.";
}

static const char *check_number(struct form_field *fd, struct arena *a)
{
	const struct form_spec *sp = fd->spec;

	if (parse_u64(fd->text, sp->min, sp->max, &fd->number) == ERR_OK)
		return NULL;
	return arena_printf(a, "Give a whole number from %llu to %llu.", (unsigned long long)sp->min,
	    (unsigned long long)sp->max);
}

static const char *check_choice(const struct form_field *fd)
{
	const char *const *c;

	for (c = fd->spec->choices; *c != NULL; c++) {
		if (strcmp(*c, fd->text) == 0)
			return NULL;
	}
	return "Choose one of the values offered.";
}

static const char *check(struct form_field *fd, struct arena *a)
{
	const struct form_spec *sp = fd->spec;
	const char *reason;

	if (sp->max_bytes > 0 && strlen(fd->text) > sp->max_bytes)
		return arena_printf(a, "This is longer than %zu bytes.", sp->max_bytes);
	if (sp->kind == FORM_PASSWORD)
		return strpbrk(fd->text, "\r\n") ? "A password cannot contain a line break." : NULL;
	reason = judge_characters(a, fd->text, sp->kind == FORM_LINES ? "\r\n" : "");
	if (reason != NULL)
		return reason;
	switch (sp->kind) {
	case FORM_HOST: return check_host(fd, a);
	case FORM_NUMBER: return check_number(fd, a);
	case FORM_CHOICE: return check_choice(fd);
	case FORM_EMAIL:
		return parse_is_email(fd->text) ? NULL : "Give an e-mail address like name@example.org.";
	default: return NULL;
	}
}

/* It becomes a header as it is: what a browser would have percent-encoded is no path of ours. */
static bool is_local_path(const char *s)
{
	const char *p;

	for (p = s; *p != '\0'; p++) {
		if (*p <= 0x20 || *p > 0x7E || *p == '\\')
			return false;
	}
	return s[0] == '/' && s[1] != '/';
}

static void read_field(struct form_field *fd, struct arena *a, const char *sent)
{
	const struct form_spec *sp = fd->spec;

	fd->state = FORM_ABSENT;
	fd->text = "";
	if (sp->kind == FORM_CHECK) {
		fd->checked = sent != NULL && strcmp(sent, "0") != 0 && sent[0] != '\0';
		fd->state = sent ? FORM_VALUE : FORM_ABSENT;
		fd->text = fd->checked ? "1" : "0";
		return;
	}
	if (sent != NULL)
		fd->text = sp->kind == FORM_PASSWORD ? sent : trimmed(a, sent);
	if (sp->kind == FORM_LINES)
		fd->text = with_lf(a, fd->text);
	if (sp->kind == FORM_OPTIONS) {
		fd->state = sent != NULL ? FORM_VALUE : FORM_ABSENT;
		return;
	}
	if (sp->kind == FORM_PATH) {
		if (fd->text[0] != '\0' && strlen(fd->text) <= sp->max_bytes && is_local_path(fd->text))
			fd->state = FORM_VALUE;
		else
			fd->text = "";
		return;
	}
	if (fd->text[0] == '\0') {
		if (sp->required) {
			fd->state = FORM_INVALID;
			fd->error = sp->kind == FORM_CHOICE ? "Choose one." : "Fill this in.";
		}
		return;
	}
	fd->error = check(fd, a);
	fd->state = fd->error ? FORM_INVALID : FORM_VALUE;
}

void form_blank(struct form *f, struct arena *a, const struct form_spec *specs, unsigned count)
{
	unsigned i;

	memset(f, 0, sizeof(*f));
	f->fields = arena_array(a, count, sizeof(*f->fields));
	f->count = count;
	for (i = 0; i < count; i++) {
		f->fields[i].spec = &specs[i];
		f->fields[i].text = "";
	}
}

enum err form_read(struct form *f, struct arena *a, const struct params *params,
    const struct form_spec *specs, unsigned count)
{
	unsigned i;

	form_blank(f, a, specs, count);
	for (i = 0; i < count; i++) {
		read_field(&f->fields[i], a, params_get(params, specs[i].name));
		if (f->fields[i].state == FORM_INVALID)
			f->has_errors = true;
	}
	return f->has_errors ? ERR_INVALID : ERR_OK;
}

struct form_field *form_get(const struct form *f, const char *name)
{
	unsigned i;

	for (i = 0; i < f->count; i++) {
		if (strcmp(f->fields[i].spec->name, name) == 0)
			return &f->fields[i];
	}
	log_fatal("no field %s in this form", name);
}

void form_set(struct form *f, const char *name, const char *text)
{
	struct form_field *fd = form_get(f, name);

	fd->state = text ? FORM_VALUE : FORM_ABSENT;
	fd->text = text ? text : "";
	fd->error = NULL;
}

void form_set_number(struct form *f, struct arena *a, const char *name, uint64_t number)
{
	form_set(f, name, arena_printf(a, "%llu", (unsigned long long)number));
	form_get(f, name)->number = number;
}

void form_set_check(struct form *f, const char *name, bool checked)
{
	form_set(f, name, checked ? "1" : "0");
	form_get(f, name)->checked = checked;
}

bool form_says(const struct form *f, const char *name)
{
	char beside[64];

	(void)snprintf(beside, sizeof(beside), "%s_present", name);
	return form_get(f, name)->state != FORM_ABSENT || form_get(f, beside)->checked;
}

void form_refuse(struct form *f, const char *name, const char *reason)
{
	f->has_errors = true;
	if (name == NULL) {
		f->error = reason;
	} else {
		struct form_field *fd = form_get(f, name);

		fd->state = FORM_INVALID;
		fd->error = reason;
	}
}

void form_forgive(struct form *f, const char *name)
{
	struct form_field *fd = form_get(f, name);
	unsigned i;

	fd->error = NULL;
	fd->state = FORM_ABSENT;
	f->has_errors = f->error != NULL;
	for (i = 0; i < f->count; i++)
		f->has_errors = f->has_errors || f->fields[i].error != NULL;
}

struct json_object *form_json(const struct form *f)
{
	struct json_object *o = json_object_new_object();
	unsigned i;

	for (i = 0; i < f->count; i++) {
		const struct form_field *fd = &f->fields[i];
		struct json_object *one = json_object_new_object();
		const char *shown = fd->spec->kind == FORM_PASSWORD ? "" : fd->text;

		json_object_object_add(one, "value", json_object_new_string(shown));
		json_object_object_add(one, "error", fd->error ? json_object_new_string(fd->error) : NULL);
		if (fd->spec->kind == FORM_CHECK)
			json_object_object_add(one, "checked", json_object_new_boolean(fd->checked));
		json_object_object_add(o, fd->spec->name, one);
	}
	return o;
}

struct json_object *form_problems(const struct form *f)
{
	struct json_object *o = json_object_new_object();
	unsigned i;

	for (i = 0; i < f->count; i++) {
		if (f->fields[i].error != NULL)
			json_object_object_add(
			    o, f->fields[i].spec->name, json_object_new_string(f->fields[i].error));
	}
	return o;
}

bool form_id(const char *text, uint64_t *id_r)
{
	return text != NULL && text[0] != '0' && parse_u64(text, 1, (uint64_t)INT64_MAX, id_r) == ERR_OK;
}
