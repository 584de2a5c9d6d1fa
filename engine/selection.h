/*
 * Which messages of a source folder are to be copied: --maxsize, --minsize, --maxage, --minage, --search. The
 * destination is never filtered: what it has is known whole.
 */
#ifndef MCV_ENGINE_SELECTION_H
#define MCV_ENGINE_SELECTION_H

#include <stdbool.h>

#include "lib/err.h"
#include "engine/link.h"
#include "engine/match.h"

/* By its size alone; imapsync's bounds: a message of just --maxsize bytes comes, one of just --minsize stays.
 */
bool selection_takes_size(const struct options *o, uint64_t size);

/* What the line about a message left behind says: "5000 exceeds maxsize limit 4000 bytes", in a. */
const char *selection_why(const struct options *o, uint64_t size, struct arena *a);

/* Whether the server must be asked (selection_mark()). */
bool selection_searches(const struct options *o);

/*
 * Sets unselected of the messages that the server does not find, on the source's folder selected; the list is
 * ascending by UID, and whole: or else the folder may hold others between those listed.  Days are UTC and
 * count from the beginning of the run, with --newerthan from then.  Errors of link_revive(); others when the
 * server refuses, the session being alive.
 */
enum err selection_mark(struct link *source, struct message_list *list, bool whole) MUST_CHECK;

#endif
