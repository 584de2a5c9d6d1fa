/*
 * What makes a message itself.  imapsync's rule: its Message-Id and Received lines, so that two copies that
 * came by different ways are two messages.  Where it has neither, its whole header.  Unlike imapsync's,
 * values keep their case, and folding and runs of blanks do not count; and a Message-Id that imapsync has
 * added to a copy (--addheader) does not either, so that its copies are known again.
 */
#ifndef MCV_ENGINE_IDENTITY_H
#define MCV_ENGINE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

/*
 * --useheader: these fields, at most IDENTITY_FIELDS_MAX, instead of Message-Id and Received.  Once, before
 * any message is looked at and there is more than one thread; names stay the caller's.
 */
#define IDENTITY_FIELDS_MAX 20
void identity_use(const char *const *names, unsigned count);

/* The fields to ask a server for: BODY.PEEK[HEADER.FIELDS (...)]. */
const char *identity_fields(void);

/* Equal for equal messages; half a SHA-256 digest. */
struct identity {
	uint8_t key[16];
	uint64_t hint; /* of Date, Subject, From, To and Cc: tells apart messages of equal key where a server
			  keeps it */
};

/*
 * From a header block (CRLF or LF, with or without the empty line at its end).
 * ERR_OK, or ERR_NOT_FOUND when it has neither Message-Id nor Received (none of the fields of
 * identity_use()): ask for the whole header then.
 */
enum err identity_from_fields(struct identity *id_r, const char *header, size_t len) MUST_CHECK;

/* From the whole header of a message that has neither field; any bytes will do, none too. */
enum err identity_from_header(struct identity *id_r, const char *header, size_t len) MUST_CHECK;

/*
 * Whether the field (name, value, line end or not) is "Message-Id: <UID@imapsync>", which imapsync's
 * --addheader writes above a copy whose original has neither Message-Id nor Received.
 */
bool identity_is_imapsyncs_mark(const char *field, size_t len);

/* A 64-bit digest of a set of words in any order, case-insensitive: for keywords. */
uint64_t identity_of_words(uint64_t so_far, const char *word);

#endif
