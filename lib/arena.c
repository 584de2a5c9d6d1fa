#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/crypto.h>

#include "lib/mem.h"

enum { BLOCK_BYTES = 16 * 1024, PAGE_BYTES = 4096 };

struct block {
	struct block *next;
	size_t size;
	size_t used;
	max_align_t data[];
};

struct arena {
	struct block *head;
	size_t used;
	bool clean;
};

struct arena *arena_new(void)
{
	return mem_alloc(sizeof(struct arena));
}

struct arena *arena_new_clean(void)
{
	struct arena *a = arena_new();

	a->clean = true;
	return a;
}

static struct block *block_new(const struct arena *a, size_t size)
{
	struct block *b;

	if (size < BLOCK_BYTES)
		size = BLOCK_BYTES;
	if (!a->clean) {
		b = mem_resize(NULL, 1, sizeof(*b) + size);
	} else {
		size_t total = (sizeof(*b) + size + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;

		b = aligned_alloc(PAGE_BYTES, total);
		if (b == NULL)
			abort();
		/* Both are a second wall: RLIMIT_CORE is 0 and swap is the administrator's. */
		(void)madvise(b, total, MADV_DONTDUMP);
		(void)mlock(b, total);
		size = total - sizeof(*b);
	}
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

static void block_wipe(const struct arena *a, struct block *b)
{
	if (a->clean)
		OPENSSL_cleanse(b->data, b->used);
}

static void block_free(const struct arena *a, struct block *b)
{
	block_wipe(a, b);
	if (a->clean) {
		(void)munlock(b, sizeof(*b) + b->size);
		(void)madvise(b, sizeof(*b) + b->size, MADV_DODUMP);
	}
	free(b);
}

void arena_reset(struct arena *a)
{
	while (a->head != NULL && a->head->next != NULL) {
		struct block *b = a->head;

		a->head = b->next;
		block_free(a, b);
	}
	if (a->head != NULL) {
		block_wipe(a, a->head);
		a->head->used = 0;
	}
	a->used = 0;
}

void arena_free(struct arena **ap)
{
	struct arena *a = *ap;

	if (a == NULL)
		return;
	arena_reset(a);
	if (a->head != NULL)
		block_free(a, a->head);
	free(a);
	*ap = NULL;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t need = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	void *p;

	if (need < size || need > SIZE_MAX / 2)
		abort();
	if (need == 0)
		need = sizeof(max_align_t);
	if (a->head == NULL || a->head->size - a->head->used < need) {
		struct block *b = block_new(a, need);

		b->next = a->head;
		a->head = b;
	}
	p = (char *)a->head->data + a->head->used;
	a->head->used += need;
	a->used += need;
	return memset(p, 0, need);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		abort();
	return arena_alloc(a, total);
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const void *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);

	if (len > 0)
		memcpy(p, s, len);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	int len;
	char *s;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		abort();
	s = arena_alloc(a, (size_t)len + 1);
	(void)vsnprintf(s, (size_t)len + 1, fmt, ap);
	return s;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
