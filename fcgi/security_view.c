#include "fcgi/security_view.h"

#include <string.h>

#include "fcgi/view.h"

static const struct {
	enum security security;
	enum imap_security imap;
	const char *value, *label, *hint;
	unsigned default_port;
} ways[] = {
    {SECURITY_TLS, IMAP_SECURITY_TLS, "tls", "SSL/TLS", "Encrypted from the first byte. The usual choice.",
	993},
    {SECURITY_STARTTLS, IMAP_SECURITY_STARTTLS, "starttls", "STARTTLS",
	"Begins in plain text, and is encrypted before the password is sent.", 143},
    {SECURITY_NONE, IMAP_SECURITY_NONE, "none", "None",
	"Nothing is encrypted: passwords and mail can be read on the way. Only within one machine.", 143},
};

const char *const security_choices[] = {"tls", "starttls", "none", NULL};

const char *security_text(enum security s)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (ways[i].security == s)
			return ways[i].label;
	}
	return "Unknown";
}

enum imap_security security_for_imap(enum security s)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (ways[i].security == s)
			return ways[i].imap;
	}
	return IMAP_SECURITY_TLS;
}

struct json_object *security_options(const char *selected)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct json_object *o = json_object_new_object();

		view_str(o, "value", ways[i].value);
		view_str(o, "label", ways[i].label);
		view_str(o, "hint", ways[i].hint);
		view_int(o, "default_port", ways[i].default_port);
		view_bool(o, "selected", strcmp(ways[i].value, selected) == 0);
		json_object_array_add(list, o);
	}
	return list;
}
