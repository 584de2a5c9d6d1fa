/*
 * --option NAME[=VALUE], several times: the options of a job or of all jobs of an import, as the panel's form
 * has them; it judges them.
 */
#ifndef MCV_CTL_OPTIONS_H
#define MCV_CTL_OPTIONS_H

#include <json-c/json.h>
#include <stdbool.h>

#include "ctl/ctl.h"
#include "ctl/words.h"

/*
 * The field for the n-th of them, and its value: all that there are for its name, a line each; a switch has
 * none and is on.  false: an earlier one had that name.  Both live in the ctl's arena.
 */
bool options_field(struct ctl *ctl, const struct word_values *options, unsigned n, const char **name_r,
    const char **value_r);

/* "Options: only the folders A; messages up to 25 MB", of a model that has an option_list; nothing where it
 * has none in it. */
void options_print(struct ctl *ctl, struct json_object *model);

#endif
