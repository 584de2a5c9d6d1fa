/* Parameters: the query, form bodies and flat JSON bodies, all into one kind of list. */
#include "fcgi/request.h"

#include <stdint.h>
#include <string.h>
#include <json-c/json.h>

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

static enum err add_json(struct params *ps, struct arena *a, const char *key, struct json_object *val)
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
		if (memchr(text, '\0', len) != NULL || !utf8_valid(text, len))
			return ERR_INVALID;
		return params_add(ps, a, key, arena_strndup(a, text, len));
	default: return ERR_INVALID;
	}
}

/* Passwords among them: json-c frees its copies as they are.  Its keys are names of ours and stay. */
static void wipe_strings(struct json_object *o)
{
	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, val)
		{
			(void)key;
			wipe_strings(val);
		}
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			wipe_strings(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_string)) {
		/* its own bytes, as json_object.h says; only const because they are not ours to change */
		explicit_bzero(
		    (char *)(uintptr_t)json_object_get_string(o), (size_t)json_object_get_string_len(o));
	}
}

/*
 * The tokener gathers each string in a buffer of its own, which grows by leaving its bytes behind.  A string
 * of len bytes that is begun and forgotten makes it large enough before, and covers what was in it
 * afterwards.
 */
static bool cover_buffer(struct json_tokener *tok, size_t len)
{
	static const char fill[] = "................................................................";
	enum json_tokener_error e;

	json_tokener_reset(tok);
	(void)json_tokener_parse_ex(tok, "\"", 1);
	for (size_t n = 0; n < len; n += sizeof(fill) - 1)
		(void)json_tokener_parse_ex(tok, fill, (int)sizeof(fill) - 1);
	e = json_tokener_get_error(tok);
	json_tokener_reset(tok);
	return e == json_tokener_continue;
}

enum err params_parse_json(struct params *ps, struct arena *a, const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(4);
	struct json_object *o = NULL;
	enum err e = ERR_OK;

	if (tok == NULL || !cover_buffer(tok, len)) {
		json_tokener_free(tok);
		return ERR_INTERNAL;
	}
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)len);
	if (json_tokener_get_error(tok) != json_tokener_success || json_tokener_get_parse_end(tok) != len ||
	    !json_object_is_type(o, json_type_object)) {
		e = ERR_INVALID;
	} else {
		struct json_object_iterator it = json_object_iter_begin(o);
		struct json_object_iterator end = json_object_iter_end(o);

		for (; e == ERR_OK && !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
			const char *key = json_object_iter_peek_name(&it);

			if (!utf8_valid(key, strlen(key)))
				e = ERR_INVALID;
			else
				e = add_json(ps, a, arena_strdup(a, key), json_object_iter_peek_value(&it));
		}
	}
	wipe_strings(o);
	json_object_put(o);
	(void)cover_buffer(tok, len);
	json_tokener_free(tok);
	return e;
}
