#include "config.h"

#include <string.h>
#include <strings.h>

#include "imap/command.h"

bool imap_flag_valid(const char *word, size_t len)
{
	size_t i = len > 0 && word[0] == '\\';

	if (i == len || len > 128)
		return false;
	for (; i < len; i++)
		if ((unsigned char)word[i] <= ' ' || (unsigned char)word[i] >= 0x7F ||
		    strchr("(){%*\"\\]", word[i]) != NULL)
			return false;
	return true;
}

static bool is_word(const char *word, size_t len, const char *other)
{
	return strlen(other) == len && strncasecmp(word, other, len) == 0;
}

/* Whether the space separated list holds the word, ASCII case ignored. */
static bool holds(const char *list, const char *word, size_t len)
{
	while (*(list += strspn(list, " ")) != '\0') {
		size_t n = strcspn(list, " ");
		if (n == len && strncasecmp(list, word, n) == 0)
			return true;
		list += n;
	}
	return false;
}

void imap_command_flags(struct imap_command *c, const char *flags)
{
	bool first = true;

	imap_command_add(c, " (");
	while (*(flags += strspn(flags, " ")) != '\0') {
		size_t n = strcspn(flags, " ");
		if (!imap_flag_valid(flags, n))
			c->invalid = true;
		else if (!is_word(flags, n, "\\Recent")) {
			imap_command_add(c, "%s%.*s", first ? "" : " ", (int)n, flags);
			first = false;
		}
		flags += n;
	}
	imap_command_add(c, ")");
}

void imap_flags_keepable(const char *flags, const struct imap_mailbox *m, struct buf *out)
{
	size_t start = out->len;

	while (*(flags += strspn(flags, " ")) != '\0') {
		size_t n = strcspn(flags, " ");
		bool keyword = flags[0] != '\\';
		if (imap_flag_valid(flags, n) && !is_word(flags, n, "\\Recent") &&
		    (holds(m->permanent, flags, n) || (keyword && m->any_keyword)) &&
		    !holds(out->data + start, flags, n)) {
			if (out->len > start)
				buf_addc(out, ' ');
			buf_add(out, flags, n);
		}
		flags += n;
	}
}

enum err imap_store(struct imap_session *s, uint32_t uid, enum imap_store_mode mode, const char *flags)
{
	static const char *const signs[] = {
	    [IMAP_STORE_SET] = "", [IMAP_STORE_ADD] = "+", [IMAP_STORE_REMOVE] = "-"};
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, "UID STORE");
	enum err e = imap_session_ready(s);
	if (e != ERR_OK)
		return e;
	if (!s->selected || uid == 0)
		return imap_session_fail(s, IMAP_INTERNAL, "nothing selected");
	imap_command_add(&c, " %u %sFLAGS.SILENT", uid, signs[mode]);
	imap_command_flags(&c, flags);
	return imap_command_run(s, &c, NULL);
}
