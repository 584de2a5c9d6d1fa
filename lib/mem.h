/*
 * Memory that is there or the process is not.  A failed allocation ends the process with a line in the log:
 * the web process is respawned, a worker's children are ended by their keepers and its jobs are marked
 * interrupted, and the engine is run again.  That is one tested path instead of a thousand untested ones.
 * Sizes that come from outside must be bounded by the caller before they reach these functions.
 */
#ifndef MCV_LIB_MEM_H
#define MCV_LIB_MEM_H

#include <stddef.h>

/* size bytes, zeroed; free with free().  size 0 gives a valid pointer. */
void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull));

/* count * size bytes, zeroed; ends the process when the product overflows. */
void *mem_array(size_t count, size_t size) __attribute__((malloc, returns_nonnull));

/* p grown or shrunk to count * size bytes; new bytes are not zeroed.  p may be NULL. */
void *mem_resize(void *p, size_t count, size_t size) __attribute__((returns_nonnull));

/* A copy of s, or of its first len bytes with a NUL added; free with free(). */
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));

/*
 * realloc(3) and free(3) for libraries that take their own and handle secrets: what is given back is wiped,
 * and growing leaves no copy behind.  p may be NULL.
 */
void *mem_wiping_resize(void *p, size_t size) __attribute__((returns_nonnull));
void mem_wiping_free(void *p);

/* For __attribute__((cleanup)): frees the char * it guards. */
void mem_free_str(char **p);
#define AUTO_FREE __attribute__((cleanup(mem_free_str)))

#endif
