/*
 * The options of all jobs that an import makes: asked for with its rows, in the fields of a job's form
 * (options_form.h), and judged as those of one job are.
 */
#ifndef MCV_FCGI_IMPORT_OPTIONS_H
#define MCV_FCGI_IMPORT_OPTIONS_H

#include <stdbool.h>

#include "fcgi/form.h"
#include "fcgi/visit.h"
#include "lib/err.h"

/*
 * Read the request's body into f by these rows and those of the options behind them.  *options_r: what is to
 * be stored; NULL or "": none is wanted.  ERR_INVALID: f says why.  f is filled in any case.
 */
enum err import_options_read(struct visit *v, struct form *f, const struct form_spec *specs, unsigned count,
    const char **options_r) MUST_CHECK;

/* A form that nobody has filled in: with the options stored (may be NULL), else empty. */
void import_options_blank(
    struct visit *v, struct form *f, const struct form_spec *specs, unsigned count, const char *stored);

/* Whether the body says anything of options, right or wrong. */
bool import_options_are_given(const struct params *body);

#endif
