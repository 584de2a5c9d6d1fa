#include "lib/joboption.h"

#include <string.h>

static const struct joboption_choice only[] = {
    {"unseen", "unread"},
    {"seen", "read"},
    {"flagged", "flagged"},
    {"unflagged", "not flagged"},
    {NULL, NULL},
};

static const struct joboption_choice mechanisms[] = {
    {"PLAIN", "password (PLAIN)"},
    {"LOGIN", "password (LOGIN)"},
    {"SCRAM-SHA-256", "password, which itself stays here (SCRAM-SHA-256)"},
    {"XOAUTH2", "access token (XOAUTH2)"},
    {"OAUTHBEARER", "access token (OAUTHBEARER)"},
    {NULL, NULL},
};

#define FOLDERS .group = JOBOPTION_IN_FOLDERS
#define MESSAGES .group = JOBOPTION_IN_MESSAGES
#define SPEED .group = JOBOPTION_IN_SPEED
#define SIGNIN .group = JOBOPTION_IN_SIGNIN
#define BYTES_MAX ((uint64_t)1 << 40)
#define DAYS_MAX 36500

const struct joboption_row joboption_rows[JOBOPTION__MAX] = {
    [OPTION_FOLDER] = {"folder", JOBOPTION_FOLDERS, FOLDERS, .label = "Only these folders",
	.hint = "One name a line, whole, as the source has it: Work/2024 or INBOX.Work.2024. Empty: all.",
	.say = "only the folders %s"},
    [OPTION_FOLDERREC] = {"folderrec", JOBOPTION_FOLDERS, FOLDERS,
	.label = "Only these folders and all below them", .hint = "One name a line.",
	.say = "only the folders %s and what is below them"},
    [OPTION_EXCLUDE] = {"exclude", JOBOPTION_FOLDERS, FOLDERS, .label = "Leave these folders out",
	.hint = "One name a line. Exactly these: what is below them still comes.",
	.say = "without the folders %s"},
    [OPTION_F1F2] = {"f1f2", JOBOPTION_PAIRS, FOLDERS, .label = "Put folders under other names",
	.hint = "One pair a line: name on the source=name on the destination.",
	.say = "folders under other names: %s"},
    [OPTION_SUBFOLDER1] = {"subfolder1", JOBOPTION_NAME, FOLDERS,
	.label = "Only what is below this folder of the source",
	.hint = "It becomes the INBOX of the destination.", .say = "only what is below %s on the source"},
    [OPTION_SUBFOLDER2] = {"subfolder2", JOBOPTION_NAME, FOLDERS,
	.label = "Put everything below this folder of the destination",
	.hint = "It is made if it is not there.", .say = "everything below %s on the destination"},
    [OPTION_NOAUTOMAP] = {"noautomap", JOBOPTION_SWITCH, FOLDERS,
	.label = "Keep special folders under their own names",
	.hint = "Sent mail, drafts, trash and the like otherwise go where the destination keeps its own.",
	.say = "special folders keep their names"},
    [OPTION_NOSUBSCRIBE] = {"nosubscribe", JOBOPTION_SWITCH, FOLDERS,
	.label = "Do not subscribe to folders on the destination",
	.hint = "Otherwise folders subscribed on the source are subscribed there, too.",
	.say = "no folder is subscribed"},
    [OPTION_MAXSIZE] = {"maxsize", JOBOPTION_BYTES, MESSAGES, .label = "Only messages up to",
	.hint = "Like 25 MB or 500 KiB. Larger ones stay on the source.", .say = "messages up to %s",
	.min = 1, .max = BYTES_MAX},
    [OPTION_MINSIZE] = {"minsize", JOBOPTION_BYTES, MESSAGES, .label = "Only messages larger than",
	.hint = "Like 10 KB.", .say = "messages larger than %s", .min = 1, .max = BYTES_MAX},
    [OPTION_MAXAGE] = {"maxage", JOBOPTION_COUNT, MESSAGES, .label = "Only of the last … days",
	.hint = "By the date in the message.", .say = "messages of the last %s days", .min = 1,
	.max = DAYS_MAX},
    [OPTION_MINAGE] = {"minage", JOBOPTION_COUNT, MESSAGES, .label = "Only older than … days",
	.hint = "By the date in the message.", .say = "messages older than %s days", .min = 1,
	.max = DAYS_MAX},
    [OPTION_SINCE] = {"since", JOBOPTION_DATE, MESSAGES, .label = "Only dated on this day or later",
	.hint = "By the date in the message, like 2026-01-31.", .say = "messages dated %s or later"},
    [OPTION_BEFORE] = {"before", JOBOPTION_DATE, MESSAGES, .label = "Only dated before this day",
	.hint = "By the date in the message.", .say = "messages dated before %s"},
    [OPTION_ONLY] = {"only", JOBOPTION_CHOICE, MESSAGES, .label = "Only messages that are",
	.hint = "As they are marked on the source when the job runs.", .say = "only messages that are %s",
	.choices = only},
    [OPTION_NOSYNCFLAGS] = {"nosyncflags", JOBOPTION_SWITCH, MESSAGES, .label = "Leave flags behind",
	.hint = "Messages arrive unread, unflagged and unanswered. Needs the built-in engine.",
	.say = "without flags"},
    [OPTION_USEHEADER] = {"useheader", JOBOPTION_FIELDS, MESSAGES,
	.label = "Recognise messages by these header fields",
	.hint = "One a line. Empty: Message-Id and Received, which is right unless a server changes them.",
	.say = "messages recognised by %s"},
    [OPTION_MAXBYTESPERSECOND] = {"maxbytespersecond", JOBOPTION_BYTES, SPEED,
	.label = "At most so much a second", .hint = "Like 2 MB.", .say = "at most %s a second", .min = 1000,
	.max = BYTES_MAX},
    [OPTION_MAXMESSAGESPERSECOND] = {"maxmessagespersecond", JOBOPTION_COUNT, SPEED,
	.label = "At most so many messages a second", .say = "at most %s messages a second", .min = 1,
	.max = 100000},
    [OPTION_TIMEOUT] = {"timeout", JOBOPTION_COUNT, SPEED, .label = "Seconds a silent server is waited for",
	.hint = "Normally 120. More for a server that is slow to open large folders.",
	.say = "%s seconds of patience with a silent server", .min = 5, .max = 1800},
    [OPTION_CONNECTIONS] = {"connections", JOBOPTION_COUNT, SPEED,
	.label = "Connections to each server at once",
	.hint = "Normally 2, up to 8. A server that allows fewer gets fewer. Needs the built-in engine.",
	.say = "%s connections to each server", .min = 1, .max = 8},
    [OPTION_AUTHMECH1] = {"authmech1", JOBOPTION_CHOICE, SIGNIN, .label = "How to sign in on the source",
	.hint = "An access token goes into the field for the password.",
	.say = "signs in on the source by %s", .choices = mechanisms},
    [OPTION_AUTHMECH2] = {"authmech2", JOBOPTION_CHOICE, SIGNIN, .label = "How to sign in on the destination",
	.hint = "An access token goes into the field for the password.",
	.say = "signs in on the destination by %s", .choices = mechanisms},
    [OPTION_AUTHUSER1] = {"authuser1", JOBOPTION_USER, SIGNIN, .label = "Master user of the source",
	.hint = "Who signs in, with the password above, to open the mailbox of the user above.",
	.say = "opened on the source by the master user %s"},
    [OPTION_AUTHUSER2] = {"authuser2", JOBOPTION_USER, SIGNIN, .label = "Master user of the destination",
	.hint = "Likewise.", .say = "opened on the destination by the master user %s"},
};

const char *joboption_group_label(enum joboption_group g)
{
	static const char *const labels[JOBOPTION_GROUP__MAX] = {
	    [JOBOPTION_IN_FOLDERS] = "Folders",
	    [JOBOPTION_IN_MESSAGES] = "Messages",
	    [JOBOPTION_IN_SPEED] = "Speed",
	    [JOBOPTION_IN_SIGNIN] = "Sign-in",
	};

	return labels[g];
}

size_t joboption_max_bytes(enum joboption i)
{
	switch (joboption_rows[i].kind) {
	case JOBOPTION_FOLDERS:
	case JOBOPTION_PAIRS:
	case JOBOPTION_FIELDS: return JOBOPTION_LIST_MAX_BYTES;
	case JOBOPTION_NAME: return JOBOPTION_NAME_MAX_BYTES;
	case JOBOPTION_USER: return JOBOPTION_USER_MAX_BYTES;
	default: return 40;
	}
}

enum joboption joboption_named(const char *name)
{
	unsigned i = 0;

	while (i < JOBOPTION__MAX && strcmp(joboption_rows[i].name, name) != 0)
		i++;
	return (enum joboption)i;
}
