#include "config.h"

#include "engine/verify_map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/buf.h"

/* Length of "[name]" when the text begins with it and a blank or its end follows, else 0. */
static size_t bracketed(const char *text, size_t len, const char *name)
{
	size_t n = strlen(name);
	if (len < n + 2 || text[0] != '[' || memcmp(text + 1, name, n) != 0 || text[n + 1] != ']')
		return 0;
	return len == n + 2 || text[n + 2] == ' ' ? n + 2 : 0;
}

/* The folder the text names; of several whose names could be meant the longest. */
static struct folder_pair *source_of(
    const char *text, size_t len, const struct folder_plan *plan, size_t *used_r)
{
	struct folder_pair *found = NULL;
	*used_r = 0;
	for (unsigned i = 0; i < plan->count; i++) {
		size_t used = bracketed(text, len, plan->pairs[i].source->name);
		if (used > *used_r) {
			*used_r = used;
			found = &plan->pairs[i];
		}
	}
	return found;
}

static const struct folder *destination_of(const char *text, size_t len, const struct folder_set *set)
{
	const struct folder *found = NULL;
	size_t longest = 0;
	for (unsigned i = 0; i < set->count; i++) {
		size_t used = bracketed(text, len, set->items[i].name);
		if (used > longest) {
			longest = used;
			found = &set->items[i];
		}
	}
	return found;
}

static void apply_line(const char *line, size_t len, const struct folder_set *destination,
    struct folder_plan *plan, unsigned *moved)
{
	static const char label[] = "Folder ";
	static const char arrow[] = " -> ";
	size_t used;

	if (len < sizeof(label) || memcmp(line, label, sizeof(label) - 1) != 0)
		return;
	const char *at = memchr(line, '[', len);
	if (at == NULL)
		return;
	len -= (size_t)(at - line);
	struct folder_pair *p = source_of(at, len, plan, &used);
	if (p == NULL)
		return;
	at += used;
	len -= used;
	/* the decoded name may hold an arrow, too: any place will do where a folder's name follows */
	for (const char *next; (next = memmem(at, len, arrow, sizeof(arrow) - 1)) != NULL;) {
		next += sizeof(arrow) - 1;
		len -= (size_t)(next - at);
		at = next;
		const struct folder *to = destination_of(at, len, destination);
		if (to == NULL)
			continue;
		*moved += strcmp(p->to, to->name) != 0;
		p->to = to->name;
		p->exists = to->selectable;
		return;
	}
}

void verify_map_apply(
    const char *text, const struct folder_set *destination, struct folder_plan *plan, unsigned *moved_r)
{
	*moved_r = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, "\r\n");
		apply_line(text, len, destination, plan, moved_r);
		text += len;
		text += strspn(text, "\r\n");
	}
}

enum err verify_map_read(
    const char *path, const struct folder_set *destination, struct folder_plan *plan, unsigned *moved_r)
{
	AUTO_BUF struct buf text = BUF_INIT;
	char chunk[16384];
	ssize_t n;

	*moved_r = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0)
			buf_add(&text, chunk, (size_t)n);
		if (text.len > VERIFY_MAP_MAX_BYTES)
			break;
	}
	(void)close(fd);
	if (n != 0)
		return n > 0 ? ERR_TOO_BIG : ERR_IO;
	verify_map_apply(text.data, destination, plan, moved_r);
	return ERR_OK;
}
