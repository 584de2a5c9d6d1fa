/*
 * The destination's side of engine/flow.h: messages put together to groups, several groups under way.
 */
#ifndef MCV_ENGINE_GROUP_H
#define MCV_ENGINE_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"
#include "engine/lookup.h"
#include "engine/passage.h"
#include "engine/tap.h"

/* A group ends with its hundredth message, 8 MiB, or the first message whole after two seconds. */
#define GROUP_MESSAGES_MAX 100
#define GROUP_BYTES_MAX ((uint64_t)8 * 1024 * 1024)
#define GROUP_AGE_MS 2000
#define GROUPS_MAX 4   /* commands under way, where they are groups */
#define APPENDS_MAX 32 /* where each is one message */

struct group {
	unsigned id;
	unsigned count;
	struct lost *members; /* GROUP_MESSAGES_MAX, in the order sent */
};

struct groups {
	struct transfer *t;
	struct group open; /* count 0: no command is open */
	struct group sent[APPENDS_MAX];
	unsigned sent_count;
	unsigned last_id;
	uint64_t open_bytes;
	uint64_t sent_bytes;
	mono_time opened;
	bool full; /* the destination has no more room */
	struct tap tap;
};

/*
 * A message in steps: begin, pieces, done.  begin's failure leaves it out; where that ended the command,
 * group_refused() follows; where the connection is dead, group_broke().  done may end the group and take
 * answers.  Errors of flow_run().
 */
enum err group_begin(
    struct groups *g, struct item *item, const char *flags, const char *date, uint64_t size) MUST_CHECK;
enum err group_piece(struct groups *g, const char *bytes, size_t len) MUST_CHECK;
enum err group_done(struct groups *g) MUST_CHECK;

/* The open command, if any, is ended. */
enum err group_end(struct groups *g) MUST_CHECK;

/* begin failed and the connection stands: what the server refused is given up. */
enum err group_refused(struct groups *g) MUST_CHECK;

/* The message begun is not to be stored: the connection is closed inside it, then as group_broke(). */
enum err group_abort(struct groups *g) MUST_CHECK;

/*
 * The connection is gone: every message not answered is looked up.  What is not there waits again, or is
 * single if this is not the first time.
 */
enum err group_broke(struct groups *g) MUST_CHECK;

/* Waits until all is answered. */
enum err groups_settle(struct groups *g) MUST_CHECK;

/* Messages begun and not answered, and their bytes. */
uint64_t groups_bytes(const struct groups *g);
unsigned groups_messages(const struct groups *g);

void groups_free(struct groups *g);

#endif
