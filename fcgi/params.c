/* Parameters: the query, form bodies and flat JSON bodies, all into one kind of list. */
#include "fcgi/request.h"

#include <stdint.h>
#include <string.h>
#include <json-c/json.h>

#include "fcgi/json_read.h"
#include "lib/json_wipe.h"
#include "lib/utf8.h"

const char *params_get(const struct params *ps, const char *name)
{
	unsigned i;

	for (i = 0; i < ps->count; i++) {
		if (strcmp(ps->list[i].name, name) == 0)
			return ps->list[i].value;
	}
	return NULL;
}

static bool may_repeat(const char *name)
{
	size_t n = strlen(name);

	return n > 2 && strcmp(name + n - 2, "[]") == 0;
}

enum err params_add(struct params *ps, struct arena *a, const char *name, const char *value)
{
	if (name[0] == '\0')
		return ERR_INVALID;
	if (ps->count == REQUEST_PARAMS_MAX)
		return ERR_TOO_BIG;
	if (!may_repeat(name) && params_get(ps, name) != NULL)
		return ERR_INVALID;
	if (ps->list == NULL)
		ps->list = arena_array(a, REQUEST_PARAMS_MAX, sizeof(*ps->list));
	ps->list[ps->count].name = name;
	ps->list[ps->count].value = value;
	ps->count++;
	return ERR_OK;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* application/x-www-form-urlencoded, one name or value. */
static enum err decode(struct arena *a, const char *s, size_t len, const char **out_r)
{
	char *out = arena_alloc(a, len + 1);
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		if (s[i] == '+') {
			out[n++] = ' ';
		} else if (s[i] == '%') {
			if (i + 2 >= len || hex(s[i + 1]) < 0 || hex(s[i + 2]) < 0)
				return ERR_INVALID;
			out[n++] = (char)(hex(s[i + 1]) * 16 + hex(s[i + 2]));
			i += 2;
		} else {
			out[n++] = s[i];
		}
	}
	if (memchr(out, '\0', n) != NULL || !utf8_valid(out, n))
		return ERR_INVALID;
	*out_r = out;
	return ERR_OK;
}

enum err params_parse(struct params *ps, struct arena *a, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *amp = memchr(text, '&', (size_t)(end - text));
		const char *stop = amp ? amp : end;
		const char *eq = memchr(text, '=', (size_t)(stop - text));
		const char *name, *value;
		enum err e;

		if (stop > text) {
			const char *name_end = eq ? eq : stop;
			const char *value_at = eq ? eq + 1 : stop;

			e = decode(a, text, (size_t)(name_end - text), &name);
			if (e == ERR_OK)
				e = decode(a, value_at, (size_t)(stop - value_at), &value);
			if (e == ERR_OK)
				e = params_add(ps, a, name, value);
			if (e != ERR_OK)
				return e;
		}
		text = stop + 1;
	}
	return ERR_OK;
}

enum err params_add_json(struct params *ps, struct arena *a, const char *key, struct json_object *val)
{
	const char *text;
	size_t len;

	switch (json_object_get_type(val)) {
	case json_type_null: return ERR_OK;
	case json_type_boolean: return params_add(ps, a, key, json_object_get_boolean(val) ? "1" : "0");
	case json_type_int:
		return params_add(ps, a, key, arena_printf(a, "%lld", (long long)json_object_get_int64(val)));
	case json_type_string:
		text = json_object_get_string(val);
		len = (size_t)json_object_get_string_len(val);
		if (memchr(text, '\0', len) != NULL || !utf8_valid(text, len) ||
		    !utf8_valid(key, strlen(key)))
			return ERR_INVALID;
		return params_add(ps, a, key, arena_strndup(a, text, len));
	default: return ERR_INVALID;
	}
}

/* Strings alone, a line each. */
static enum err add_list(struct params *ps, struct arena *a, const char *key, struct json_object *list)
{
	size_t count = json_object_array_length(list), room = 1, len = 0;
	char *text;

	for (size_t i = 0; i < count; i++) {
		struct json_object *one = json_object_array_get_idx(list, i);

		if (!json_object_is_type(one, json_type_string))
			return ERR_INVALID;
		room += (size_t)json_object_get_string_len(one) + 1;
	}
	text = arena_alloc(a, room);
	for (size_t i = 0; i < count; i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		size_t n = (size_t)json_object_get_string_len(one);

		memcpy(text + len, json_object_get_string(one), n);
		if (memchr(text + len, '\0', n) != NULL || memchr(text + len, '\n', n) != NULL ||
		    !utf8_valid(text + len, n))
			return ERR_INVALID;
		len += n;
		text[len++] = '\n';
	}
	return params_add(ps, a, key, text);
}

static enum err add_members(struct params *ps, struct arena *a, struct json_object *o)
{
	enum err e = ERR_OK;
	struct json_object_iterator it = json_object_iter_begin(o);
	struct json_object_iterator end = json_object_iter_end(o);

	for (; e == ERR_OK && !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		const char *key = arena_printf(a, "%s.%s", REQUEST_NESTED, json_object_iter_peek_name(&it));
		struct json_object *val = json_object_iter_peek_value(&it);

		if (!utf8_valid(key, strlen(key)))
			return ERR_INVALID;
		e = json_object_is_type(val, json_type_array) ? add_list(ps, a, key, val)
							      : params_add_json(ps, a, key, val);
	}
	return e;
}

enum err params_add_member(struct params *ps, struct arena *a, const char *key, struct json_object *val)
{
	enum err e;

	if (strcmp(key, REQUEST_NESTED) != 0 || !json_object_is_type(val, json_type_object))
		return params_add_json(ps, a, arena_strdup(a, key), val);
	e = params_add(ps, a, REQUEST_NESTED, "1");
	return e == ERR_OK ? add_members(ps, a, val) : e;
}

enum err params_open_nested(struct params *ps, struct arena *a)
{
	struct json_object *o = NULL;
	unsigned i = 0;
	enum err e;

	while (i < ps->count && strcmp(ps->list[i].name, REQUEST_NESTED) != 0)
		i++;
	if (i == ps->count || ps->list[i].value[0] != '{')
		return ERR_OK;
	e = json_read(ps->list[i].value, strlen(ps->list[i].value), &o);
	if (e != ERR_OK)
		return e;
	ps->list[i].value = "1";
	e = add_members(ps, a, o);
	json_wipe(&o);
	return e;
}

enum err params_parse_json(struct params *ps, struct arena *a, const char *text, size_t len)
{
	struct json_object *o;
	enum err e = json_read(text, len, &o);

	if (e != ERR_OK)
		return e;
	if (!json_object_is_type(o, json_type_object)) {
		e = ERR_INVALID;
	} else {
		struct json_object_iterator it = json_object_iter_begin(o);
		struct json_object_iterator end = json_object_iter_end(o);

		for (; e == ERR_OK && !json_object_iter_equal(&it, &end); json_object_iter_next(&it))
			e = params_add_member(
			    ps, a, json_object_iter_peek_name(&it), json_object_iter_peek_value(&it));
	}
	json_wipe(&o);
	return e;
}
