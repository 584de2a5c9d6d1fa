/*
 * What a run leaves for the next one (--state FILE): the listings of both sides of each folder, as the
 * servers told them.  Nothing is concluded from them that a fresh listing would not show: a listing kept is
 * brought up to date (engine/recall.h) and then goes the way of any other.  Without the file, or with one
 * that is not whole, everything is listed.
 *
 * The file: a magic line; SHA-256 of hosts, users and whatever decides what a message's identity is;
 * the number of folders; of each its two names and struct state_folder, then the rows of both sides; SHA-256
 * of all that.  Numbers are little-endian.  It is read only where it is a regular file of our own that others
 * cannot write, and replaced only by rename(2), when it is complete and on the disk; mode 0600.
 */
#ifndef MCV_ENGINE_STATE_H
#define MCV_ENGINE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "engine/listing.h"
#include "engine/match.h"
#include "engine/options.h"

#define STATE_FOLDERS_MAX 100000

/* One side of a folder; every message with a UID below uidnext is among the rows. */
struct state_side {
	bool listed; /* else nothing of this holds */
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint64_t modseq; /* flags are as of this HIGHESTMODSEQ; 0: not known when */
	uint32_t count;  /* rows */
	uint32_t duplicates;
	struct folder_size size;
	uint64_t keeper; /* of the source: a digest of what flags were kept of it (recall.h) */
};

struct state_folder {
	struct state_side sides[2];
	uint32_t paired;
	bool settled; /* with these listings nothing is to be done */
};

struct state;

/*
 * Opens path, which need not exist, for reading and being written anew.  *st_r is never NULL.  said gets a
 * line, without newline, where the file is not of use; "" where it is, or is not there.  A file that is no
 * state, or that of other mailboxes, is not replaced either.
 */
void state_open(const char *path, const struct options *o, struct state **st_r, struct buf *said);

/* Frees, NULL or not; what was saved and not committed is forgotten. */
void state_close(struct state **st);

/* Any thread may call these. */

/* What is known of a pair of folders, the latest; false: nothing. */
bool state_find(struct state *st, const char *from, const char *to, struct state_folder *folder_r);

/* The rows of one side, ascending by UID; the caller's to free.  ERR_NOT_FOUND, ERR_IO. */
enum err state_read(struct state *st, const char *from, const char *to, unsigned side,
    struct message_list *list_r) MUST_CHECK;

/*
 * Keeps this of the folder, instead of what was known; lists[i] may be NULL where sides[i] is not listed.
 * count is set from the lists.  ERR_IO (errno says why): then nothing is known of the folder.
 */
enum err state_save(struct state *st, const char *from, const char *to, const struct state_folder *folder,
    const struct message_list *const lists[2]) MUST_CHECK;

/*
 * Replaces the file by all that is known.  all: folders nobody asked for are left out.  ERR_OK,
 * also where the file must not be replaced; ERR_IO, the old file as it was.
 */
enum err state_commit(struct state *st, bool all) MUST_CHECK;

#endif
