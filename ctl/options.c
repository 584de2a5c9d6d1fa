#include "ctl/options.h"

#include <stdio.h>
#include <string.h>

#include "ctl/model.h"
#include "ctl/table.h"

static size_t name_len(const char *option)
{
	return strcspn(option, "=");
}

static bool is_same_name(const char *option, const char *other)
{
	return name_len(option) == name_len(other) && strncmp(option, other, name_len(option)) == 0;
}

bool options_field(
    struct ctl *ctl, const struct word_values *options, unsigned n, const char **name_r, const char **value_r)
{
	const char *option = options->list[n];

	*value_r = NULL;
	for (unsigned i = 0; i < options->count; i++) {
		const char *other = options->list[i];
		const char *one = other[name_len(other)] == '=' ? other + name_len(other) + 1 : "1";

		if (!is_same_name(other, option))
			continue;
		if (i < n)
			return false;
		*value_r = *value_r == NULL ? one : arena_printf(ctl->a, "%s\n%s", *value_r, one);
	}
	*name_r = arena_printf(ctl->a, "options.%.*s", (int)name_len(option), option);
	return true;
}

void options_print(struct ctl *ctl, struct json_object *model)
{
	size_t count = model_count(model, "option_list");

	for (size_t i = 0; i < count; i++)
		printf("%s%s%s", i == 0 ? "Options: " : "; ",
		    table_text(ctl->a, model_text(model_item(model, "option_list", i), "text")),
		    i + 1 == count ? "\n" : "");
}
