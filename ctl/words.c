#include "ctl/words.h"

#include <stddef.h>
#include <string.h>

#include "ctl/ctl.h"

static const struct word *find(const struct word *known, const char *word, size_t len)
{
	for (; known->name != NULL; known++)
		if (strlen(known->name) == len && strncmp(known->name, word, len) == 0)
			return known;
	return NULL;
}

/* Read the option words[at]; how many words it takes, or -1. */
static int read_option(const struct word *known, char **words, int at)
{
	const char *word = words[at], *equals = strchr(word, '=');
	const struct word *w = find(known, word, equals != NULL ? (size_t)(equals - word) : strlen(word));

	if (w == NULL) {
		ctl_complain("there is no option %.*s", (int)strcspn(word, "="), word);
		return -1;
	}
	if (w->flag != NULL) {
		if (equals != NULL) {
			ctl_complain("%s takes no value", w->name);
			return -1;
		}
		*w->flag = true;
		return 1;
	}
	if (w->text != NULL && *w->text != NULL) {
		ctl_complain("%s is there twice", w->name);
		return -1;
	}
	if (equals == NULL && words[at + 1] == NULL) {
		ctl_complain("%s needs a value", w->name);
		return -1;
	}
	if (w->text != NULL)
		*w->text = equals != NULL ? equals + 1 : words[at + 1];
	else
		w->values->list[w->values->count++] = equals != NULL ? equals + 1 : words[at + 1];
	return equals != NULL ? 1 : 2;
}

int words_read(const struct word *known, int count, char **words)
{
	bool only_words = false;
	int kept = 0, took;

	for (int i = 0; i < count; i += took) {
		took = 1;
		if (!only_words && strcmp(words[i], "--") == 0) {
			only_words = true;
		} else if (only_words || words[i][0] != '-' || words[i][1] == '\0') {
			words[kept++] = words[i];
		} else {
			took = read_option(known, words, i);
			if (took < 0)
				return -1;
		}
	}
	return kept;
}
