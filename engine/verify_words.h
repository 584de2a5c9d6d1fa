/*
 * By what a person finds a message again: its From and Subject, as one line each, raw but for folding.
 */
#ifndef MCV_ENGINE_VERIFY_WORDS_H
#define MCV_ENGINE_VERIFY_WORDS_H

#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "engine/link.h"

#define VERIFY_WORDS_MAX 120 /* bytes of each that are kept */

struct verify_words {
	const char *from; /* never NULL; "" where there is none or it could not be had */
	const char *subject;
};

/* Of the message with this UID in the folder selected; in a.  Errors of link_revive(). */
enum err verify_words_read(
    struct link *l, uint32_t uid, struct arena *a, struct verify_words *words_r) MUST_CHECK;

/* Pure: from a header block. */
void verify_words_parse(const char *header, size_t len, struct arena *a, struct verify_words *words_r);

#endif
