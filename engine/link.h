/*
 * One side of the migration: the connection to its server, told about as imapsync does, opened again when it
 * drops.  After a reconnection the folder that was selected is selected again, and only if its UIDs still
 * mean the same messages (UIDVALIDITY).
 */
#ifndef MCV_ENGINE_LINK_H
#define MCV_ENGINE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "imap/session.h"
#include "lib/arena.h"
#include "lib/err.h"
#include "engine/folders.h"
#include "engine/options.h"
#include "engine/report.h"

#define LINK_RECONNECTIONS_MAX 3 /* in a row, without a command succeeding between */
#define LINK_BUSY_MAX 6          /* waits for a server that asks for patience, each twice as long */
#define LINK_OPEN_BUSY_MAX 3     /* the same before the first login */

struct link {
	struct imap_session *session; /* NULL when not connected */
	const struct side_options *options;
	struct report *report;
	const char *secret; /* the password, or the access token as it was when the run began */
	size_t secret_len;
	enum imap_mechanism mechanism; /* of the first login, tried or done */
	unsigned side;                 /* 0 or 1 */
	unsigned pair;                 /* which pair of connections it belongs to, from 0 */
	bool far;                      /* compression pays, where it is not said whether to use it */
	bool beside;                   /* others are at work: a signal finds it by stop_watch() alone */
	unsigned reconnections;        /* since link_worked() */
	unsigned busy;                 /* times the server asked for patience, since link_worked() */
	char *selected;                /* NULL when no folder is; freed with the link */
	bool read_only;
	struct imap_mailbox mailbox; /* as it was when selected */
};

/* "Host1" or "Host2". */
const char *link_name(const struct link *l);

/* Connect and log in for the first time; a failure is reported as the error it is.  Any enum err. */
enum err link_open(struct link *l) MUST_CHECK;

/*
 * One more connection of a side that is logged in: what fails is no error, and is said in one line only.
 * Whatever the server's reason is, it is not asked again.
 */
enum err link_open_more(struct link *l) MUST_CHECK;

/*
 * After a failure: ERR_OK when there is a working connection again, the folder selected (the failed command
 * is then repeated by the caller).  ERR_CLOSED when the signal to stop came, or LINK_RECONNECTIONS_MAX were
 * spent; ERR_LOST when the folder is gone or its UIDs changed.
 */
enum err link_revive(struct link *l) MUST_CHECK;

/*
 * A command failed with e: ERR_OK when it is to be repeated, because the connection was opened again or the
 * server asked for patience (RFC 5530 UNAVAILABLE, INUSE, LIMIT...) and was given it.  Else e, or an error of
 * link_revive().
 */
enum err link_again(struct link *l, enum err e) MUST_CHECK;

/* A command succeeded: reconnections and patience are counted anew. */
void link_worked(struct link *l);

/* Select (read_only: EXAMINE), reconnecting as needed.  What fails finally is not reported. */
enum err link_select(struct link *l, const char *folder, bool read_only) MUST_CHECK;

/* Two links at once, each as by link_select(), waiting for both at the same time. */
struct link_choice {
	struct link *link;
	const char *folder;
	bool read_only;
};
enum err link_select_both(const struct link_choice choices[2]) MUST_CHECK;

/* As link_select(), in two steps, with bodies asked for between; nothing is connected again. */
enum err link_select_ahead(struct link *l, const char *folder, bool read_only) MUST_CHECK;
enum err link_select_arrived(struct link *l, const char *folder, bool read_only) MUST_CHECK;

/* No folder counts as selected any more. */
void link_unselect(struct link *l);

/* Namespace and folders, all in a; counted: with what the server can tell with its list of what they hold. */
enum err link_folders(struct link *l, struct arena *a, bool counted, struct folder_set *set_r) MUST_CHECK;

/* What the last failure was, for a person: the server's words or ours, in a. */
const char *link_why(const struct link *l, struct arena *a);

/* LOGOUT and free; a dead connection is dropped. */
void link_close(struct link *l);

#endif
