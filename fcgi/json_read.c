#include "fcgi/json_read.h"

#include <stdbool.h>

#include "lib/json_wipe.h"

enum { DEPTH_MAX = 6 };

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

enum err json_read(const char *text, size_t len, struct json_object **o_r)
{
	struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *o = NULL;
	enum err e = ERR_OK;

	if (tok == NULL)
		return ERR_INTERNAL;
	if (!cover_buffer(tok, len)) {
		json_tokener_free(tok);
		return ERR_INTERNAL;
	}
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)len);
	if (json_tokener_get_error(tok) != json_tokener_success || json_tokener_get_parse_end(tok) != len)
		e = ERR_INVALID;
	(void)cover_buffer(tok, len);
	json_tokener_free(tok);
	if (e == ERR_OK)
		*o_r = o;
	else
		json_wipe(&o);
	return e;
}
