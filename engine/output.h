/*
 * Standard output, the engine's voice (see out_to_stderr()): whole lines, written at once, in imapsync's
 * wording so that one parser reads both.  Whatever a line holds, no secret and no control character leaves:
 * known secrets are masked (raw, quoted and base64), control characters and bytes that are not UTF-8 become
 * \xNN.
 */
#ifndef MCV_ENGINE_OUTPUT_H
#define MCV_ENGINE_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

/* Never let this value out; it is copied.  Any thread may say so. */
void out_secret(const char *secret, size_t len);

/* Wipes the secrets: nothing may be printed that could hold one any more. */
void out_end(void);

/* One line; the newline is added.  A line that cannot be written (the reader is gone) ends the process. */
void out(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * The same, but it may be held back for a tenth of a second to go out with others in one write; out_flush()
 * writes what is held.
 */
void out_later(const char *fmt, ...) PRINTF_LIKE(1, 2);
void out_flush(void);

/* The same, but only where nothing was printed for ten seconds: whoever watches sees that the run is alive.
 */
void out_alive(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* From now on lines go to standard error, and only those of out_data() to standard output. */
void out_to_stderr(void);

/* One line to standard output, wherever out() writes; masked and escaped the same. */
void out_data(const char *line);

/* Whole lines already ended by newlines; each is treated as one by out(). */
void out_lines(const char *text);

/* For the parts of a line, into b; b is not emptied first. */

/* "[name]", and " = [decoded]" behind it where the name is modified UTF-7 (RFC 3501 5.1.3). */
void out_folder(struct buf *b, const char *name);

/* "537.061 KiB", "8.470 MiB"...: 1000 of a unit make the next. */
void out_bytes(struct buf *b, double bytes);

/* "Monday 23 November 2026-11-23 15:17:22 +0000 UTC", local time. */
void out_time(struct buf *b, int64_t unix_s);

#endif
