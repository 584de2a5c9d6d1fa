/* What pages say of second factors, where more than one says it. */
#ifndef MCV_FCGI_FACTOR_VIEW_H
#define MCV_FCGI_FACTOR_VIEW_H

#include <json-c/json.h>

#include "fcgi/factor.h"
#include "fcgi/visit.h"
#include "lib/err.h"

/* A code that was not taken. */
extern const char factor_wrong_text[];

/* Too many were tried: the sentence, with Retry-After set. */
const char *factor_busy(struct visit *v, unsigned wait_s);

/* 503: the key is not there, so nobody can say whether a code is right. */
enum err factor_show_no_key(struct visit *v) MUST_CHECK;

/* "setup" and "qr" of a view model (VIEWMODELS.md). */
void factor_add_setup(struct visit *v, struct json_object *m, const struct factor_setup *s);

/* "codes": the caller owns it. */
struct json_object *factor_codes_view(const struct factor_codes *codes);

#endif
