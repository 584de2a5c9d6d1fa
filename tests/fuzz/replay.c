/*
 * The main() of a fuzz target in a build without libFuzzer: feeds it every file of corpus/NAME, where NAME
 * follows "fuzz_" in the program's own name, whole and cut short at every place.  A target that dislikes what
 * happens ends the process, as it does under libFuzzer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS_MAX = 4096 };

/* A copy of exactly this size, so that the sanitizer sees any byte read behind it. */
static void feed(const char *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, len);
	(void)LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static int feed_file(const char *path)
{
	AUTO_BUF struct buf bytes = BUF_INIT;
	char chunk[4096];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL)
		return 0;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&bytes, chunk, n);
	(void)fclose(f);
	for (size_t len = 0; len < bytes.len && len < CUTS_MAX; len++)
		feed(bytes.data, len);
	feed(bytes.data, bytes.len);
	return 1;
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	const char *src = getenv("MCV_SRCDIR");
	const char *name = argc > 0 ? strstr(argv[0], "fuzz_") : NULL;
	AUTO_BUF struct buf dir = BUF_INIT, path = BUF_INIT;
	struct dirent **entries;
	int number = 1, good = 1, count;

	buf_addf(&dir, "%s/tests/fuzz/corpus/%s", src ? src : ".", name ? name + strlen("fuzz_") : "");
	feed("", 0);
	puts("ok 1 - the_empty_input_is_survived");
	count = scandir(dir.data, &entries, is_shown, alphasort);
	if (count < 0) {
		printf("not ok 2 - %s can be read\n1..2\n", dir.data);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		const char *file = entries[i]->d_name;
		int read;

		buf_clear(&path);
		buf_addf(&path, "%s/%s", dir.data, file);
		printf("# %s\n", file);
		(void)fflush(stdout);
		read = feed_file(path.data);
		printf("%sok %d - %s_is_survived_at_every_length\n", read ? "" : "not ", ++number, file);
		good &= read;
		free(entries[i]);
	}
	free(entries);
	printf("1..%d\n", number);
	return good ? 0 : 1;
}
