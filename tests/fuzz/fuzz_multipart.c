/* Forms with files: the same parts however the body is cut, values that are UTF-8, files within their limit.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/multipart.h"
#include "lib/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX_BYTES = 200 };

struct result {
	enum err e;
	unsigned values, files;
	uint64_t bytes;
};

static struct result take(const char *type, const char *body, size_t size, size_t step)
{
	static const char *const names[] = {"file", "text", NULL};
	struct result r = {0};
	struct arena *a = arena_new_clean();
	struct request_file files[REQUEST_FILES_MAX];
	struct params values;
	struct multipart *mp = NULL;

	r.e = multipart_new(a, type, names, FILE_MAX_BYTES, &mp);
	for (size_t at = 0; r.e == ERR_OK && at < size; at += step)
		r.e = multipart_feed(mp, body + at, size - at < step ? size - at : step);
	if (r.e == ERR_OK)
		r.e = multipart_end(mp);
	if (r.e == ERR_OK) {
		multipart_take(mp, &values, files, &r.files);
		r.values = values.count;
		for (unsigned i = 0; i < values.count; i++)
			assert(utf8_valid(values.list[i].value, strlen(values.list[i].value)));
		for (unsigned i = 0; i < r.files; i++) {
			assert(files[i].size <= FILE_MAX_BYTES);
			assert(lseek(files[i].fd, 0, SEEK_END) == (off_t)files[i].size);
			r.bytes += files[i].size;
			(void)close(files[i].fd);
		}
	}
	multipart_free(&mp);
	arena_free(&a);
	return r;
}

/* The first line is the Content-Type, the rest the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data, *end = memchr(s, '\n', size);
	struct arena *a = arena_new();
	size_t head = end != NULL ? (size_t)(end - s) : 0;
	const char *type = end != NULL ? arena_strndup(a, s, head) : "multipart/form-data; boundary=X";
	const char *body = end != NULL ? end + 1 : s;
	size_t len = size - (size_t)(body - s);
	struct result whole = take(type, body, len, MULTIPART_FEED_MAX_BYTES), cut;

	if (len <= MULTIPART_FEED_MAX_BYTES) {
		cut = take(type, body, len, 1 + len / 11);
		assert(whole.e == cut.e && whole.values == cut.values && whole.files == cut.files &&
		       whole.bytes == cut.bytes);
	}
	arena_free(&a);
	return 0;
}
