#include "config.h"

#include <string.h>
#include <strings.h>

#include "imap/command.h"
#include "imap/mutf7.h"
#include "lib/utf8.h"

/* ---- ENABLE ---- */

static enum err on_enabled(void *ctx, const struct imap_response *resp)
{
	struct imap_session *s = ctx;

	if (resp->numbered || strcasecmp(resp->word, "ENABLED") != 0)
		return ERR_OK;
	for (const struct imap_node *n = resp->nodes; n != NULL; n = n->next) {
		s->enabled_utf8 = s->enabled_utf8 || imap_node_is(n, "UTF8=ACCEPT");
		s->enabled_rev2 = s->enabled_rev2 || imap_node_is(n, "IMAP4rev2");
	}
	return ERR_OK;
}

enum err imap_enable(struct imap_session *s)
{
	const struct imap_handler h = {.untagged = on_enabled, .ctx = s};
	bool utf8 = imap_session_can(s, "UTF8=ACCEPT") || imap_session_can(s, "UTF8=ONLY");
	bool rev2 = imap_session_can(s, "IMAP4rev2") && imap_session_can(s, "IMAP4rev1");

	if (!imap_session_can(s, "ENABLE") || (!utf8 && !rev2))
		return ERR_OK;
	struct imap_command c AUTO_COMMAND;
	imap_command_init(&c, s, "ENABLE");
	imap_command_add(&c, "%s%s", utf8 ? " UTF8=ACCEPT" : "", rev2 ? " IMAP4rev2" : "");
	enum err e = imap_command_run(s, &c, &h);
	/* what is refused is done without */
	if (e != ERR_OK && s->alive) {
		s->failure = (struct imap_failure){0};
		e = ERR_OK;
	}
	return e;
}

/* ---- folder names ---- */

const char *imap_name_taken(const struct imap_session *s, struct arena *a, const char *name)
{
	struct buf raw AUTO_BUF = BUF_INIT;

	if (!imap_session_utf8(s))
		return name;
	if (mutf7_encode(name, strlen(name), &raw) != ERR_OK)
		return NULL;
	return arena_strndup(a, raw.data, raw.len);
}

static void add_quoted(struct imap_command *c, const struct buf *name)
{
	buf_adds(&c->bytes, " \"");
	for (size_t i = 0; i < name->len; i++) {
		if (name->data[i] == '"' || name->data[i] == '\\')
			buf_addc(&c->bytes, '\\');
		buf_addc(&c->bytes, name->data[i]);
	}
	buf_addc(&c->bytes, '"');
}

void imap_command_folder(struct imap_command *c, const struct imap_session *s, const char *name)
{
	struct buf text AUTO_BUF = BUF_INIT;

	if (!imap_session_utf8(s)) {
		imap_command_string(c, name, strlen(name));
		return;
	}
	/* a name that is none in modified UTF-7 is what its server called it */
	if (mutf7_decode(name, strlen(name), &text) != ERR_OK)
		buf_adds(&text, name);
	if (!utf8_valid(text.data, text.len) || text.len > IMAP_COMMAND_MAX / 4 ||
	    memchr(text.data, '\0', text.len) != NULL || strpbrk(text.data, "\r\n") != NULL)
		c->invalid = true;
	else
		add_quoted(c, &text);
}
