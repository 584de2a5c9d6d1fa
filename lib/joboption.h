/*
 * What a person may ask of a job beyond its two sides: the closed list.  One table; form fields, JSON, the
 * description of the interface, validation, the words on the pages and the worker's command line all follow
 * from its rows, and a new option is a new row (with its place in worker/option_words.c).
 *
 * Nothing here runs code or is handed through as text: a value that is stored keeps its row's rules.
 */
#ifndef MCV_LIB_JOBOPTION_H
#define MCV_LIB_JOBOPTION_H

#include <stddef.h>
#include <stdint.h>

enum joboption {
	OPTION_FOLDER,
	OPTION_FOLDERREC,
	OPTION_EXCLUDE,
	OPTION_F1F2,
	OPTION_SUBFOLDER1,
	OPTION_SUBFOLDER2,
	OPTION_NOAUTOMAP,
	OPTION_NOSUBSCRIBE,
	OPTION_MAXSIZE,
	OPTION_MINSIZE,
	OPTION_MAXAGE,
	OPTION_MINAGE,
	OPTION_SINCE,
	OPTION_BEFORE,
	OPTION_ONLY,
	OPTION_NOSYNCFLAGS,
	OPTION_USEHEADER,
	OPTION_MAXBYTESPERSECOND,
	OPTION_MAXMESSAGESPERSECOND,
	OPTION_TIMEOUT,
	OPTION_CONNECTIONS,
	OPTION_AUTHMECH1,
	OPTION_AUTHMECH2,
	OPTION_AUTHUSER1,
	OPTION_AUTHUSER2,
	JOBOPTION__MAX
};

enum joboption_kind {
	JOBOPTION_FOLDERS = 1, /* a list of folder names, UTF-8 or modified UTF-7 */
	JOBOPTION_PAIRS,       /* a list of "folder=folder" */
	JOBOPTION_FIELDS,      /* a list of names of header fields */
	JOBOPTION_NAME,        /* one folder name */
	JOBOPTION_USER,        /* a user name */
	JOBOPTION_BYTES,       /* a size: "25 MB", "500 KiB", "26214400" */
	JOBOPTION_COUNT,       /* a whole number */
	JOBOPTION_DATE,        /* "2026-01-31" */
	JOBOPTION_CHOICE,      /* one of a few words */
	JOBOPTION_SWITCH       /* on, or not there */
};

enum joboption_group {
	JOBOPTION_IN_FOLDERS,
	JOBOPTION_IN_MESSAGES,
	JOBOPTION_IN_SPEED,
	JOBOPTION_IN_SIGNIN,
	JOBOPTION_GROUP__MAX
};

struct joboption_choice {
	const char *value, *label;
};

struct joboption_row {
	const char *name; /* in JSON and, behind "options.", in forms */
	enum joboption_kind kind;
	enum joboption_group group;
	const char *label;
	const char *hint; /* one line more; NULL: none */
	/* How the job's page says it, "%s" being the value; of a switch as it is. */
	const char *say;
	uint64_t min, max;                      /* JOBOPTION_BYTES, JOBOPTION_COUNT */
	const struct joboption_choice *choices; /* JOBOPTION_CHOICE: ended by a NULL value */
};

extern const struct joboption_row joboption_rows[JOBOPTION__MAX];

/* "Folders", ... */
const char *joboption_group_label(enum joboption_group g);

/* Of a list, so much text at most. */
enum {
	JOBOPTION_LIST_MAX_BYTES = 4000,
	JOBOPTION_WORDS_MAX = 100,
	JOBOPTION_NAME_MAX_BYTES = 500,
	JOBOPTION_USER_MAX_BYTES = 255
};
/* How long the text of this option may be that joboptions_set() is given. */
size_t joboption_max_bytes(enum joboption i);

/* The option of that name, JOBOPTION__MAX: there is none. */
enum joboption joboption_named(const char *name);

#endif
