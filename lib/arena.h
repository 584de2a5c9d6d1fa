/*
 * An arena: memory freed together.  One per request, one per job attempt.  What comes out of it lives until
 * arena_reset() or arena_free(); nothing in it is freed alone.
 *
 * A clean arena (arena_new_clean) wipes every byte it handed out before giving it back and keeps its pages
 * out of core dumps: it is for passwords and keys.
 */
#ifndef MCV_LIB_ARENA_H
#define MCV_LIB_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/err.h"

struct arena;

struct arena *arena_new(void) __attribute__((returns_nonnull));
struct arena *arena_new_clean(void) __attribute__((returns_nonnull));

/* Frees all and sets *a to NULL; *a may be NULL. */
void arena_free(struct arena **a);
#define AUTO_ARENA __attribute__((cleanup(arena_free)))

/* Everything handed out becomes invalid; keeps one block for reuse. */
void arena_reset(struct arena *a);

/* size zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));
void *arena_array(struct arena *a, size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* Copies; a NUL is always added after the last byte. */
char *arena_strdup(struct arena *a, const char *s) __attribute__((malloc, returns_nonnull));
char *arena_strndup(struct arena *a, const void *s, size_t len) __attribute__((malloc, returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3) __attribute__((returns_nonnull));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF_LIKE(2, 0)
    __attribute__((returns_nonnull));

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

#endif
