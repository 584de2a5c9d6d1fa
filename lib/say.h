/*
 * Numbers as people read them, on pages and in mails.  Texts live in a.
 */
#ifndef MCV_LIB_SAY_H
#define MCV_LIB_SAY_H

#include <stdint.h>

#include "lib/arena.h"

/* "1,204" */
const char *say_number(struct arena *a, uint64_t n);
/* "1 message", "2 messages", "1,204 messages": noun takes a plain s. */
const char *say_plural(struct arena *a, uint64_t n, const char *noun);
/* "512 bytes", "3.4 MiB" */
const char *say_size(struct arena *a, uint64_t bytes);

#endif
