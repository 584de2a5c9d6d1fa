/*
 * A growing byte buffer.  Invariants: data is never NULL and data[len] is always NUL, from BUF_INIT on; bytes
 * may be anything, NUL included.  The buffer owns data; pointers into it are invalid after the next call that
 * adds.
 */
#ifndef MCV_LIB_BUF_H
#define MCV_LIB_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/err.h"

struct buf {
	char *data;
	size_t len;
	size_t cap; /* 0 while data is the shared empty string */
};

extern char buf_empty[1];
#define BUF_INIT \
	{ \
		.data = buf_empty, .len = 0, .cap = 0 \
	}

/* Free and make empty again.  buf_wipe does so after overwriting every byte: for secrets. */
void buf_free(struct buf *b);
void buf_wipe(struct buf *b);
#define AUTO_BUF __attribute__((cleanup(buf_free)))

/* len = 0; memory is kept. */
void buf_clear(struct buf *b);

/* Room for at least extra more bytes and the NUL.  Doubles, so that adding is linear. */
void buf_reserve(struct buf *b, size_t extra);

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

/* Drop the first n bytes (n <= len), moving the rest to the front. */
void buf_consume(struct buf *b, size_t n);

/* Cut to len bytes (len <= b->len). */
void buf_truncate(struct buf *b, size_t len);

/* The bytes, NUL-terminated, now the caller's to free(); the buffer is empty again. */
char *buf_steal(struct buf *b);

#endif
