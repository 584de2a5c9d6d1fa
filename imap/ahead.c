#include "config.h"

#include <string.h>

#include "imap/command.h"

/* Answers waited for at once: few enough that what waits to be read never stops the server. */
#define FOLDERS_AHEAD 50

static const char *const verbs[] = {
    [IMAP_CREATE] = "CREATE",
    [IMAP_SUBSCRIBE] = "SUBSCRIBE",
    [IMAP_STATUS] = "STATUS",
    [IMAP_STATUS_MODSEQ] = "STATUS",
};

/* The answer to one of them. */
static enum err await(struct imap_session *s, unsigned tag, struct imap_status *status_r)
{
	struct imap_status_query q = {.status = status_r};
	const struct imap_handler h = {.untagged = imap_on_status, .ctx = &q};

	s->failure = (struct imap_failure){0};
	if (status_r == NULL)
		return imap_command_wait(s, tag, NULL);
	*status_r = (struct imap_status){0};
	enum err e = imap_command_wait(s, tag, &h);
	if (e == ERR_OK && !q.told)
		e = imap_session_fail(s, IMAP_PROTOCOL_ERROR, "no STATUS came");
	return e;
}

enum err imap_folders_run(struct imap_session *s, enum imap_folder_verb verb, const char *const *folders,
    unsigned count, enum err *results_r, struct imap_status *statuses_r)
{
	unsigned tags[FOLDERS_AHEAD];
	bool told = verb == IMAP_STATUS || verb == IMAP_STATUS_MODSEQ;
	enum err e = imap_session_ready(s);

	for (unsigned i = 0; i < count; i++)
		results_r[i] = ERR_CLOSED;
	for (unsigned sent = 0, done = 0; e == ERR_OK && done < count;) {
		struct imap_command c AUTO_COMMAND;
		bool room = sent < count && sent - done < FOLDERS_AHEAD;
		imap_command_init(&c, s, verbs[verb]);
		if (room)
			imap_command_folder(&c, s, folders[sent]);
		if (told)
			imap_command_add(&c, " (%s)",
			    verb == IMAP_STATUS_MODSEQ ? imap_count_items(s)
						       : "MESSAGES UIDNEXT UIDVALIDITY");
		/* a name that takes a literal may have to be waited for: not with answers on their way */
		if (room && (c.cut_count == 0 || sent == done)) {
			tags[sent % FOLDERS_AHEAD] = c.tag;
			e = imap_command_send(s, &c, false);
			if (e != ERR_OK && s->alive) {
				tags[sent % FOLDERS_AHEAD] = 0;
				results_r[sent] = e;
				e = ERR_OK;
			}
			sent++;
			continue;
		}
		if (tags[done % FOLDERS_AHEAD] != 0)
			results_r[done] =
			    await(s, tags[done % FOLDERS_AHEAD], told ? &statuses_r[done] : NULL);
		if (!s->alive) {
			e = results_r[done];
			results_r[done] = ERR_CLOSED;
		}
		done++;
	}
	return e;
}
