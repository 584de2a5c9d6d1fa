/*
 * The options of a job in forms and view models, all made of lib/joboption.h's table: fields "options.NAME",
 * and "options"=1 where a form offers them, so that boxes that are not ticked and fields that are empty can
 * be told from a script that says nothing of options.
 */
#ifndef MCV_FCGI_OPTIONS_FORM_H
#define MCV_FCGI_OPTIONS_FORM_H

#include <json-c/json.h>

#include "fcgi/form.h"
#include "lib/arena.h"
#include "lib/err.h"

/* base's rows and those of the options behind them, in a. */
const struct form_spec *options_form_specs(
    struct arena *a, const struct form_spec *base, unsigned base_count, unsigned *count_r);

/*
 * After form_read() with such rows: what is to be stored.  *stored_r: NULL: nothing was said of options; "":
 * none is wanted.  ERR_INVALID: the fields (or the form, for an option there is not) say why.
 */
enum err options_form_take(
    struct form *f, struct arena *a, const struct params *body, const char **stored_r) MUST_CHECK;

/*
 * Refuse what is too long for a password in "source_password" and "dest_password", unless stored (may be NULL
 * or "") has that side sign in with an access token.
 */
enum err options_form_check_secrets(struct form *f, struct arena *a, const char *stored) MUST_CHECK;

/* Fill the fields from what is stored (may be NULL). */
void options_form_fill(struct form *f, struct arena *a, const char *stored);

/* Add "option_groups" and "options_open" of the form's fields to a page's model. */
void options_form_view(struct json_object *model, struct arena *a, const struct form *f);

/* Add "options" (an object, as it is written), "option_list" and "has_options" to a job's view. */
void options_view(struct json_object *job, struct arena *a, const char *stored);

/* The schema of "options". */
struct json_object *options_schema(void);

#endif
